"""What is given when: the dated doses of a regimen, and those that wait for what the tissue shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ...model.doses import Condition, Dose, Doses, Regimen, Watch

AHEAD = 365.0 * 1440.0  # min: doses are laid out for so long at a time


class Calendar:
    """The doses of a regimen as a run meets them.

    regimen   courses     resolve   amounts of drugs in nmol     units   readings and their units, for rules and
    conditions

    Doses whose rules hold them back, or that wait for a condition, are decided when they are due, by the readings that
    `see` was last told; what was decided is kept (`state`).
    """

    def __init__(
        self, regimen: Regimen, resolve: Callable[[Doses], Doses] = lambda doses: doses,
        units: Mapping[str, str] | None = None,
    ):  # fmt: skip
        self.regimen, self.resolve, self.units = regimen, resolve, dict(units or {})
        self.watches = {c.row: Watch(c.rules, self.units) for c in regimen.courses if c.rules}
        self.conditions = tuple(dict.fromkeys(c.origin for c in regimen.courses if c.origin is not None))
        self.origins: dict[Condition, float] = {}
        self.seen = Watch((), self.units)
        self.shares: dict[tuple[int, int], float] = {}
        self._until, self._laid = 0.0, Doses()

    @property
    def asks(self) -> bool:
        """Does it need readings?"""
        return bool(self.watches or len(self.origins) < len(self.conditions))

    def see(self, readings: Mapping[str, float], time: float) -> list[int]:
        """What is read at a time (min); rows of the courses that it lets begin."""
        before = set(self.origins)
        for watch in (self.seen, *self.watches.values()):
            watch.see(readings)
        for condition in self.conditions:
            unit = self.units.get(condition.name, "")
            if condition not in self.origins and condition.holds(
                self.seen.now, self.seen.lowest, self.seen.first, unit
            ):
                self.origins[condition] = time
                self._until = 0.0  # laid out anew
        return [c.row for c in self.regimen.courses if c.origin in self.origins and c.origin not in before]

    def due(self, t0: float, t1: float, *kinds: str, back: float = 0.0) -> list[Dose]:
        """Doses of these kinds from t0 (min) to before t1, each with what its rules leave of it, and those before t0
        that may still go on, up to `back` min."""
        out = []
        for d in self._lay(t1):
            if d.time >= t1:
                break
            if d.kind in kinds and d.time + d.duration + back >= t0 - 1e-9:
                share = self._share(d) if d.time >= t0 else self.shares.get((d.row, d.nth), 1.0)
                if share > 0.0:
                    out.append(replace(d, amount=d.amount * share) if share < 1.0 else d)
        return out

    def less(self, t0: float, t1: float) -> list[tuple[Dose, float]]:
        """Doses from t0 to before t1 (min) that rules hold back or reduce, with the share that they leave."""
        there = [d for d in self._lay(t1) if d.row in self.watches and t0 <= d.time < t1]
        return [(d, share) for d in there if (share := self._share(d)) < 1.0]

    def _lay(self, t1: float) -> Doses:
        if t1 > self._until:
            self._until = t1 + AHEAD
            self._laid = self.resolve(self.regimen.doses(self._until, self.origins))
        return self._laid

    def _share(self, d: Dose) -> float:
        if d.row not in self.watches:
            return 1.0
        return self.shares.setdefault((d.row, d.nth), self.watches[d.row].share())

    def _rows(self) -> dict[str, int]:
        """Courses with rules, by what they say, and their rows."""
        return {repr(replace(c, row=0, where="")): c.row for c in self.regimen.courses if c.rules}

    def state(self) -> dict[str, np.ndarray]:
        """What was read and decided so far."""
        if not self.watches and not self.conditions:
            return {}
        names = sorted(self.seen.first)
        said = {row: text for text, row in self._rows().items()}
        shares = sorted(self.shares)
        return {
            "names": np.array(names, np.str_),
            "first": np.array([self.seen.first[n] for n in names], float),
            "lowest": np.array([self.seen.lowest[n] for n in names], float),
            "now": np.array([self.seen.now[n] for n in names], float),
            "decided": np.array([said[row] for row, _ in shares], np.str_),
            "nth": np.array([nth for _, nth in shares], np.int64),
            "shares": np.array([self.shares[r] for r in shares], float),
            "fired": np.array([said[row] for row, w in self.watches.items() for f in w.fired], np.str_),
            "held": np.array([f for w in self.watches.values() for f in w.fired], np.bool_),
            "waited": np.array([repr(c) for c in self.origins], np.str_),
            "origins": np.array([*self.origins.values()], float),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `state` gave; an arm that gives other courses knows nothing of what was decided of those."""
        if not state:
            return
        names = [str(n) for n in state["names"]]
        for watch in (self.seen, *self.watches.values()):
            for key in ("first", "lowest", "now"):
                setattr(watch, key, {n: float(v) for n, v in zip(names, state[key])})
        rows = self._rows()
        for text in dict.fromkeys(str(t) for t in state["fired"]):
            if text in rows:
                held = [bool(h) for t, h in zip(state["fired"], state["held"]) if str(t) == text]
                self.watches[rows[text]].fired = held
        decided = zip(state["decided"], state["nth"], state["shares"])
        self.shares = {(rows[str(t)], int(n)): float(s) for t, n, s in decided if str(t) in rows}
        waiting = {repr(c): c for c in self.conditions}
        times = zip(state["waited"], state["origins"])
        self.origins = {waiting[str(c)]: float(t) for c, t in times if str(c) in waiting}
        self._until = 0.0
