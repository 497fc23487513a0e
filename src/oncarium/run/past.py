"""What a run that goes on was: its model, the state it goes on from, and all that was asked for."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, ModelError
from ..model.model import Model
from . import checkpoint
from .identity import differences, identity_of
from .index import read_index
from .result import Result
from .store import FORMAT

if TYPE_CHECKING:
    from ..engine.process import Process

log = logging.getLogger(__name__)
ANEW = "Run the model again into this folder: --overwrite (overwrite=True)."
BRANCH = "Branch from the run again: oncarium branch."


@dataclass(frozen=True)
class Past:
    """A run as its store tells it.

    attrs   what the store says     tick   up to which its frames are reported; -1: none was, and nothing would be lost
                                           by beginning anew
    """

    store: Path
    attrs: Mapping[str, Any]
    tick: int

    @classmethod
    def of(cls, store: Path) -> Past:
        """What is known of a run, also of one that was killed before its first frame. Raises DataError."""
        try:
            result = Result.open(store)
        except DataError:
            if read_index(store) or checkpoint.newest_tick(store) >= 0:
                raise
            return cls(store, _root(store), -1)
        return cls(store, result.attrs, result.tick)

    def model(self, processes: Sequence[Process], folder: str | None = None) -> Model:
        """The model that was run, with the mechanisms of one's own that it had; folder: where its tables are read,
        None: they are not."""
        return Model.from_text(self.attrs["model"], "the run's own model", folder, processes)

    def state(self) -> dict[str, Any] | None:
        """The newest state that no frame is missing before; None where the run begins at time 0 again, which is exact
        all the same."""
        try:
            state = checkpoint.latest(self.store, self.tick)
        except DataError as error:
            log.warning("%s\n  It goes on from time 0.", error)
            return None
        if state["seed"] != self.attrs["seed"]:
            raise DataError(
                str(self.store),
                f"its checkpoint is of a run with seed {state['seed']}, not {self.attrs['seed']}.",
                remedy=ANEW,
            )
        return state

    def before(
        self, processes: Sequence[Process], other_code: bool
    ) -> tuple[Model, dict[str, Any] | None, dict[str, Any]]:
        """The model and the state that the run goes on with, and what its store notes of it. Raises DataError."""
        model, state = self.model(processes), self.state()
        notes = self.notes(model, -1 if state is None else int(state["tick"]), other_code)
        return (self.at_start(processes, other_code) if state is None else model), state, notes

    def at_start(self, processes: Sequence[Process], other_code: bool) -> Model:
        """The model for beginning at time 0 again, its tables read. Raises DataError where they are not what they
        were."""
        if (self.attrs.get("asked") or {}).get("branched"):
            raise DataError(
                str(self.store), "it is an arm, and no checkpoint is left that it could go on from.", remedy=BRANCH
            )
        try:
            model = self.model(processes, self.attrs["folder"])
        except ModelError as error:
            raise DataError(
                str(self.store), f"it must begin at time 0, and its tables cannot be read: {error}.", remedy=ANEW
            ) from None
        if model.digest != self.attrs["model_digest"] and not other_code:
            raise DataError(
                str(self.store), "it must begin at time 0, and its tables are not what they were.", remedy=ANEW
            )
        return model

    def notes(self, model: Model, tick: int, other_code: bool) -> dict[str, Any]:
        """What the store notes of going on from a tick. Raises DataError where other code would go on without being
        asked to."""
        now, before = identity_of(model), list(self.attrs.get("continued", ()))
        had = before[-1]["identity"] if before else self.attrs["identity"]
        machine = {"processor": "processor", "mathematics": "mathematical library"}
        other = [what for key, what in machine.items() if had.get(key, now[key]) != now[key]]
        if other:
            what = " and another ".join(other)
            log.warning("%s was begun on another %s: a last digit may differ, and with it the digest", self.store, what)
        different = differences(had, now)
        if different and not other_code:
            raise DataError(
                str(self.store),
                f"it was run by other code: {', '.join(different)}.",
                "It would end differently from a run that was never interrupted.",
                "Give the same versions, and the same mechanisms of your own (processes=[...]);"
                " or go on all the same with other_code=True (--other-code): the store notes it.",
            )
        return {"continued": [*before, {"tick": tick, "differs": different, "identity": now}]} if now != had else {}


def _root(store: Path) -> dict[str, Any]:
    """What the root of a store says whose index was not begun. Raises DataError."""
    try:
        attrs = json.loads((store / "zarr.json").read_bytes())["attributes"]
        needed = {"model", "model_digest", "seed", "until", "title", "identity", "folder"}
        if attrs["format"] == FORMAT and needed <= set(attrs):
            return attrs
    except Exception:  # no file, or whatever damaged JSON can raise
        pass
    raise DataError(str(store), "no frame was finished, and its root is damaged.", remedy=ANEW)
