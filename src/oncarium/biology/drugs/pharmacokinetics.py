"""What blood does with a drug over time: linear bodies in closed form, the others by a stiff solver.

Amounts in nmol, concentrations in nM, times in min, flows in nmol/min.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError, did_you_mean
from ...model.plasma import ROUTES, Plasma

if TYPE_CHECKING:
    from .linear import Modes

Array = NDArray[np.float64]
SHORT = {"iv": "intravenous", "po": "oral", "sc": "subcutaneous", "ip": "intraperitoneal"}
SETTLED = 1e-9  # relative change from one period to the next
MOST_PERIODS = 10_000


class Dose(Protocol):
    """One dose: when it starts (min), how much (nmol), by which route ("": the usual one), for how long
    (min; 0: at once)."""

    @property
    def time(self) -> float: ...
    @property
    def amount(self) -> Any: ...
    @property
    def route(self) -> str: ...
    @property
    def duration(self) -> float: ...


@dataclass(frozen=True)
class Given:
    """A dose in plain numbers; amount (nmol) may be one per body.

    >>> Given(0.0, 1000.0).route
    'intravenous'
    """

    time: float
    amount: Any
    route: str = "intravenous"
    duration: float = 0.0


@dataclass(frozen=True)
class Course:
    """What blood holds at some times; arrays are (time, ...), or (body, time, ...) for several bodies.

    states    names along the last axis of `amounts`     amounts   nmol of drug, bound and free
    total     nM of drug in the central compartment, with what targets and ligands hold     free   nM, held by nothing
    targets   name -> nM of the free receptor or ligand     pairs   name -> nM of it that the drug holds
    """

    times: Array
    states: tuple[str, ...]
    amounts: Array
    total: Array
    free: Array
    targets: dict[str, Array]
    pairs: dict[str, Array]

    def amount(self, state: str) -> Array:
        """nmol in one state."""
        return self.amounts[..., self.states.index(state)]


class Pharmacokinetics:
    """A drug in one body, or in several with the same compartments at once.

    bodies   Plasma, or several that differ only in their numbers

    >>> from oncarium.model.plasma import Plasma
    >>> blood = Pharmacokinetics(Plasma(70.0, 1.8, central=3.0, clearance=3.0 * np.log(2) / 1440))
    >>> blood.concentration([Given(0.0, 3000.0)], [0.0, 1440.0, 2880.0]).free
    array([1000.,  500.,  250.])
    >>> round(blood.half_life / 1440, 9)
    1.0
    """

    def __init__(self, bodies: Plasma | Sequence[Plasma]):
        self.single = isinstance(bodies, Plasma)
        self.bodies: tuple[Plasma, ...] = (bodies,) if isinstance(bodies, Plasma) else tuple(bodies)
        one = self.bodies[0]
        self.routes = tuple(r for r in ROUTES if r in one.absorption)
        self.targets = tuple(name for name in ("target", "ligand") if getattr(one, name))
        if len({(len(b.peripheral), b.routes, self._kinds(b)) for b in self.bodies}) > 1:
            raise InputError(
                "bodies", "they have different compartments;", "expected plasmas that differ only in their numbers."
            )
        sides = [f"peripheral.{j}" for j in range(len(one.peripheral))]
        self.linear = all(b.linear for b in self.bodies)
        bound = [f"{n}.{what}" for n in self.targets for what in ("free", "pair")]
        self.states: tuple[str, ...] = (*self.routes, "central", *sides, *bound, "lost")

    @staticmethod
    def _kinds(b: Plasma) -> tuple[bool, ...]:
        return b.target is None, b.ligand is None

    def start(self) -> Array:
        """The state of a body without drug: one number per state (`states`), nmol; nM for targets and their pairs."""
        state = np.zeros((len(self.bodies), len(self.states)))
        for name in self.targets:
            state[:, self.states.index(f"{name}.free")] = [getattr(b, name).level for b in self.bodies]
        return state[0] if self.single else state

    @cached_property
    def half_life(self) -> Any:
        """Of the last phase, min; of a nonlinear body, while all that saturates is full (inf: nothing else takes
        it out). One, or one per body."""
        slowest = self._modes.rates.min(axis=1)
        lasting = slowest <= 1e-12 * self._modes.rates.max(axis=1)
        found = np.where(lasting, np.inf, np.log(2.0) / np.where(lasting, 1.0, slowest))
        return float(found[0]) if self.single else found

    # -- courses ----------------------------------------------------------------------------------------------------

    def concentration(
        self, doses: Sequence[Dose], times: ArrayLike, start: Array | None = None, before: bool = False
    ) -> Course:
        """What blood holds at the times. Raises InputError for a route that the drug has not.

        doses    in any order; their times count from that of `start`, 0
        times    min, in any order, none below 0     start   a state at time 0; without drug when left out
        before   at the time of a dose that is given at once, look before it is given
        """
        at = np.atleast_1d(np.asarray(times, float))
        state = self._rows(self.start() if start is None else start)
        found = self._closed(state, doses, at, before) if self.linear else self._stepped(state, doses, at, before)
        return self._course(at, found)

    def advance(self, state: Array, t0: float, t1: float, doses: Sequence[Dose], sink: Any = 0.0) -> Array:
        """The state at t1 of what it was at t0; doses at t0 count, those at t1 do not yet.

        sink   nmol/min that leave the central compartment for the tissue meanwhile (below 0: that come from there)
        """
        rows = self._rows(state)
        if self.linear:
            now = [
                Given(d.time - t0, d.amount, d.route, d.duration)
                for d in doses
                if d.time + self._longest_lag(d) + d.duration >= t0 and d.time < t1
            ]
            out = self._closed(rows, now, np.array([t1 - t0]), True, sink, True)[:, 0]
        else:
            out = rows.copy()
            for b in range(len(rows)):
                self._walk(out[b], b, doses, t0, t1, float(np.broadcast_to(sink, len(rows))[b]))
        return out[0] if self.single else out

    def steady(self, dose: Dose, every: float) -> Array:
        """The state just before a dose that has been given every so many min for ever. Raises InputError.

        >>> from oncarium.model.plasma import Plasma
        >>> blood = Pharmacokinetics(Plasma(70.0, 1.8, central=1.0, clearance=np.log(2)))
        >>> float(round(blood.steady(Given(0.0, 8.0), 1.0)[0], 9))
        8.0
        """
        if self._longest_lag(dose) + dose.duration > every:
            raise InputError("every", f"{every:g} min are shorter than a dose takes;", "expected a longer interval.")
        one = Given(0.0, dose.amount, dose.route, dose.duration)
        if not self.linear:
            return self._settled(one, every)
        zero, at = np.zeros((len(self.bodies), len(self.states))), np.array([every])
        after = self._closed(zero, [one], at, True)[:, 0]
        kept = len(self.states) - 1
        period = np.stack([self._closed(zero + np.eye(kept + 1)[k], [], at, True)[:, 0] for k in range(kept)], axis=2)
        state = zero
        state[:, :kept] = np.linalg.solve(np.eye(kept) - period[:, :kept], after[:, :kept, None])[..., 0]
        return state[0] if self.single else state

    # -- how --------------------------------------------------------------------------------------------------------

    @cached_property
    def _modes(self) -> Modes:
        from .linear import Modes

        return Modes(self.bodies, self.routes)

    def _rows(self, state: Array) -> Array:
        return np.array(state, float).reshape(len(self.bodies), len(self.states))

    def _route(self, dose: Dose) -> str:
        route = SHORT.get(dose.route, dose.route) or self.bodies[0].route
        if route != "intravenous" and route not in self.routes:
            raise InputError(
                "route", f"'{dose.route}' is no way to give this drug.{did_you_mean(route, self.bodies[0].routes)}",
                f"Expected one of {', '.join(self.bodies[0].routes)}.",
                "Say its absorption in the drug's file, under plasma.",
            )  # fmt: skip
        return route

    def _longest_lag(self, dose: Dose) -> float:
        route = self._route(dose)
        return 0.0 if route == "intravenous" else max(b.absorption[route].lag for b in self.bodies)

    def _arriving(self, dose: Dose) -> tuple[int | None, Array, Array]:
        """Depot, amounts that arrive and lags, one per body."""
        route = self._route(dose)
        amount = np.broadcast_to(np.asarray(dose.amount, float), len(self.bodies))
        if route == "intravenous":
            return None, amount, np.zeros(len(self.bodies))
        ways = [b.absorption[route] for b in self.bodies]
        share = np.array([w.bioavailable for w in ways])
        return self.routes.index(route), amount * share, np.array([w.lag for w in ways])

    def _closed(
        self, state: Array, doses: Sequence[Dose], times: Array, before: bool, sink: Any = 0.0, within: bool = False
    ) -> Array:
        """States (body, time, state) by superposition. within: of doses before time 0 only what is left to come."""
        modes, depots = self._modes, len(self.routes)
        kept = len(self.states) - 1
        there, waiting = modes.left(state[:, depots:kept], state[:, :depots], times)
        arrived = np.broadcast_to(state.sum(axis=1)[:, None], there.shape[:2]).copy()
        leaving = np.broadcast_to(np.asarray(sink, float), len(self.bodies))
        if np.any(leaving):
            there = there - modes.infused(leaving * times.max(), times.max(), times, None)[0]
            arrived = arrived - leaving[:, None] * times
        for dose in doses:
            depot, amounts, lags = self._arriving(dose)
            for lag in np.unique(lags):  # nearly always one
                mine, begin, duration = np.where(lags == lag, amounts, 0.0), dose.time + lag, dose.duration
                if within and begin < 0.0:
                    left = min(duration, duration + begin)
                    if left <= 0.0:
                        continue
                    mine, begin, duration = mine * (left / duration), 0.0, left
                t = times - begin
                if duration > 0.0:
                    more, held = modes.infused(mine, duration, t, depot)
                    come = np.clip(t / duration, 0.0, 1.0)
                else:
                    t = np.where(t == 0.0, -1.0, t) if before else t
                    more, held = modes.given(mine, t, depot)
                    come = np.where(t >= 0.0, 1.0, 0.0)
                there, waiting = there + more, waiting + held
                arrived += mine[:, None] * come
        lost = arrived - there.sum(axis=2) - waiting.sum(axis=2)
        return np.concatenate([waiting, there, lost[:, :, None]], axis=2)

    def _stepped(self, state: Array, doses: Sequence[Dose], times: Array, before: bool) -> Array:
        """The same by the stiff solver."""
        out = np.zeros((len(self.bodies), len(times), len(self.states)))
        for b in range(len(self.bodies)):
            y, now = state[b].copy(), 0.0
            for i in np.argsort(times, kind="stable"):
                self._walk(y, b, doses, now, times[i], 0.0)
                now = times[i]
                out[b, i] = y
                if not before:
                    out[b, i] += self._at_once(b, doses, now)
        return out

    def _at_once(self, b: int, doses: Sequence[Dose], t: float) -> Array:
        """What doses without a duration add to the state of a body at a time."""
        more = np.zeros(len(self.states))
        for dose in doses:
            depot, amounts, lags = self._arriving(dose)
            if dose.duration <= 0.0 and dose.time + lags[b] == t:
                more[len(self.routes) if depot is None else depot] += amounts[b]
        return more

    def _walk(self, y: Array, b: int, doses: Sequence[Dose], t0: float, t1: float, sink: float) -> None:
        """Take one body's state from t0 to t1, piece by piece between the changes of its inputs."""
        from .stiff import advance

        central = len(self.routes)
        told = [(self._arriving(dose), dose) for dose in doses]
        changes = {t0, t1}
        for (_, _, lags), dose in told:
            changes |= {t for t in (dose.time + lags[b], dose.time + lags[b] + dose.duration) if t0 < t < t1}
        walls = sorted(changes)
        for begin, end in zip(walls, walls[1:]):
            y += self._at_once(b, doses, begin)
            flow = np.zeros(central + 1)
            flow[central] = -sink
            for (depot, amounts, lags), dose in told:
                if dose.duration > 0.0 and dose.time + lags[b] <= begin < dose.time + lags[b] + dose.duration:
                    flow[central if depot is None else depot] += amounts[b] / dose.duration
            sides = len(self.bodies[b].peripheral)
            if advance(y, end - begin, flow, central, sides, len(self.targets), self._numbers[b]) < 0:
                raise InputError(
                    "plasma", "its numbers are too stiff to follow.", remedy="Look at its rates and units."
                )

    @cached_property
    def _numbers(self) -> Array:
        """Parameters of every body, in the order of `stiff`."""
        rows = []
        for b in self.bodies:
            row = [b.central, b.clearance, 1.0 - b.bound]
            row += [b.saturable.most, b.saturable.half] if b.saturable else [0.0, 1.0]
            for name in self.targets:
                t = getattr(b, name)
                row += [t.production, t.loss, t.on, t.off, t.complex]
            row += [b.absorption[r].rate for r in self.routes]
            row += [x for p in b.peripheral for x in (p.volume, p.flow)]
            rows.append(row)
        return np.array(rows)

    def _settled(self, dose: Dose, every: float) -> Array:
        """The state that a period leaves as it was, found by waiting."""
        state = self.start()
        for _ in range(MOST_PERIODS):
            new = self.advance(state, 0.0, every, [dose])
            new[..., -1] = 0.0
            if np.allclose(new, state, rtol=SETTLED, atol=1e-12):
                return new
            state = new
        raise InputError("every", "no steady state is reached: more is given than can be lost.")

    def _course(self, times: Array, found: Array) -> Course:
        central = len(self.routes)
        volume = np.array([b.central for b in self.bodies])[:, None]
        level = found[:, :, central] / volume
        where = {f"{n}.{w}": found[:, :, self.states.index(f"{n}.{w}")] for n in self.targets for w in ("free", "pair")}
        amounts = found.copy()
        for name in self.targets:
            amounts[:, :, self.states.index(f"{name}.free")] = 0.0
            amounts[:, :, self.states.index(f"{name}.pair")] *= volume
        pairs = {n: where[f"{n}.pair"] for n in self.targets}
        free = level * (1.0 - np.array([b.bound for b in self.bodies])[:, None])
        total = level + sum(pairs.values())

        def told(x: Array) -> Array:
            return x[0] if self.single else x

        frees = {n: told(where[f"{n}.free"]) for n in self.targets}
        return Course(
            times, self.states, told(amounts), told(total), told(free), frees, {n: told(x) for n, x in pairs.items()}
        )  # fmt: skip
