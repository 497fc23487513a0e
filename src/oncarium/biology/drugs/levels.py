"""Drugs in blood: doses come in on their day, the body distributes and loses them, and vessels see what is free."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from ...model.doses import Dose
from ..vessels.exchange import VesselExchange, passage
from .calendar import Calendar
from .pharmacokinetics import Pharmacokinetics

PIECES = 4  # in which the mean of a step is taken between two changes of what comes in, by Simpson's rule
CAPILLARY = 5.0  # um: radius of the vessel that crosses a supply voxel (assumed)
DECISIONS = ("course_begun", "dose_held", "dose_reduced")  # kinds of events
FOREVER = 200.0  # half-lives of an infusion that has run for ever


class Schedule(Process):
    """The calendar of a therapy: it reads the tissue for rules such as "hold while body.neutrophils < 1".

    Everything dated asks it what is due; what its rules decided is kept with the state of the run and logged as events:
    course_begun (a condition that a course waited for holds; id: the course), dose_held and dose_reduced (id: the
    course, cause: the percent that are given).
    """

    slot = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return given(model.therapy and model.therapy.regimen.courses, "therapy.doses", "the model has no therapy")

    @classmethod
    def of(cls, model, build, **options) -> Schedule:
        t = model.therapy
        return cls(build.tick, Calendar(t.regimen, t.resolved, t.units), **options)

    def __init__(self, period: float, calendar: Calendar):
        self.period = period
        self.calendar = calendar

    def prepare(self, tissue: Tissue) -> None:
        if self.calendar.watches or self.calendar.conditions:
            tissue.population.register(DECISIONS)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        if not self.calendar.asks:
            return
        told: dict[str, float] = {}
        for member in tissue.members().values():
            told |= {name: value for name, (value, _) in member.summary().items()}
        begun = self.calendar.see({n: told[n] for n in self.calendar.units if n in told}, tick.time)
        tissue.population.log(tick.time, np.array(begun, np.int64), DECISIONS[0])
        for d, share in self.calendar.less(tick.time, tick.time + tick.dt):
            kind = DECISIONS[2] if share > 0.0 else DECISIONS[1]
            tissue.population.log(d.time, np.array([d.row]), kind, round(100.0 * share))

    def state(self) -> dict:
        return self.calendar.state()

    def restore(self, state: dict) -> None:
        self.calendar.restore(state)


class PlasmaLevels(Process):
    """What blood holds of every drug.

    Equation    that of the drug's body (pharmacokinetics.py), with doses at their minutes

    The tissue sees the mean of the free concentration over each step, so that the area under its curve is the same
    for any step: through the walls of perfused vessels (VesselExchange); where a model has no vessels, in its supply
    voxels, each crossed by a capillary; where it has neither, as the concentration at its faces.

    Sets        plasma.     Adds to   fields.supply, fields.demand of supply voxels.
    """

    section = "therapy"
    slot = "transport"
    sets = ("plasma",)
    adds = ("fields.supply", "fields.demand")
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        names = [d.name for d in model.therapy.drugs] if model.therapy else []
        return given(names, f"the model gives {', '.join(names)}", "the model gives no drug")

    @classmethod
    def of(cls, model, build, **options) -> PlasmaLevels:
        t = model.therapy
        bodies = {d.name: t.body(d) for d in t.drugs}
        mass = {f.name: (f.mass, f.permeability) for f in model.factors}
        washed = [h.complex for h in t.holds]
        leaks = {}
        if model.vessels is None and model.patient.supply:
            voxels = np.unique(np.concatenate([build.inside(s.region) for s in model.patient.supply]))
            voxel = model.domain.voxel
            wall = 2.0 * math.pi * CAPILLARY / (voxel[0] * voxel[1])
            for name in (*bodies, *washed):
                kda, own = mass[name]
                leaks[name] = (voxels, wall * (passage(kda).permeability if own is None else own))
        exchange = build[VesselExchange] if model.vessels is not None else None
        faces = model.vessels is None and not model.patient.supply
        return cls(
            build.minutes(cls.clock), build[Schedule].calendar, bodies, dict(t.nanomolar), exchange, leaks, faces,
            washed, **options,
        )  # fmt: skip

    def __init__(
        self, period: float, calendar: Calendar, bodies: Mapping[str, Any], nanomolar: Mapping[str, float],
        exchange: VesselExchange | None = None, leaks: Mapping[str, tuple[np.ndarray, float]] | None = None,
        faces: bool = False, washed: Sequence[str] = (),
    ):  # fmt: skip
        self.period, self.calendar, self.exchange, self.faces = period, calendar, exchange, faces
        self.blood = {name: Pharmacokinetics(body) for name, body in bodies.items()}
        self.nanomolar, self.leaks, self.washed = dict(nanomolar), dict(leaks or {}), tuple(washed)

    def prepare(self, tissue: Tissue) -> None:
        self.rows = {name: tissue.fields.index(name) for name in self.blood}
        if self.faces:
            grid = tissue.fields.grid
            for name in (*self.blood, *self.washed):
                for k, face in enumerate(("xmin", "xmax", "ymin", "ymax", "zmin", "zmax")):
                    if grid.shape[2 - k // 2] > 1:
                        tissue.fields.set_boundary(name, face, "value", 0.0)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        plasma, t1 = tissue.plasma, tick.time + tick.dt
        for k, name in enumerate(plasma.names):
            blood = self.blood[name]
            lag = max([0.0, *(a.lag for a in blood.bodies[0].absorption.values())])
            doses = [d for d in self.calendar.due(tick.time, t1, "drug", "reset", back=lag)
                     if d.what == name or d.kind == "reset"]  # fmt: skip
            state, area = self._follow(blood, plasma.amounts[name], tick.time, t1, doses)
            plasma.amounts[name] = state
            plasma.total[k], plasma.free[k] = levels(blood, state)
            plasma.given[k] += sum(float(d.amount) for d in doses if d.time >= tick.time and d.kind == "drug")
            plasma.passed[k] += area
            self._show(tissue, name, area / tick.dt / self.nanomolar[name])

        for name in self.washed if self.leaks else ():
            voxels, rate = self.leaks[name]
            tissue.fields.demand[tissue.fields.index(name)].reshape(-1)[voxels] += rate

    def _show(self, tissue: Tissue, name: str, mean: float) -> None:
        """The tissue sees this concentration, in the unit of the drug's factor, until the next step."""
        fields, f = tissue.fields, self.rows[name]
        if self.exchange is not None:
            self.exchange.bring(f, mean)
        elif name in self.leaks:
            voxels, rate = self.leaks[name]
            fields.supply[f].reshape(-1)[voxels] += rate * mean
            fields.demand[f].reshape(-1)[voxels] += rate
        elif self.faces:
            fields.outside[f, fields.kind[f] == 1] = mean

    def _follow(
        self, blood: Pharmacokinetics, state: np.ndarray, t0: float, t1: float, doses: list[Dose]
    ) -> tuple[np.ndarray, float]:
        """State at t1, and nM min of free drug in between."""
        plain = [d for d in doses if d.kind == "drug" and not d.steady and not d.resets]
        special = [d for d in doses if d.time >= t0 and (d.kind == "reset" or d.steady or d.resets)]
        plain += [d for d in special if d.kind == "drug"]
        changes = {t0, t1}
        for d in plain:
            lag = blood._longest_lag(d)
            changes |= {t for t in (d.time + lag, d.time + lag + d.duration) if t0 < t < t1}
        changes |= {d.time for d in special if t0 < d.time < t1}
        area, since = 0.0, -math.inf
        for begin, end in zip(sorted(changes), sorted(changes)[1:]):
            for d in (d for d in special if d.time == begin):
                kept = state if d.added else blood.start()
                more = steady(blood, d) if d.steady else blood.start()
                state = kept + more - blood.start()
                since = begin
            going = [d for d in plain if d.time >= since]
            h = (end - begin) / PIECES
            seen = [levels(blood, self._now(blood, state, begin, going))[1]]
            for p in range(PIECES):
                last = end if p == PIECES - 1 else begin + (p + 1) * h
                state = blood.advance(state, begin + p * h, last, going)
                seen.append(levels(blood, state)[1])
            area += h / 3.0 * (seen[0] + 4.0 * seen[1] + 2.0 * seen[2] + 4.0 * seen[3] + seen[4])
        return state, area

    @staticmethod
    def _now(blood: Pharmacokinetics, state: np.ndarray, t: float, doses: list[Dose]) -> np.ndarray:
        """The state just after what is given at once at t."""
        out = np.array(state)
        for d in doses:
            if d.time == t and not d.duration and blood._route(d) == "intravenous":
                out[len(blood.routes)] += d.amount
        return out


def levels(blood: Pharmacokinetics, state: np.ndarray) -> tuple[float, float]:
    """Total and free concentration of a state, nM."""
    body = blood.bodies[0]
    level = float(state[blood.states.index("central")]) / body.central
    pairs = sum(float(state[blood.states.index(f"{name}.pair")]) for name in blood.targets)
    return max(level + pairs, 0.0), max(level, 0.0) * (1.0 - body.bound)


def steady(blood: Pharmacokinetics, d: Dose) -> np.ndarray:
    """The state that equal doses before this one have reached; of an infusion without end, while it runs."""
    if math.isinf(d.steady):
        long = FOREVER * blood.half_life
        rate = d.amount / d.duration if d.duration else 0.0
        from .pharmacokinetics import Given

        return blood.advance(blood.start(), 0.0, long, [Given(0.0, rate * long, d.route, long)])
    return blood.steady(d, d.steady)
