"""Transport sets every concentration, by solving what cells and vessels have written into the fields."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..engine.fields import FieldError
from ..engine.kernels import multigrid
from ..engine.kernels.cosine import cosine_step, relaxation_rates
from ..engine.kernels.hierarchy import Hierarchy, build
from ..engine.kernels.lod import lod_step
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue

SOLVERS = ("auto", "quasi-steady", "bdf2", "backward-euler", "lod", "cosine")
CHANGE = 60.0  # min: sources change over about an hour as cells grow and move (assumed)
FAST = 10.0  # a factor that relaxes this many times within CHANGE is solved as quasi-steady
FIRST_STEP = 0.02  # min, the first step after a start or an event
GROWTH = 1.5  # a step is at most this many times the one before
LOD_STEP = 0.01  # min, the time step of the field's standard code
ERROR = 1e-3  # error per step of bdf2, and of a quasi-steady solution, as a share of the factor's scale


class Transport(Process):
    """Diffusion, decay, uptake and supply of every factor.

    Equation    dc/dt = div(D grad c) - decay c - demand c - capacity c / (K + c) + supply

    quasi-steady     dc/dt = 0 by multigrid, from the present value, until the estimated error is below `tolerance`
    bdf2             second order in time, steps under error control, never longer than the period; after an event
                     (`rearm`) it starts anew with a short step of backward Euler
    backward-euler   one step per period            lod   locally one-dimensional, steps of 0.01 min
    cosine           exact, for closed faces without uptake
    auto             quasi-steady where (decay + mean uptake + D (pi/L)^2) 60 min > 10, else bdf2

    Sets        fields.value.     Reads   fields.supply, fields.demand, fields.capacity.
    Conserves   bdf2, backward-euler, lod and cosine: mass to rounding and the solver's tolerance; quasi-steady: the balance of
                fluxes within the tolerance (`report`).
    Source      Trottenberg, Oosterlee & Schueller, Multigrid (2001); Ghaffarizadeh et al. 2016 for lod
                (DOI 10.1093/bioinformatics/btv730).
    """

    section = "transport"
    slot = "transport"
    reads = ("fields.supply", "fields.demand", "fields.capacity")
    sets = ("fields.value",)

    def __init__(self, period: float, solver: Mapping[str, str] | None = None, tolerance: Mapping[str, float] | float | None = None):
        self.period = period
        self.solver = dict(solver or {})
        self.tolerance = tolerance

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        count = len(fields.names)
        for name, chosen in self.solver.items():
            fields.index(name)
            if chosen not in SOLVERS:
                raise FieldError(f"Transport: no solver is called '{chosen}'; expected one of {', '.join(SOLVERS)}")
        given = self.tolerance
        self.scale = np.array([self._scale(fields, f) for f in range(count)])
        self.allowed = np.array(
            [given.get(n, ERROR * s) if isinstance(given, Mapping) else ERROR * s if given is None else given for n, s in zip(fields.names, self.scale)]
        )
        self.chosen: list[str | None] = [self._fixed_choice(n) for n in fields.names]
        self.levels: dict[int, tuple[tuple, Hierarchy]] = {}
        self.work: np.ndarray | None = None
        self.before = np.zeros(fields.shape)
        self.last_step = np.zeros(count)  # 0: there is no step before
        self.next_step = np.full(count, FIRST_STEP)
        self.cycles = np.zeros(count, np.int64)
        self.solves = np.zeros(count, np.int64)
        self.error = np.zeros(count)
        self.residual = np.zeros(count)

    def _fixed_choice(self, name: str) -> str | None:
        chosen = self.solver.get(name, "auto")
        return None if chosen == "auto" else chosen

    @staticmethod
    def _scale(fields, f: int) -> float:
        """A concentration that matters: the largest of boundary, held and initial values; 1 where all are zero."""
        values = [np.abs(fields.outside[f]).max(), np.abs(fields.value[f]).max()]
        if fields.fixed is not None and fields.fixed_value is not None and fields.fixed[f].any():
            values.append(np.abs(fields.fixed_value[f][fields.fixed[f]]).max())
        return float(max(values)) or 1.0

    def rearm(self) -> None:
        """After an event: forget the past, start with a short step."""
        self.last_step[:] = 0.0
        self.next_step[:] = FIRST_STEP

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields = tissue.fields
        for f, name in enumerate(fields.names):
            chosen = self.chosen[f]
            if chosen is None:
                chosen = self.chosen[f] = self._choose(fields, f)
            if chosen == "quasi-steady":
                self._quasi_steady(fields, f)
            elif chosen == "bdf2":
                self._bdf2(fields, f, tick.dt)
            elif chosen == "backward-euler":
                self._implicit(fields, f, 1.0 / tick.dt, fields.value[f] / tick.dt, fields.value[f])
            elif chosen == "lod":
                self._lod(fields, f, tick.dt)
            else:
                self._cosine(fields, f, tick.dt)
            self._watch(fields, f, name, tick)

    def _choose(self, fields, f: int) -> str:
        uptake = fields.demand[f] + (fields.capacity[f] / fields.michaelis[f] if np.isfinite(fields.michaelis[f]) else 0.0)
        longest = max(n * h for n, h in zip(fields.grid.shape[::-1], fields.grid.spacing))
        opened = fields.face_permeability(f).any() or (fields.fixed is not None and fields.fixed[f].any())
        fastest = fields.decay[f] + float(uptake.mean()) + (fields.diffusion[f] * (math.pi / longest) ** 2 if opened else 0.0)
        return "quasi-steady" if fastest * CHANGE > FAST else "bdf2"

    def _level(self, fields, f: int) -> Hierarchy:
        mobility, velocity = fields.mobility_of(f), fields.velocity
        key = (id(mobility), id(velocity), fields.diffusion[f], fields.convection[f], tuple(fields.face_permeability(f)))
        known = self.levels.get(f)
        if known is None or known[0] != key:
            moved = None if velocity is None or fields.convection[f] == 0.0 else tuple(v * fields.convection[f] for v in velocity)
            levels = build(fields.grid.shape, fields.grid.spacing, fields.diffusion[f], fields.face_permeability(f), mobility, moved)
            self.levels[f] = known = (key, levels)
            if self.work is None or self.work.shape[1] < levels.offset[-1]:
                self.work = multigrid.workspace(int(levels.offset[-1]))
        return known[1]

    def _held(self, fields, f: int) -> tuple[np.ndarray, np.ndarray]:
        if fields.fixed is None or not fields.fixed[f].any():
            return multigrid.NO_INDEX, multigrid.NO_VALUE
        index = np.flatnonzero(fields.fixed[f])
        return index, fields.fixed_value[f].reshape(-1)[index]

    def _implicit(self, fields, f: int, rate: float, past: np.ndarray | float, value: np.ndarray, tolerance: float = 0.0) -> None:
        """Solve (rate + sinks) c - div(D grad c) = past + supply into value."""
        levels = self._level(fields, f)
        index, held = self._held(fields, f)
        saturable = np.isfinite(fields.michaelis[f])
        cycles, error, _, residual = multigrid.solve(
            value,
            fields.supply[f] + past,
            levels,
            rate=fields.decay[f] + rate,
            demand=fields.demand[f],
            capacity=fields.capacity[f] if saturable else multigrid.NOTHING,
            michaelis=fields.michaelis[f] if saturable else 1.0,
            outside=fields.outside[f],
            fixed=index,
            held=held,
            tolerance=tolerance or 1e-3 * self.allowed[f],
            work=self.work,
        )
        self.cycles[f] += cycles
        self.solves[f] += 1
        self.error[f] = error
        self.residual[f] = residual

    def _quasi_steady(self, fields, f: int) -> None:
        self._implicit(fields, f, 0.0, 0.0, fields.value[f], self.allowed[f])

    def _bdf2(self, fields, f: int, dt: float) -> None:
        value, before = fields.value[f], self.before[f]
        left = dt
        while left > 1e-9 * dt:
            pieces = math.ceil(left / self.next_step[f] - 1e-9)
            h = left / pieces
            h0 = self.last_step[f]
            w = h / h0 if h0 > 0.0 else 0.0
            guess = value + w * (value - before)
            np.maximum(guess, 0.0, out=guess)
            trial = guess.copy()
            if w == 0.0:  # backward Euler
                self._implicit(fields, f, 1.0 / h, value / h, trial)
            else:
                past = ((1.0 + w) * value - w * w / (1.0 + w) * before) / h
                self._implicit(fields, f, (1.0 + 2.0 * w) / ((1.0 + w) * h), past, trial)
            # distance to the extrapolation bounds the error of the step: the extrapolation is of first order only
            error = float(np.abs(trial - guess).max()) * (0.5 if w == 0.0 else w / (1.0 + 3.0 * w))
            if error > self.allowed[f] * 10.0 and h > 1e-4 and w > 0.0:
                self.next_step[f] = h * max(0.2, 0.8 * math.sqrt(self.allowed[f] / error))
                continue
            if float(trial.min()) < -1e-9 * self.scale[f]:  # the two-step formula may undershoot; one step does not
                trial[...] = value
                self._implicit(fields, f, 1.0 / h, value / h, trial)
            before[...] = value
            value[...] = trial
            left -= h
            self.last_step[f] = h
            factor = 0.8 * math.sqrt(self.allowed[f] / max(error, 1e-300))
            self.next_step[f] = max(1e-4, h * min(GROWTH, factor))

    def _lod(self, fields, f: int, dt: float) -> None:
        steps = max(1, round(dt / LOD_STEP))
        h = dt / steps
        index, held = self._held(fields, f)
        value, michaelis = fields.value[f], fields.michaelis[f]
        saturable = np.isfinite(michaelis)
        for _ in range(steps):
            sink = fields.demand[f] + (fields.capacity[f] / (michaelis + value) if saturable else 0.0)
            value += h * fields.supply[f]
            value /= 1.0 + h * sink
            lod_step(value, h, fields.diffusion[f], fields.decay[f], fields.grid.spacing, index, held)

    def _cosine(self, fields, f: int, dt: float) -> None:
        if fields.face_permeability(f).any() or fields.demand[f].any() or fields.capacity[f].any() or fields.fixed is not None:
            raise FieldError(f"Transport: cosine needs closed faces and no uptake, which {fields.names[f]} has not; use bdf2")
        rates = relaxation_rates(fields.grid.shape, fields.grid.spacing, fields.diffusion[f], fields.decay[f])
        cosine_step(fields.value[f], fields.supply[f], dt, rates)

    def _watch(self, fields, f: int, name: str, tick: Tick) -> None:
        """Stop on what no concentration can be; rounding below zero becomes zero, so that no rate turns its sign."""
        value = fields.value[f]
        low = float(value.min())
        if not np.isfinite(value.sum()):
            where = np.unravel_index(int(np.flatnonzero(~np.isfinite(value.reshape(-1)))[0]), value.shape)
            raise FieldError(f"Transport: {name} is not finite in voxel (z, y, x) = {tuple(int(i) for i in where)} at tick {tick.number}")
        if low < 0.0:
            if low < -max(self.allowed[f], 1e-6 * self.scale[f]):
                where = np.unravel_index(int(value.argmin()), value.shape)
                raise FieldError(f"Transport: {name} is {low:.3g} in voxel (z, y, x) = {tuple(int(i) for i in where)} at tick {tick.number}; "
                                 "a negative supply (secretion.rate) takes more than there is")
            np.maximum(value, 0.0, out=value)

    def report(self) -> list[dict]:
        """Per factor: solver, cycles per solve, estimated error (concentration), relative residual of the last solve."""
        return [
            {"solver": self.chosen[f] or "auto", "cycles": self.cycles[f] / max(1, self.solves[f]), "error": self.error[f],
             "tolerance": self.allowed[f], "residual": self.residual[f]}
            for f in range(len(self.chosen))
        ]

    def state(self) -> dict:
        return {"before": self.before.copy(), "last_step": self.last_step.copy(), "next_step": self.next_step.copy(),
                "chosen": np.array([SOLVERS.index(c) if c else 0 for c in self.chosen])}

    def restore(self, state: dict) -> None:
        self.before = np.array(state["before"])
        self.last_step = np.array(state["last_step"])
        self.next_step = np.array(state["next_step"])
        self.chosen = [None if c == 0 else SOLVERS[c] for c in state["chosen"]]
