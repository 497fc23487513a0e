"""Cells act on the cells they touch: they engulf, attack, and fuse.

Every actor looks at its neighbors on its own (in parallel), in the order of their ids, and states what it wants to do.
What is wanted is then done one actor after another in the order of ids, so of several that want the same cell the
smallest id gets it, and no thread or memory order can change the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from ..engine.cells import Cells
from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import pair, stream_of, uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .antigen import LOAD
from .damage import REPAIR
from .death import moment
from .mechanics import Mechanics, Neighborhood
from .rates import NO_SHIELD, Rates, toward
from .secretion import INTERNALISED, TRANSFERRED
from .springs import Springs
from .surface import Surface
from .vital import APOPTOTIC, LIVE, radius_of, who

NOTHING, ENGULF, ATTACK, FUSE = 0, 1, 2, 3
TURNS = 8  # attacks of one cell within a step, at most


@njit(cache=True, nogil=True)
def choose(first, last, firing, who, place, rates, busy, free, acts, again, wish, whom, when):
    """What each live cell does first to which neighbor within this step, of all that it is inclined to.

    apoptotic, necrotic (cell) 1/min; live, attack, fusion: Toward; immunogenicity (cell, type); shield (cell) or
    empty; busy (cell): id under attack or -1; free (cell): min from which on it can attack again; acts (type): this
    type can act at all; again: only whom it attacks next; wish, whom, when (cell): code, row, and minutes after the
    start of the step.
    """
    seed, stream, tick, dt, exact = firing
    _, keys, kind, vital = who
    position, reach, start, near = place
    apoptotic, necrotic, live, attack, immunogenicity, shield, fusion = rates
    for i in range(first, last):
        wish[i], when[i] = NOTHING, dt
        if vital[i] != LIVE or not acts[kind[i]] or (again and free[i] >= dt):
            continue
        for m in range(start[i], start[i + 1]):
            j = near[m]
            t = kind[j]
            dead = vital[j] != LIVE
            fights = toward(attack, i, t)
            if again and (dead or fights <= 0.0):
                continue
            if dead:
                rate = apoptotic[i] if vital[j] == APOPTOTIC else necrotic[i]
                if rate <= 0.0:
                    continue
            elif toward(live, i, t) <= 0.0 and toward(fusion, i, t) <= 0.0 and (fights <= 0.0 or busy[i] >= 0):
                continue
            dx = position[i, 0] - position[j, 0]
            dy = position[i, 1] - position[j, 1]
            dz = position[i, 2] - position[j, 2]
            far = reach[i] + reach[j]
            if dx * dx + dy * dy + dz * dz >= far * far:
                continue
            # one draw per pair and kind: the order of neighbors cannot matter
            both = pair(keys[i], keys[j])
            if dead:
                after = moment(uniform(seed, stream, tick, both, 0), rate, dt, exact)
                if after < when[i]:
                    wish[i], whom[i], when[i] = ENGULF, j, after
                continue
            rate = toward(live, i, t) * (1.0 - shield[j]) if shield.shape[0] > 0 else toward(live, i, t)
            if rate > 0.0 and not again:
                after = moment(uniform(seed, stream, tick, both, 1), rate, dt, exact)
                if after < when[i]:
                    wish[i], whom[i], when[i] = ENGULF, j, after
            if busy[i] < 0 and fights > 0.0:
                rate = fights * immunogenicity[j, kind[i]]
                after = free[i] + moment(uniform(seed, stream, tick, both, 2), rate, dt, exact)
                if after < when[i]:
                    wish[i], whom[i], when[i] = ATTACK, j, after
            if again:
                continue
            rate = toward(fusion, i, t)
            if rate > 0.0:
                after = moment(uniform(seed, stream, tick, both, 3), rate, dt, exact)
                if after < when[i]:
                    wish[i], whom[i], when[i] = FUSE, j, after


@njit(cache=True, nogil=True)
def lasting(seed, stream, tick, dt, exact, keys, duration, number):
    """Minutes that each of these attacks goes on; duration (cell) min is their mean length. By chances per step: the
    whole step, or until its end."""
    out = np.empty(keys.shape[0])
    for k in range(keys.shape[0]):
        if duration[k] > 0.0:
            out[k] = moment(uniform(seed, stream, tick, keys[k], number), 1.0 / duration[k], dt, exact)
        else:
            out[k] = 0.0
    return out


class Contacts(Process):
    """Phagocytosis, attack and fusion.

    Column                     Unit    Kind       Meaning
    phagocytosis.apoptotic     1/min   Behavior   rate of engulfing an apoptotic neighbor
    phagocytosis.necrotic      1/min   Behavior   rate of engulfing a necrotic neighbor
    phagocytosis.live          1/min   Behavior   rate of engulfing a live neighbor of each
                                                  type, times (1 - its surface.shield)
    phagocytosis.other_dead    1/min   Behavior   rate of engulfing a neighbor dead in another way: none are yet
    attack.rate                1/min   Behavior   rate of starting to attack a neighbor of each type
    attack.immunogenicity      1       Behavior   how strongly this cell is attacked by each type
    attack.damage_rate         1/min   Behavior   damage per time dealt to the cell under attack
    attack.duration            min     Behavior   mean length of one attack
    attack.target              1       State      id of the cell under attack, or -1
    sense.attacked             min     State      time this cell has been under attack
    attack.delivered           1       State      damage this cell has dealt so far
    fusion.rate                1/min   Behavior   rate of fusing with a neighbor of each type
    fusion.nuclei              1       State      nuclei of the cell; those of fused cells add
    springs.elastic            1/min   Behavior   elastic constant with which it holds on to its victim

    The eater gains the eaten cell's fluid and solids; fused cells add volumes and meet at their centre of mass. An
    attack deals damage until it ends (mean `duration`) or its target is dead or gone.

    Hazard      exact: of all that a cell is inclined to, what comes first happens, at its moment within the step; an
                attack begins and ends at its moments, and the damage of a step is repaired within it. Otherwise chances
                per step: the first neighbor counts, an attack lasts whole steps.

    Source      Johnson et al. 2025 (Cell) for the grammar's contact behaviors; multi-hit killing follows from damage,
                its repair and rules on `damage`.
    """

    slot = "move"
    reads = ("position", "vital")
    sets = ("attack.target", "damage.level", "sense.attacked")
    adds = ("population", "volume.*")
    events = ("phagocytosis", "attack", "fusion")
    elastic = Springs.elastic
    apoptotic = Behavior(
        "1/min", ge=0.0, wakes=True, name="phagocytosis.apoptotic", doc="rate of engulfing an apoptotic neighbor"
    )
    necrotic = Behavior(
        "1/min", ge=0.0, wakes=True, name="phagocytosis.necrotic", doc="rate of engulfing a necrotic neighbor"
    )
    live = Behavior(
        "1/min",
        ge=0.0,
        axis="type",
        sparse=True,
        wakes=True,
        name="phagocytosis.live",
        doc="rate of engulfing a live neighbor of each type",
    )
    rate = Behavior(
        "1/min",
        ge=0.0,
        axis="type",
        sparse=True,
        wakes=True,
        name="attack.rate",
        doc="rate of starting to attack a neighbor of each type",
    )
    immunogenicity = Behavior(
        "1",
        1.0,
        ge=0.0,
        axis="type",
        steady=True,
        name="attack.immunogenicity",
        doc="how strongly this cell is attacked by each type",
    )
    damage_rate = Behavior(
        "1/min", 1.0, ge=0.0, name="attack.damage_rate", doc="damage per time dealt to the cell under attack"
    )
    duration = Behavior("min", 30.0, ge=0.0, name="attack.duration", doc="mean length of one attack")
    target = State("1", -1, dtype=int, at_change="base", name="attack.target", doc="id of the cell under attack, or -1")
    delivered = State(
        "1", ge=0.0, at_change="base", rare=True, name="attack.delivered", doc="damage this cell has dealt so far"
    )
    nuclei = State(
        "1", 1.0, ge=0.0, inherit="default", rare=True, along=("fusion",), name="fusion.nuclei",
        doc="nuclei of the cell; those of fused cells add",
    )  # fmt: skip
    other_dead = Behavior(
        "1/min",
        ge=0.0,
        rare=True,
        wakes=True,
        name="phagocytosis.other_dead",
        doc="rate of engulfing a neighbor dead in another way",
    )
    attacked = State("min", ge=0.0, inherit="zero", name="sense.attacked", doc="time under attack so far")
    fusion = Behavior(
        "1/min",
        ge=0.0,
        axis="type",
        sparse=True,
        steady=True,
        wakes=True,
        name="fusion.rate",
        doc="rate of fusing with a neighbor of each type",
    )

    words = ("phagocytosis", "attack", "fusion")
    clock = "mechanics"

    @classmethod
    def of(cls, model, build, **options) -> Contacts:
        ruled = [k for k, t in enumerate(model.types) if any(r.behavior[0].startswith(cls.words) for r in t.rules)]
        return cls(build.minutes(cls.clock), build[Mechanics], build.exact, ruled, **options)

    def __init__(self, period: float, mechanics: Mechanics, exact: bool = True, ruled: Sequence[int] = ()):
        self.period = period
        self.mechanics = mechanics
        self.exact = exact
        # types with a rule on one of their contact rates: they may act even if the base is zero
        self.ruled = list(ruled)

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        base = cells.base
        self.acts = np.ones(len(cells.types), np.bool_)
        rates = [
            base["phagocytosis.apoptotic"],
            base["phagocytosis.necrotic"],
            *base["phagocytosis.live"].T,
            *base["attack.rate"].T,
            *base["fusion.rate"].T,
        ]
        # types without any rate never act, unless a rule may raise one or a cell has one of its own
        self.acts[:] = np.any(np.array(rates) > 0.0, axis=0)
        for name in (
            "phagocytosis.apoptotic",
            "phagocytosis.necrotic",
            "phagocytosis.live",
            "attack.rate",
            "fusion.rate",
        ):
            some = cells[name] > 0.0
            self.acts[cells.type[some.any(axis=1) if some.ndim > 1 else some]] = True
        self.acts[self.ruled] = True
        self.conserved = [
            c.name for c in cells.columns.values() if c.name.startswith("custom.") and c.inherit == "halve"
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        free = self._continue_attacks(tissue, tick)
        if not np.any(self.acts):
            return
        wish, whom, when = np.zeros(cells.n, np.uint8), np.zeros(cells.n, np.int64), np.zeros(cells.n)
        shield = cells[Surface.shield.name] if Surface.shield.name in cells else NO_SHIELD
        around, rates = Neighborhood.of(tissue, self.mechanics), Rates.of(cells, shield)
        gone: set[int] = set()
        for turn in range(TURNS):  # whose attack ends within the step may attack again
            firing = self.firing(tick)._replace(stream=stream_of(f"{self.name} {turn}") if turn else self.stream)
            given = (firing, who(cells), around, rates, cells["attack.target"], free, self.acts, turn > 0)
            over_rows(choose, cells.n, self.threads, *given, wish, whom, when)
            begun = self._act(tissue, tick, wish, whom, when, gone)
            if not self.exact or not len(begun):
                break
            free = np.full(cells.n, np.inf)
            free[begun] = when[begun]
            self._attack(tissue, tick, begun, free, firing.stream, 2)
            if not (free < tick.dt).any():
                break
        tissue.population.remove(np.array(sorted(gone), np.int64))

    def _act(self, tissue: Tissue, tick: Tick, wish, whom, when, gone: set[int]) -> np.ndarray:
        """Do what is wished, in the order of moments and ids; returns the rows of those who begin to attack."""
        cells, begun = tissue.cells, []
        actors = np.flatnonzero(wish)
        for i in actors[np.lexsort((cells.id[actors], when[actors]))]:
            j = int(whom[i])
            if i in gone or j in gone:
                continue
            if wish[i] == ATTACK:
                cells["attack.target"][i] = cells.id[j]
                tissue.population.log(tick.time, cells.id[[j]], "attack", int(cells.id[i]))
                begun.append(i)
                continue
            (self._engulf if wish[i] == ENGULF else self._fuse)(tissue, i, j)
            self.pass_on(cells, i, j, engulfed=wish[i] == ENGULF)
            gone.add(j)
            tissue.population.log(
                tick.time, cells.id[[j]], "phagocytosis" if wish[i] == ENGULF else "fusion", int(cells.id[i])
            )
        return np.array(begun, np.int64)

    def _continue_attacks(self, tissue: Tissue, tick: Tick) -> np.ndarray:
        """Go on with the attacks of before, and end those whose target is dead or gone; returns (cell) min from which
        on each cell can attack again."""
        cells = tissue.cells
        free = np.zeros(cells.n)
        attackers = np.flatnonzero(cells["attack.target"] >= 0)
        target = cells.rows_of(cells["attack.target"][attackers])
        there = (target >= 0) & (cells["vital"][target] == LIVE) & (cells["vital"][attackers] == LIVE)
        cells["attack.target"][attackers[~there]] = -1
        if there.any():
            self._attack(tissue, tick, attackers[there], free, self.stream, 1)
        return free

    def _attack(
        self, tissue: Tissue, tick: Tick, hitters: np.ndarray, when: np.ndarray, stream: int, number: int
    ) -> None:
        """Deal the damage of this step from `when` (cell) min on, until each attack ends, which `when` then says.

        stream, number: of the random draw."""
        cells = tissue.cells
        hitters = hitters[np.argsort(cells.id[hitters], kind="stable")]
        hit = cells.rows_of(cells["attack.target"][hitters])
        given = (np.uint64(tick.seed), stream, tick.number, tick.dt, self.exact, cells.key[hitters])
        left = tick.dt - when[hitters]
        lasts = lasting(*given, cells["attack.duration"][hitters], number)
        minutes = np.minimum(lasts, left) if self.exact else left
        dealt = cells["attack.damage_rate"][hitters] * minutes
        if self.exact:  # what is dealt all through the step is repaired for half of it in the mean
            repaired = cells[REPAIR.name][hit] * tick.dt
            dealt *= np.where(repaired > 0.0, -np.expm1(-repaired) / np.where(repaired > 0.0, repaired, 1.0), 1.0)
        np.add.at(cells["damage.level"], hit, dealt)
        np.add.at(cells["sense.attacked"], hit, minutes)
        if "attack.delivered" in cells:
            np.add.at(cells["attack.delivered"], hitters, cells["attack.damage_rate"][hitters] * minutes)
        ends = lasts < left if self.exact else lasts <= 0.0
        when[hitters] += minutes
        cells["attack.target"][hitters[ends]] = -1

    def pass_on(self, cells: Cells, i: int, j: int, engulfed: bool) -> None:
        """What cell i gets of j besides its volume: internalised
        amounts, and conserved quantities where it engulfs it."""
        if INTERNALISED.name in cells:
            share = cells[TRANSFERRED.name][j] if engulfed else 1.0
            cells[INTERNALISED.name][i] += share * cells[INTERNALISED.name][j]
            cells[INTERNALISED.name][j] = 0.0
        if engulfed and LOAD.name in cells:
            cells[LOAD.name][i] += cells[Surface.antigen.name][j] + cells[LOAD.name][j]
        for name in self.conserved if engulfed else [c for c in ("volume.target_cytoplasm",) if c in cells]:
            cells[name][i] += cells[name][j]

    @staticmethod
    def _engulf(tissue: Tissue, i: int, j: int) -> None:
        """Eater i gains the fluid of j, and all its solids as cytoplasm."""
        cells = tissue.cells
        cells["volume.fluid"][i] += cells["volume.fluid"][j]
        cells["volume.cytoplasm_solid"][i] += cells["volume.cytoplasm_solid"][j] + cells["volume.nuclear_solid"][j]
        _measure(cells, i)

    @staticmethod
    def _fuse(tissue: Tissue, i: int, j: int) -> None:
        """Cell i takes in j: volumes and targets add, the centre is weighted by volume."""
        cells = tissue.cells
        v, w = cells["volume.total"][i], cells["volume.total"][j]
        cells.position[i] = (v * cells.position[i] + w * cells.position[j]) / (v + w)
        for name in (
            *(f"volume.{k}" for k in ("fluid", "cytoplasm_solid", "nuclear_solid", "nuclear", "target_nuclear")),
            "fusion.nuclei",
        ):
            if name in cells:
                cells[name][i] += cells[name][j]
        _measure(cells, i)


def _measure(cells, i: int) -> None:
    """Total volume and radius from the parts."""
    total = cells["volume.fluid"][i] + cells["volume.cytoplasm_solid"][i] + cells["volume.nuclear_solid"][i]
    cells["volume.total"][i] = total
    cells["radius"][i] = radius_of(total)
