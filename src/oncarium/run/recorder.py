"""Recorder: watches a Simulation and leaves a Result; never writes to the Tissue."""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import DataError, InputError, did_you_mean
from ..model.stop import StopWatch
from . import checkpoint
from .identity import identity_of
from .lock import Lock
from .ome import ome_attributes
from .store import FORMAT, ROWS, Store, stopped

log = logging.getLogger(__name__)
EXACT = ("id", "position")  # kept in full precision; everything else as float32
USUAL = (
    "position",
    "id",
    "type",
    "vital",
    "radius",
    "volume.total",
    "cycle.phase",
    "elapsed",
    "damage.level",
    "attack.target",
    "sense.factor",
    "sense.pressure",
)
SECONDS = 4.0  # between flushes: a frame is safe on disk this soon after it was seen
BYTES = 32_000_000
CHECKPOINT_SECONDS = 300.0  # a checkpoint at least this often, however slow the simulation


class Recorder:
    """Writes frames of cells and fields, a summary, events and checkpoints.

    path          the store to write             cells_every, fields_every, checkpoint_every   min, whole numbers of
                  ticks
    columns       which columns of the cells (None: the usual ones)     overwrite, resume   what to do with what lies
                  there
    notes         what the store remembers besides, of this part of the run     until, asked   the end (min) and all
                  else that was asked for
    take_over     write although the folder's lock is held (see Lock)

    Raises DataError where nothing can be written here; nothing is left behind then.

    >>> import oncarium as oc
    >>> simulation = oc.Simulation(oc.Model.from_text(oc.EXAMPLE))
    >>> recorder = Recorder("watched/run.zarr", simulation, cells_every=10, fields_every=30, checkpoint_every=60)
    >>> recorder.see(simulation)
    >>> simulation.run("30 min", see=recorder.see)
    >>> recorder.close(simulation)
    >>> oc.open("watched").times.tolist()
    [0.0, 10.0, 20.0, 30.0]
    """

    def __init__(
        self,
        path: str | Path,
        simulation: Any,
        *,
        cells_every: float,
        fields_every: float,
        checkpoint_every: float,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
        resume: bool = False,
        notes: Mapping[str, Any] | None = None,
        until: float | None = None,
        asked: Mapping[str, Any] | None = None,
        take_over: bool = False,
    ):
        self.path = Path(path)
        tick = simulation.plan.tick_minutes
        self.cells_ticks, self.fields_ticks, self.checkpoint_ticks = (
            max(1, round(e / tick)) for e in (cells_every, fields_every, checkpoint_every)
        )
        cells = simulation.tissue.cells
        for name in columns or ():
            why = "it is a constant of each type" if name in cells.traits else cells.absent.get(name, "")
            if why and not resume:
                log.warning("record.columns: %s is not recorded: %s", name, why)
            elif name not in cells.columns and not why:
                raise InputError("record.columns", f"no column is called '{name}'.{did_you_mean(name, cells.columns)}")
        chosen = [c for c in columns or USUAL if c in cells.columns]
        self.columns = [*dict.fromkeys(["id", "type", "position", "vital", "radius", *chosen])]
        kinds = simulation.tissue.population.kinds
        self.counts = np.zeros(len(kinds), np.int64)
        self.branched = bool((asked or {}).get("branched"))
        self.asked = {"until": simulation.model.until if until is None else until, "asked": dict(asked or {})}
        with _made(self.path.parent):
            self.lock = Lock(self.path, take_over)
            try:
                if resume:
                    self.store = Store.reopen(self.path)
                else:
                    if self.path.exists() and not overwrite:
                        raise InputError(str(self.path), "a run already lies here.")
                    self.store = self._create(simulation, cells_every, fields_every)
                self.store.note(notes or {})
            except BaseException:
                self.lock.release()
                raise
        self.watch = StopWatch(simulation.model.stop_when)
        if resume:
            self._replay()
        self.flushed = time.monotonic()
        self.checkpointed = time.monotonic()
        self.last_checkpoint = -1
        self.begun = resume
        self.known = max(self.store.record["tick"], 0)  # ticks before it are in the store already
        self.cells_tick = self._last("cells/tick")
        self.fields_tick = self._last("fields/tick")
        if resume and self.store.record["lengths"]["events/kind"]:
            self.counts += np.bincount(self.store.rows["events/kind"][:], minlength=len(kinds))

    def _last(self, name: str) -> int:
        length = self.store.record["lengths"][name]
        return int(self.store.rows[name][length - 1]) if length else -1

    def _create(self, simulation: Any, cells_every: float, fields_every: float) -> Store:
        tissue, model = simulation.tissue, simulation.model
        cells, fields = tissue.cells, tissue.fields
        arrays: dict[str, tuple] = {"cells/offsets": ((), "i8", ("frame",), (4096,))}
        for group in ("cells", "fields", "summary"):
            arrays[f"{group}/time"] = ((), "f8", ("frame",), (4096,))
            arrays[f"{group}/tick"] = ((), "i8", ("frame",), (4096,))
        for name in self.columns:
            c = cells.columns[name]
            rest = (len(cells.labels(name)),) if c.axis else ()
            kind = c.numpy_dtype.str if c.numpy_dtype.kind in "iu" or name in EXACT else "f4"
            arrays[f"cells/{name}"] = (rest, kind, ("row", c.axis) if c.axis else ("row",), (ROWS, *rest))
        told = self._told(simulation)
        for name, values in told.items():
            arrays[f"summary/{name}"] = ((len(values),), "f8", ("frame", "what"), (4096, len(values)))
        for name, kind in (("time", "f8"), ("id", "i8"), ("kind", "i4"), ("cause", "i8")):
            arrays[f"events/{name}"] = ((), kind, ("event",), (ROWS,))
        tables, maps = _kept(tissue, "tables"), _kept(tissue, "maps")
        for table, of in tables.items():
            arrays[f"{table}/offsets"] = ((), "i8", ("frame",), (4096,))
            for name, (values, _) in of.items():
                kind = values.dtype.str if values.dtype.kind in "iu" or name in EXACT else "f4"
                arrays[f"{table}/{name}"] = (
                    values.shape[1:],
                    kind,
                    ("row", *"k" * (values.ndim - 1)),
                    (ROWS, *values.shape[1:]),
                )
        for name, (values, _) in maps.items():
            arrays[f"maps/{name}"] = (values.shape, "f4", ("t", "z", "y", "x"), (1, *values.shape))
        if fields.names:
            arrays["fields/0"] = (fields.value.shape, "f4", ("t", "c", "z", "y", "x"), (1, *fields.value.shape))
        attributes = {
            "format": FORMAT,
            "title": model.title,
            "name": model.name,
            "model": model.to_yaml(),
            "model_digest": model.digest,
            "seed": simulation.seed,
            **self.asked,
            "folder": str(model.folder.resolve()) if model.folder is not None else None,
            "tick_minutes": simulation.plan.tick_minutes,
            "types": list(cells.types),
            "phases": {t.name: list(t.cycle.phases) for t in model.types},
            "factors": list(fields.names),
            "factor_units": list(fields.units),
            "labels": {k: list(v) for k, v in cells.axes.items()},
            "columns": {
                c: {"unit": cells.columns[c].unit, "doc": cells.columns[c].doc, "kind": cells.columns[c].kind}
                for c in self.columns
            },
            "grid": {
                "origin": list(fields.grid.origin),
                "spacing": list(fields.grid.spacing),
                "shape": list(fields.grid.shape),
            },
            "events": list(tissue.population.kinds),
            "summary": {series: {what: unit for what, (_, unit) in values.items()} for series, values in told.items()},
            "tables": {table: {name: unit for name, (_, unit) in of.items()} for table, of in tables.items()},
            "maps": {name: unit for name, (_, unit) in maps.items()},
            "processes": [p.name for p in simulation.plan.processes],
            "identity": identity_of(model),
            "threads": simulation.threads,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.node()}, {platform.machine()}, {platform.system()} {platform.release()}",
            "command": " ".join(sys.argv),
            "versions": {
                "oncarium": __version__,
                "python": platform.python_version(),
                **{n: importlib.metadata.version(n) for n in ("numpy", "numba", "zarr")},
            },
        }
        groups = {
            "cells": {},
            "events": {},
            "summary": {},
            "fields": ome_attributes(fields, fields_every) if fields.names else {},
            **{name: {} for name in (*tables, *(["maps"] if maps else []))},
        }
        return Store.create(self.path, attributes, arrays, groups)

    def _told(self, simulation: Any) -> dict[str, dict[str, tuple[float, str]]]:
        """What every member of the tissue, and the queue of births and deaths, tells of itself: series -> of what ->
        (value, unit)."""
        told: dict[str, tuple[float, str]] = {}
        for member in simulation.tissue.members().values():
            told |= member.summary()
        told |= {f"events.{kind}": (float(n), "1") for kind, n in zip(simulation.tissue.population.kinds, self.counts)}
        out: dict[str, dict[str, tuple[float, str]]] = {}
        for name, value in told.items():
            series, _, what = name.partition(".")
            out.setdefault(series, {})[what] = value
        return out

    def see(self, simulation: Any) -> None:
        """Look at the simulation after a tick (and once before the first); cheap when nothing is due. Raises
        NumericsError, DataError."""
        self.lock.beat()
        tick, now = simulation.tissue.tick, time.monotonic()
        cells_due = tick % self.cells_ticks == 0 and tick > self.cells_tick
        fields_due = tick % self.fields_ticks == 0 and tick > self.fields_tick
        due = (tick % self.checkpoint_ticks == 0 and tick > 0) or now - self.checkpointed > CHECKPOINT_SECONDS
        # who begins at time 0 begins there again; an arm of a branched run cannot
        needed = self.branched and self.last_checkpoint < 0 and not self.begun
        checkpoint_due = (due and tick != self.last_checkpoint) or needed
        if cells_due or fields_due or checkpoint_due:
            simulation.inspect()
        if cells_due:
            self._see_cells(simulation)
        if fields_due:
            self._see_fields(simulation)
        if checkpoint_due:
            self.save(simulation)
        elif now - self.flushed > SECONDS or self.store.bytes_waiting > BYTES:
            (self.flush if self.begun or self.last_checkpoint >= 0 else self.save)(simulation)

    def stops(self, tick: int) -> str:
        """The rule of the model that ends the run at this tick, or nothing."""
        return self.watch.reason if 0 < self.watch.tick <= tick else ""

    def _watch(self, tick: int, time: float, told: Mapping[str, float]) -> None:
        if tick % self.cells_ticks == 0:  # a last frame between two of them is seen by no run that goes on
            self.watch.see(tick, time, told)

    def _replay(self) -> None:
        """What the rules to stop by saw before this process."""
        series = self.store.group.attrs["summary"]
        needed = [(rule.name, *rule.name.split(".", 1)) for rule in self.watch.rules]
        seen = {name: self.store.rows[f"summary/{s}"][:][:, list(series[s]).index(what)] for name, s, what in needed}
        ticks, times = (self.store.rows[f"summary/{name}"][:] for name in ("tick", "time"))
        for k in range(len(ticks) if seen else 0):
            self._watch(int(ticks[k]), float(times[k]), {name: float(values[k]) for name, values in seen.items()})

    def _see_cells(self, simulation: Any) -> None:
        tissue, store, cells = simulation.tissue, self.store, simulation.tissue.cells
        order = cells.order()
        store.add("cells/offsets", np.array([store.length("cells/id")]))
        for name in self.columns:
            store.add(f"cells/{name}", cells[name][order])
        for table, of in _kept(tissue, "tables").items():
            store.add(f"{table}/offsets", np.array([store.length(f"{table}/id")]))
            for name, (values, _) in of.items():
                store.add(f"{table}/{name}", values)
        self._see_events(simulation)
        told = self._told(simulation)
        self._watch(tissue.tick, tissue.time, {f"{s}.{w}": v for s, of in told.items() for w, (v, _) in of.items()})
        for name, values in told.items():
            store.add(f"summary/{name}", np.array([[value for value, _ in values.values()]]))
        for group in ("cells", "summary"):
            store.add(f"{group}/time", np.array([tissue.time]))
            store.add(f"{group}/tick", np.array([tissue.tick]))
        self.cells_tick = tissue.tick

    def _see_fields(self, simulation: Any) -> None:
        tissue = simulation.tissue
        if len(tissue.fields.names):
            self.store.add("fields/0", tissue.fields.value[None].astype(np.float32))
        for name, (values, _) in _kept(tissue, "maps").items():
            self.store.add(f"maps/{name}", values[None])
        self.store.add("fields/time", np.array([tissue.time]))
        self.store.add("fields/tick", np.array([tissue.tick]))
        self.fields_tick = tissue.tick

    def _see_events(self, simulation: Any) -> None:
        events = simulation.tissue.population.drain()
        events = events[events["time"] >= (self.known - 0.5) * simulation.plan.tick_minutes]
        if len(events):
            for name in ("time", "id", "kind", "cause"):
                self.store.add(f"events/{name}", events[name])
            self.counts += np.bincount(events["kind"], minlength=len(self.counts))

    def flush(self, simulation: Any, finished: bool = False) -> None:
        """Everything seen so far becomes part of the result."""
        self.lock.beat(now=True)  # before anything is written into a folder that may be gone
        self._see_events(simulation)
        self.store.flush(max(simulation.tissue.tick, self.known), finished)
        self.known = max(simulation.tissue.tick, self.known)
        self.flushed = time.monotonic()

    def save(self, simulation: Any, finished: bool = False) -> None:
        """Flush, then a checkpoint. Raises DataError when the disk is full."""
        self.digest = simulation.tissue.digest()
        if finished:
            reason = self.stops(simulation.tissue.tick)
            self.store.note({"digest": self.digest, **({"stopped": reason} if reason else {})})
        self.flush(simulation, finished)
        try:
            checkpoint.write(self.path, simulation.state(), self.digest)
        except OSError as error:
            raise stopped(error, self.path, "no checkpoint could be written") from None
        self.last_checkpoint = simulation.tissue.tick
        self.checkpointed = time.monotonic()

    def close(self, simulation: Any, finished: bool = True) -> None:
        """End in good order: last frame (if the run is finished), checkpoint, lock released."""
        try:
            simulation.inspect()
            if finished:
                tick = simulation.tissue.tick
                if tick > self.cells_tick:
                    self._see_cells(simulation)
                if tick > self.fields_tick:
                    self._see_fields(simulation)
            self.save(simulation, finished)
        finally:
            self.lock.release()

    def abort(self) -> None:
        """End after an error: keep the frames that wait, write no checkpoint."""
        try:
            self.lock.beat(now=True)
            self.store.flush(max(self.cells_tick, self.store.record["tick"]))  # events after it were not yet taken over
        except (DataError, OSError):
            pass  # the disk is why we are here; what is indexed stays
        finally:
            self.lock.release()


def _kept(tissue: Any, what: str) -> dict[str, Any]:
    """Tables or maps of all members of a tissue."""
    return {name: kept for member in tissue.members().values() for name, kept in getattr(member, what)().items()}


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Within it the folder exists; where what follows fails, no folder stays that was not there before."""
    new = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for made in new:
            with suppress(OSError):
                made.rmdir()
        if isinstance(error, OSError):
            raise DataError.of(error, folder, "no run can be written here") from None
        raise
