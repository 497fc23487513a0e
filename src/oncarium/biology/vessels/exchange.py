"""Blood and tissue exchange oxygen and every other factor through the walls of perfused vessels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from .oxygen import HUMAN, MICROLITRE, RESISTANCE, RODENT, TISSUE, Blood, March, march, wall_resistance, way_of
from .state import Vessels
from .wall import Pieces, conductances, deposit, meet, open_radius, pieces

ANTIBODY, LEAKY = 150.0, 0.18  # kDa and um/min: IgG through tumor vessels, 3e-7 cm/s (as cited by Finley & Popel 2012)
SIZE_POWER = 2.0 / 3.0  # permeability falls with mass (assumed): 0.4 um/min for VEGF-A, 16 for glucose
TINY = 1.0  # kDa: molecules that enter red cells
SOLVED = Blood(1.0, 1.0, 0.0, 1.0)  # carries its concentration, nothing else
ALBUMIN, HELD_BACK = 66.0, 0.82  # kDa and share of it that a tumor vessel's wall reflects (Baxter & Jain 1989)
SMALL = 1e-3  # of the oxygen that could pass: less is none, when blood and tissue are compared


class Passage(NamedTuple):
    """How one factor passes the wall.

    blood          concentration in the plasma that enters: 0 for what tissue makes
    permeability   um/min of a wall whose own factor is 1
    reflection     share that does not follow the fluid through the wall
    in_cells       whether red cells carry it, too, as they do small molecules (assumed)
    """

    blood: float = 0.0
    permeability: float = LEAKY
    reflection: float = HELD_BACK
    in_cells: bool = False


def passage(
    mass: float, blood: float = 0.0, leaky: float = LEAKY, power: float = SIZE_POWER, held_back: float = HELD_BACK
) -> Passage:
    """Passage of a molecule of so many kDa.

    >>> [round(passage(m).permeability, 2) for m in (150.0, 45.0, 0.18)]
    [0.18, 0.4, 15.94]
    """
    return Passage(
        blood, leaky * (ANTIBODY / mass) ** power, min(0.95, held_back * (mass / ALBUMIN) ** power), mass < TINY
    )


@njit(cache=True, nogil=True)
def _wash_out(rows, rates, blood, drawn, filtration, supply, demand):
    """What walls exchange at rates (row, voxel), 1/min, and what goes with the fluid, whose filtration (voxel) is in
    1/min: added to supply and demand (factor, voxel) of factors rows (row). blood, drawn (row): concentration in the
    plasma, share that follows the fluid through the wall."""
    for k in range(rows.shape[0]):
        f = rows[k]
        for v in range(filtration.shape[0]):
            demand[f, v] += rates[k, v] + drawn[k] * max(-filtration[v], 0.0)
        if blood[k] > 0.0:
            for v in range(filtration.shape[0]):
                supply[f, v] += blood[k] * (rates[k, v] + drawn[k] * max(filtration[v], 0.0))


class VesselExchange(Process):
    """Exchange of factors between the blood of the network and the tissue.

    Equation    oxygen          flux = g (P_blood - P) per voxel, g from wall and voxel (wall.py); P_blood by the
                                balance along the network (oxygen.py), as it responds to the tissue
                small molecules likewise, without red cells' curve: what whole blood carries runs short on the way
                every other     flux = E (c_blood - c) per voxel, the whole of a segment's E = Q (1 - exp(-G / Q)):
                                no more than its plasma flow Q carries; G from permeability x the segment's factor
                with the fluid  + (1 - reflection) filtration c_blood where fluid leaves the blood, of factors that
                                the fluid carries (fields.convection); c instead of c_blood where it returns

    passages     factor -> Passage; a factor without one stays in the tissue
    blood        what red cells and plasma carry         resistance   of the wall to oxygen, see oxygen.RESISTANCE
    solubility   of oxygen in tissue, cm^3/cm^3/mmHg     oxygen       the factor that is oxygen

    Adds to     fields.supply, fields.demand.     Sets   oxygen of the segments.
    Reads       fields.value as last solved: blood and tissue follow each other tick by tick; `imbalance` tells how
                well.
    Source      Secomb et al. 2004, Ann Biomed Eng 32:1519; Baxter & Jain 1989, Microvasc Res 37:77.
    """

    group = "vessels.exchange"
    numbers = (
        Number("leaky", "um/min", LEAKY, "@Finley2012 R 0.06..0.36", "permeability of tumor vessels for IgG", ge=0.0),
        Number("power", "1", SIZE_POWER, "assumed 0.44..1", "by which it falls with mass", ge=0.0, le=3.0),
        Number("held_back", "1", HELD_BACK, "L 0.6..0.95", "share of albumin that the wall reflects", ge=0.0, le=1.0),
    )
    section = "vessels"
    slot = "transport"
    reads = ("fields.value", "vessels", "fluid")
    sets = ("vessels.oxygen",)
    adds = ("fields.supply", "fields.demand")
    part = "vessels"
    clock = "transport"

    @classmethod
    def of(cls, model, build, **options) -> VesselExchange:
        passages, said = {}, cls.said(model)
        for f in model.factors:
            if f.name != "oxygen" and (f.permeability is not None or f.mass is not None):
                by_size = passage(f.mass, f.blood, **said) if f.mass is not None else Passage(f.blood)
                passages[f.name] = by_size if f.permeability is None else by_size._replace(permeability=f.permeability)
        blood = RODENT if model.vessels.species == "rodent" else HUMAN
        return cls(build.minutes(cls.clock), passages, blood=blood, **options)

    def __init__(
        self,
        period: float,
        passages: Mapping[str, Passage] | None = None,
        *,
        blood: Blood = HUMAN,
        resistance=RESISTANCE,
        solubility: float = TISSUE,
        oxygen: str = "oxygen",
    ):
        self.period = period
        self.passages = dict(passages or {})
        self.blood = blood
        self.resistance = resistance
        self.solubility = solubility
        self.oxygen = oxygen

    def prepare(self, tissue: Tissue) -> None:
        names = tissue.fields.names
        self.breath = names.index(self.oxygen) if self.oxygen in names else -1
        there = [(names.index(name), p) for name, p in self.passages.items() if name in names]
        self.rows = [(f, p) for f, p in there if not p.in_cells]
        self.washed = np.array([f for f, _ in self.rows], np.int64)
        self.brought = np.array([p.blood for _, p in self.rows])
        self.small = [(f, p) for f, p in there if p.in_cells]
        self.entering = {f: p.blood for f, p in self.small}
        self.lost = dict.fromkeys((f for f, _ in self.small), 0.0)  # by the tissue, per min
        self.found: Pieces | None = None
        self.cut_as: tuple[np.ndarray, ...] = ()
        self.known: tuple[np.ndarray, ...] = ()
        self.open_to: list[np.ndarray] = []
        self.rates = np.zeros((len(self.rows), *tissue.fields.grid.shape))  # 1/min
        self.marched: March | None = None
        self.response: tuple[np.ndarray, np.ndarray] | None = None
        self.imbalance = math.inf

    def bring(self, f: int, blood: float) -> None:
        """From now on blood comes with this concentration of a factor, which has a passage."""
        if f in self.entering:
            self.entering[f] = blood
        else:
            self.brought[self.washed.tolist().index(f)] = blood

    def step(self, tissue: Tissue, tick: Tick) -> None:
        vessels = tissue.vessels
        if not vessels.graph.n_segments:
            return
        changed = self._cut(tissue)
        self.perfused = vessels.perfused
        self.way = way_of(vessels.graph, self.perfused)
        if self.breath >= 0:
            self._breathe(tissue)
        if self.rows or self.small:
            self._wash(tissue, changed)

    def _cut(self, tissue: Tissue) -> bool:
        """Pieces of the network as it is; whether they are new."""
        graph = tissue.vessels.graph
        seen = (graph.position, graph.ends, graph.segments["length"], open_radius(graph))
        if self.found is not None and all(np.array_equal(a, b) for a, b in zip(self.cut_as, seen)):
            return False
        self.cut_as = tuple(a.copy() for a in seen)
        self.found = pieces(graph, tissue.fields.grid)
        if self.breath >= 0:
            wall = wall_resistance(seen[3], self.resistance) * self.solubility
            self.passing = conductances(self.found, wall, tissue.fields.diffusion[self.breath])
        return True

    def _breathe(self, tissue: Tissue) -> None:
        """Oxygen: march along the blood, then what the voxels get as a line in what they have."""
        assert self.found is not None
        graph = tissue.vessels.graph
        _, mean = meet(self.found, self.passing, tissue.fields.value[self.breath])
        if self.response is not None and len(self.response[0]) == len(mean):
            slope, source = self.response
            taken, given = slope * (source - mean), self.marched.loss if self.marched else slope
            passes = max(np.abs(given).sum(), SMALL * (slope * np.abs(source)).sum(), 1e-300)
            self.imbalance = float(np.abs(taken - given).sum() / passes)
        entering = graph.nodes["oxygen"]
        found, source = self._carried(tissue, self.breath, self.passing, entering, self.blood, self.solubility)
        graph.segments["oxygen"][:] = found.oxygen
        self.marched, self.response = found, (found.slope, source)

    def _carried(
        self, tissue: Tissue, f: int, passing: np.ndarray, entering: np.ndarray, blood: Blood, solubility: float
    ) -> tuple[March, np.ndarray]:
        """What blood brings of a factor that runs short on the way: the march, and what each segment offers."""
        assert self.found is not None
        fields, graph = tissue.fields, tissue.vessels.graph
        total, mean = meet(self.found, passing, fields.value[f])
        inside = np.maximum(self.found.inside, 1e-12)
        found = march(graph, self.perfused, total * solubility / inside, mean, blood, entering, self.way)
        source = mean + np.divide(found.loss, found.slope, out=np.zeros(len(mean)), where=found.slope > 0.0)
        share = np.divide(found.slope * inside, total * solubility, out=np.zeros(len(mean)), where=total > 0.0)
        deposit(self.found, passing / fields.grid.voxel_volume, share, source, fields.supply[f], fields.demand[f])
        return found, source

    def _wash(self, tissue: Tissue, changed: bool) -> None:
        """Every other factor."""
        fields, vessels = tissue.fields, tissue.vessels
        segments = vessels.graph.segments
        seen = (segments["flow"], segments["haematocrit"], segments["permeability"], segments["lumen"])
        if changed or len(self.known) == 0 or not all(np.array_equal(a, b) for a, b in zip(self.known, seen)):
            self.known = tuple(a.copy() for a in seen)
            self._rates(tissue)
        fluid, unused = tissue.fluid, np.zeros(fields.grid.shape)
        for (f, _), passing in zip(self.small, self.open_to):
            entering = np.full(vessels.graph.n_nodes, self.entering[f])
            found, _ = self._carried(tissue, f, passing, entering, SOLVED, 1.0)
            self.lost[f] = -float((found.loss * self.found.inside).sum()) if self.found is not None else 0.0
        drawn = np.array([(1.0 - p.reflection) * fields.convection[f] for f, p in self.rows])
        filtration = unused if fluid is None else fluid.filtration
        count, voxels = len(fields.names), fields.value[0].size
        _wash_out(
            self.washed, self.rates.reshape(len(self.rows), voxels), self.brought, drawn, filtration.reshape(-1),
            fields.supply.reshape(count, -1), fields.demand.reshape(count, -1),
        )  # fmt: skip

    def _rates(self, tissue: Tissue) -> None:
        """(factor, z, y, x) 1/min at which voxels exchange with blood."""
        found, grid, vessels = self.found, tissue.fields.grid, tissue.vessels
        assert found is not None
        segments = vessels.graph.segments
        radius = np.maximum(open_radius(vessels.graph), 1e-3)
        leaky = 2.0 * math.pi * radius * np.maximum(segments["permeability"], 1e-12)
        plasma = plasma_flow(vessels)
        inside = np.maximum(found.inside, 1e-12)
        nowhere, unused = np.zeros(len(plasma)), np.zeros(grid.shape)
        self.open_to = [
            conductances(found, 1.0 / (leaky * max(p.permeability, 1e-12)), tissue.fields.diffusion[f])
            for f, p in self.small
        ]
        self.rates[:] = 0.0
        for k, (f, p) in enumerate(self.rows):
            if p.permeability == 0.0:
                continue
            passing = conductances(found, 1.0 / (leaky * p.permeability), tissue.fields.diffusion[f])
            whole = meet(found, passing, unused)[0] / inside
            ratio = np.divide(whole, plasma, out=np.full(len(plasma), np.inf), where=plasma > 0.0)
            share = np.where(plasma > 0.0, -np.expm1(-ratio) / np.maximum(ratio, 1e-12), 0.0)
            deposit(found, passing / grid.voxel_volume, share, nowhere, unused, self.rates[k])

    def washout(self, tissue: Tissue) -> dict[str, float]:
        """Factor -> concentration x um^3 per min that passes from the tissue into the blood now (below 0: out of it),
        without what the fluid carries."""
        volume, value = tissue.fields.grid.voxel_volume, tissue.fields.value
        names = tissue.fields.names
        return {names[f]: lost for f, lost in self.lost.items()} | {
            names[f]: float((self.rates[k] * (value[f] - self.brought[k])).sum() * volume)
            for k, (f, _) in enumerate(self.rows)
        }


def plasma_flow(vessels: Vessels) -> np.ndarray:
    """(segment) um^3/min of plasma; 0 where blood does not flow."""
    segments = vessels.graph.segments
    flow = np.abs(segments["flow"]) * (1.0 - np.clip(segments["haematocrit"], 0.0, 1.0)) * MICROLITRE
    return np.where(vessels.perfused, flow, 0.0)
