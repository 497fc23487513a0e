"""Transport sets every concentration, by solving what cells and vessels have written into the fields."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..engine.fields import FieldError, Fields
from ..engine.groups import Groups
from ..engine.kernels import multigrid
from ..engine.kernels.hierarchy import Hierarchy, build
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why
from .plain_steps import cosine, is_open, lod, need_a_steady_state
from .secretion import Secretion

SOLVERS = ("auto", "quasi-steady", "bdf2", "backward-euler", "lod", "cosine")
IN_GROUPS = ("quasi-steady", "backward-euler")  # one solve per firing
CHANGE = 60.0  # min: sources change over about an hour as cells grow and move (assumed)
FAST = 10.0  # a factor that relaxes this many times within CHANGE is solved as quasi-steady
# of a solution, quasi-steady or of a backward Euler step, as a share of the factor's scale: 0.004 mmHg of 38 mmHg
STEADY_ERROR = 1e-4
STEP_ERROR = 1e-3  # of one step of bdf2, as a share of the factor's scale
SOLVE = 0.02  # equations of a bdf2 step are solved to this part of the step's error
FIRST_STEP = 0.02  # min, the first step after a start or an event
SHORTEST = 1e-4  # min: a step this short is taken whatever its error
GROWTH = 2.0  # a step is at most this many times the one before; two-step formulas stay stable below 2.41
ROUNDING = 1e-12  # share of the scale below which a negative concentration is rounding
BOX = (1, 2, 3)  # axes of the voxels in arrays over all factors
PAST = (
    "before", "earlier", "last_step", "older_step", "next_step", "scale", "cycles", "solves", "last", "error",
    "imbalance",
)  # fmt: skip


class Transport(Process):
    """Diffusion, decay, uptake and supply of every factor.

    Equation    dc/dt = div(D grad c - u c) - decay c - demand c - capacity c / (K + c) + supply

    period      min between firings; sources are constant in between
    solver      factor -> one of the following; auto where a factor is not named
    tolerance   concentration, of all factors or factor -> concentration: error of a quasi-steady solution, of the
                equations of a backward Euler step, and of one step of bdf2. Default 1e-4, 1e-4 and 1e-3
                of the factor's scale, the largest concentration seen.

    quasi-steady     dc/dt = 0 by multigrid from the present value until the estimated error is below `tolerance`
    bdf2             second order in time; steps under error control end with each firing. It starts, and starts anew
                     after an event (`rearm`) or when sources jump, with short steps of backward Euler
    backward-euler   one step per firing
    lod              locally one-dimensional, in steps of 0.01 min; boundary
                     voxels are held where a face prescribes a value
    cosine           exact, for closed faces without uptake
    auto             quasi-steady where (decay + mean uptake + D (pi / L)^2) 60 min > 10: L is the longest side of the
                     box, and the last term counts only where something passes a face or voxels are held. Else bdf2

    Mobility, velocity, exchange through faces and saturable uptake: quasi-steady, bdf2, backward-euler.

    Sets        fields.value.     Reads   fields.supply, fields.demand, fields.capacity.
    Conserves   mass to rounding in every time step (tests/engine/test_fields.py);
                quasi-steady: the flux imbalance of `report`.
    Source      Trottenberg, Oosterlee & Schueller, Multigrid (2001); Hairer & Wanner, Solving Ordinary Differential
                Equations II (1996) for bdf2; Ghaffarizadeh et al. 2016 for lod (DOI 10.1093/bioinformatics/btv730).
    """

    section = "transport"
    slot = "transport"
    reads = ("fields.supply", "fields.demand", "fields.capacity")
    sets = ("fields.value",)

    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return Secretion.why(model)

    @classmethod
    def of(cls, model, build, **options) -> Transport:
        solver = {f.name: f.solver for f in model.factors}
        return cls(
            build.minutes(cls.clock),
            solver,
            {f.name: f.tolerance for f in model.factors if f.tolerance is not None},
            **options,
        )

    def __init__(
        self,
        period: float,
        solver: Mapping[str, str] | None = None,
        tolerance: Mapping[str, float] | float | None = None,
    ):
        self.period = period
        self.solver = dict(solver or {})
        self.tolerance = tolerance

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.names = fields.names
        for name, chosen in self.solver.items():
            fields.index(name)
            if chosen not in SOLVERS:
                raise FieldError(
                    f"Transport: no solver is called '{chosen}'; expected one of {', '.join(SOLVERS)}; correct the word"
                )
        count = len(fields.names)
        given = self.tolerance if isinstance(self.tolerance, Mapping) else dict.fromkeys(fields.names, self.tolerance)
        self.given = [given.get(name) for name in fields.names]
        self.chosen = [self.solver.get(name, "auto") for name in fields.names]
        self.levels: dict[int, Hierarchy] = {}
        self.groups = Groups()
        self.known: tuple[tuple, tuple] = ((), ())
        self.work: np.ndarray | None = None
        self.before, self.earlier = np.zeros(fields.shape), np.zeros(fields.shape)
        self.last_step, self.older_step = np.zeros(count), np.zeros(count)  # 0: there is no step before
        self.next_step = np.full(count, FIRST_STEP)
        self.scale, self.error, self.imbalance = np.zeros(count), np.zeros(count), np.zeros(count)
        self.cycles, self.solves, self.last = (np.zeros(count, np.int64) for _ in range(3))

    def rearm(self) -> None:
        """After an event: forget the past, start with a short step."""
        self.last_step[:] = 0.0
        self.next_step[:] = FIRST_STEP

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields = tissue.fields
        self._know(fields)
        self._measure(fields, tick.dt)
        # of the others there is nothing anywhere, and nothing that would supply it
        present = np.flatnonzero(self.scale).tolist()
        for f in present:
            if self.chosen[f] == "auto":
                self.chosen[f] = self._choose(fields, f)
        solved = self._together(fields, [f for f in present if self.chosen[f] in IN_GROUPS], tick.dt)
        for f in (f for f in present if f not in solved):
            solve = getattr(self, "_" + self.chosen[f].replace("-", "_"))
            solve(fields, f, tick.dt)
        self._watch(fields, present, tick)

    def _together(self, fields: Fields, factors: list[int], dt: float) -> set[int]:
        """One step of those factors that share levels; returns which are solved."""
        groups = self.groups.find(fields, factors)
        members = [f for _, own in groups for f in own]
        if not members:
            return set()
        steps, tolerance = np.zeros(len(self.names)), np.zeros(len(self.names))
        for f in members:
            if self.chosen[f] == "quasi-steady":
                need_a_steady_state(fields, f)
            else:
                steps[f] = 1.0 / dt
            tolerance[f] = self.allowed(f)
        out = self.groups.solve(fields, groups, steps, steps, tolerance, self.threads)
        solved = out.solved
        self.error[solved], self.imbalance[solved] = out.error[solved], out.imbalance[solved]
        self.last[solved] = out.cycles[solved]
        self.cycles += out.cycles
        self.solves += solved
        return set(np.flatnonzero(solved).tolist())

    def settle(self, fields: Fields, f: int) -> None:
        """Solve one factor for its steady state. Raises FieldError where there is none."""
        self._know(fields)
        self._measure(fields, 1.0)
        if self.scale[f] > 0.0:
            self._quasi_steady(fields, f, 0.0)
            np.maximum(fields.value[f], 0.0, out=fields.value[f])

    def _measure(self, fields: Fields, dt: float) -> None:
        """Scales: the largest concentration inside, outside or
        held so far; at first what the sources make within dt."""
        largest = [
            self.scale,
            fields.value.max(axis=BOX),
            fields.outside.max(axis=1, where=fields.kind > 0, initial=0.0),
        ]
        if fields.fixed is not None and fields.fixed_value is not None:
            largest.append(fields.fixed_value.max(axis=BOX, where=fields.fixed, initial=0.0))
        self.scale = np.max(largest, axis=0)
        for f in np.flatnonzero(self.scale == 0.0):
            self.scale[f] = dt * float(np.abs(fields.supply[f]).max())

    def allowed(self, f: int) -> float:
        """Tolerance of a factor, concentration."""
        given = self.given[f]
        return (STEP_ERROR if self.chosen[f] == "bdf2" else STEADY_ERROR) * self.scale[f] if given is None else given

    def _choose(self, fields: Fields, f: int) -> str:
        uptake = fields.demand[f]
        if np.isfinite(fields.michaelis[f]):
            uptake = uptake + fields.capacity[f] / (fields.michaelis[f] + fields.value[f])
        longest = max(n * h for n, h in zip(fields.grid.shape[::-1], fields.grid.spacing))
        spread = fields.diffusion[f] * (math.pi / longest) ** 2 if is_open(fields, f) else 0.0
        mixed = fields.diffusion[f] * CHANGE > min(fields.grid.spacing) ** 2 or (
            fields.velocity is not None and fields.convection[f] > 0.0
        )
        taken = float(uptake.mean() if mixed else uptake.min())  # what stays in its voxel meets only the cells there
        return "quasi-steady" if (fields.decay[f] + taken + spread) * CHANGE > FAST else "bdf2"

    def _know(self, fields: Fields) -> None:
        """Forget all levels when a coefficient is another array, another number or another version."""
        arrays = (fields.mobility, fields.velocity)
        numbers = (
            fields.version,
            *(x.tobytes() for x in (fields.diffusion, fields.convection, fields.kind, fields.permeability)),
        )
        if self.known[1] != numbers or any(a is not b for a, b in zip(self.known[0], arrays)):
            self.levels.clear()
            self.groups.forget()
            self.known = (arrays, numbers)

    def _hierarchy(self, fields: Fields, f: int) -> Hierarchy:
        """Levels of a factor, built when they are asked for."""
        if f not in self.levels:
            velocity = fields.velocity if fields.convection[f] > 0.0 else None
            moved = None if velocity is None else tuple(v * fields.convection[f] for v in velocity)
            grid, faces = fields.grid, fields.face_permeability(f)
            levels = build(grid.shape, grid.spacing, fields.diffusion[f], faces, fields.mobility_of(f), moved)
            self.levels[f] = levels
            if self.work is None or self.work.shape[1] != sum(levels.voxels):
                self.work = multigrid.workspace(sum(levels.voxels))
        return self.levels[f]

    @staticmethod
    def _held(fields: Fields, f: int) -> tuple[np.ndarray, np.ndarray]:
        if fields.fixed is None or fields.fixed_value is None or not fields.fixed[f].any():
            return multigrid.NO_INDEX, multigrid.NO_VALUE
        index = np.flatnonzero(fields.fixed[f])
        return index, fields.fixed_value[f].reshape(-1)[index]

    def _implicit(
        self, fields: Fields, f: int, value: np.ndarray, rate: float = 0.0, past: np.ndarray | None = None
    ) -> None:
        """Solve (rate + sinks) c - div(D grad c) = past + supply, in place."""
        allowed = self.allowed(f)
        index, held = self._held(fields, f)
        saturable = np.isfinite(fields.michaelis[f]) and fields.capacity[f].any()
        drained = bool((fields.supply[f] < 0.0).any())
        for tolerance in (SOLVE * allowed if self.chosen[f] == "bdf2" else allowed, ROUNDING * self.scale[f]):
            cycles, self.error[f], _, self.imbalance[f] = multigrid.solve(
                value,
                fields.supply[f] if past is None else fields.supply[f] + past,
                self._hierarchy(fields, f),
                rate=fields.decay[f] + rate,
                demand=fields.demand[f],
                capacity=fields.capacity[f] if saturable else multigrid.NOTHING,
                michaelis=fields.michaelis[f] if saturable else 1.0,
                outside=fields.outside[f],
                fixed=index,
                held=held,
                tolerance=tolerance,
                drained=drained,
                work=self.work,
                threads=self.threads,
            )
            # else solved to rounding: what is still below zero is no error of the solver
            if not drained or value.min() >= 0.0:
                break
        if self.error[f] > 10.0 * allowed:
            raise FieldError(
                f"Transport: the equations of {fields.names[f]} are solved to {self.error[f]:.3g} after {cycles} "
                f"cycles; expected {allowed:.3g}; check its diffusion, mobility and velocity for jumps of many orders "
                "of magnitude"
            )
        self.last[f] = cycles
        self.cycles[f] += cycles
        self.solves[f] += 1

    def _quasi_steady(self, fields: Fields, f: int, dt: float) -> None:
        need_a_steady_state(fields, f)
        self._implicit(fields, f, fields.value[f])

    def _backward_euler(self, fields: Fields, f: int, dt: float) -> None:
        self._implicit(fields, f, fields.value[f], 1.0 / dt, fields.value[f] / dt)

    def _bdf2(self, fields: Fields, f: int, dt: float) -> None:
        value, before, earlier = fields.value[f], self.before[f], self.earlier[f]
        done, refused = 0.0, 0
        while dt - done > 1e-9 * dt:
            h = (dt - done) / math.ceil((dt - done) / self.next_step[f] - 1e-9)
            if refused > 1:  # the past says nothing about what comes: sources jumped
                self.last_step[f] = 0.0
            start = self.last_step[f] == 0.0 or self._falls(fields, f, h)
            trial, middle, error = self._euler_start(fields, f, h) if start else self._two_step(fields, f, h)
            room = 0.9 * (self.allowed(f) / max(error, 1e-300)) ** (1.0 / 2.0 if start else 1.0 / 3.0)
            if error > self.allowed(f) and h > SHORTEST:
                self.next_step[f] = max(SHORTEST, h * min(0.5, max(0.1, room)))
                refused += 1
                continue
            earlier[...] = value if start else before
            before[...] = middle
            value[...] = trial
            self.older_step[f], self.last_step[f] = (0.5 * h, 0.5 * h) if start else (self.last_step[f], h)
            self.next_step[f] = max(SHORTEST, h * min(GROWTH, room) * (0.5 if start else 1.0))
            done += h
            refused = 0

    def _euler_start(self, fields: Fields, f: int, h: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Two backward Euler steps of h / 2; their distance to one of h is their error. Returns end, middle, error."""
        value = fields.value[f]
        whole, middle = value.copy(), value.copy()
        self._implicit(fields, f, whole, 1.0 / h, value / h)
        self._implicit(fields, f, middle, 2.0 / h, value * (2.0 / h))
        end = whole.copy()
        self._implicit(fields, f, end, 2.0 / h, middle * (2.0 / h))
        return end, middle, float(np.abs(end - whole).max())

    def _falls(self, fields: Fields, f: int, h: float) -> bool:
        """Whether a value drops so fast that the two-step formula may undershoot zero; one step never does."""
        w = h / self.last_step[f]
        past = (1.0 + w) * fields.value[f] - w * w / (1.0 + w) * self.before[f] + h * np.maximum(fields.supply[f], 0.0)
        return float(past.min()) < -ROUNDING * self.scale[f]

    def _two_step(self, fields: Fields, f: int, h: float) -> tuple[np.ndarray, np.ndarray, float]:
        """One step of variable-step BDF2; its error from the distance to the parabola through the last three values."""
        value, before, earlier = fields.value[f], self.before[f], self.earlier[f]
        h1, h2 = self.last_step[f], self.older_step[f]
        w = h / h1
        first = (value - before) / h1
        second = (first - (before - earlier) / h2) / (h1 + h2)
        guess = value + h * first + h * (h + h1) * second
        trial = np.maximum(guess, 0.0)
        past = ((1.0 + w) * value - w * w / (1.0 + w) * before) / h
        self._implicit(fields, f, trial, (1.0 + 2.0 * w) / ((1.0 + w) * h), past)
        own = (1.0 + w) ** 2 / (6.0 * w * (1.0 + 2.0 * w))
        parabola = (h + h1) * (h + h1 + h2) / (6.0 * h * h)
        return trial, value.copy(), float(np.abs(trial - guess).max()) * own / (own + parabola)

    def _lod(self, fields: Fields, f: int, dt: float) -> None:
        lod(fields, f, dt, self.threads)

    def _cosine(self, fields: Fields, f: int, dt: float) -> None:
        cosine(fields, f, dt)

    def _watch(self, fields: Fields, present: list[int], tick: Tick) -> None:
        """Stop on what no concentration can be."""
        low, total = fields.value.min(axis=BOX), fields.value.sum(axis=BOX)
        wrong = ~np.isfinite(total) | (low < -ROUNDING * self.scale)
        for f in (f for f in present if wrong[f]):
            value = fields.value[f]
            flat = int(np.append(np.flatnonzero(~np.isfinite(value)), value.argmin())[0])
            where = tuple(int(i) for i in np.unravel_index(flat, value.shape))
            raise FieldError(
                f"Transport: {fields.names[f]} is {value[where]:.3g} in voxel (z, y, x) = {where} at "
                f"{tick.time + tick.dt:g} min; expected a finite number of at least 0; check its sources: "
                "a negative secretion.rate takes more than there is, use uptake"
            )
        # rounding of the transforms and of the fluxes' balance: it has no root
        for f in (f for f in present if low[f] < 0.0):
            np.maximum(fields.value[f], 0.0, out=fields.value[f])

    def report(self) -> list[dict]:
        """Per factor: solver, cycles of the last solve and on average,
        estimated error (concentration), imbalance of fluxes (1)."""
        return [
            {
                "factor": name,
                "solver": self.chosen[f],
                "cycles": int(self.last[f]),
                "mean cycles": self.cycles[f] / max(1, self.solves[f]),
                "error": float(self.error[f]),
                "tolerance": float(self.allowed(f)),
                "imbalance": float(self.imbalance[f]),
            }
            for f, name in enumerate(self.names)
        ]

    def counts(self) -> dict[str, int]:
        return {"solves": int(self.solves.sum()), "cycles": int(self.cycles.sum())}

    def state(self) -> dict:
        return {name: getattr(self, name).copy() for name in PAST} | {
            "chosen": np.array([SOLVERS.index(c) for c in self.chosen]),
            "factors": np.array(self.names, np.str_),
        }

    def restore(self, state: dict) -> None:
        """Take back what `state` gave; factors that were not there have no past."""
        before = [str(name) for name in state.get("factors", self.names)]
        mine = [before.index(name) for name in self.names if name in before]
        here = [f for f, name in enumerate(self.names) if name in before]
        for name in PAST:
            getattr(self, name)[here] = np.asarray(state[name])[mine]
        for f, k in zip(here, mine):
            self.chosen[f] = SOLVERS[state["chosen"][k]]
