"""A tissue by hand: processes, a grid, base tables and cells, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from oncarium.biology.contacts import Contacts
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.rules import Link, Rules
from oncarium.biology.secretion import Secretion
from oncarium.biology.sensing import Sensing
from oncarium.biology.springs import BONDS, Springs
from oncarium.biology.transformation import Transformation
from oncarium.biology.transport import Transport
from oncarium.biology.volume import Volume
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.plan import Plan
from oncarium.engine.process import Process, Tick
from oncarium.engine.tissue import Tissue

TYPES = ("tumor", "killer", "eater")
FACTORS = ("oxygen", "signal")
BOX = Grid(origin=(-200, -200, -200), spacing=(20, 20, 20), shape=(20, 20, 20))
PLANE = Grid(origin=(-200, -200, -10), spacing=(20, 20, 20), shape=(1, 20, 20))


def tissue_of(
    processes: Sequence[Process],
    grid: Grid = BOX,
    types: tuple[str, ...] = ("tumor",),
    factors: tuple[str, ...] = ("oxygen",),
    base: Mapping[str, object] | None = None,
    phases: int = 4,
    matrix: Matrix | None = None,
) -> Tissue:
    """An empty tissue with the columns of these processes and perhaps
    a matrix; base[column] = one value for all types, or an array.

    A base name may end in [label]: base["attack.rate[tumor]"] = 0.1.
    """
    fields = Fields(grid, factors, ("mmHg",) * len(factors), diffusion=[1e5] * len(factors), decay=[0.1] * len(factors))
    labels = {"factor": factors, "phase": tuple(map(str, range(phases))), "bond": tuple(map(str, range(BONDS)))}
    cells = Cells([c for p in processes for c in p.columns()], types, labels)
    for name, value in (base or {}).items():
        column, _, label = name.rstrip("]").partition("[")
        table = cells.base[column]
        if label:
            table[:, cells.labels(column).index(label)] = value
        else:
            table[...] = value
    if "volume.fluid" in cells:
        Volume.set_base(cells.base)
    tissue = Tissue(cells, fields, matrix)
    tissue.population.register(e for p in processes for e in p.events)
    for p in processes:
        p.prepare(tissue)
    return tissue


def add_cells(tissue: Tissue, position: np.ndarray, kind: int | np.ndarray = 0) -> None:
    """Cells of a type at these positions (cell, xyz) um."""
    position = np.atleast_2d(np.asarray(position, float))
    kinds = np.broadcast_to(np.asarray(kind, np.int32), (len(position),))
    rows = tissue.cells.add(kinds.copy())
    tissue.cells.position[rows] = position


def shuffle(tissue: Tissue, seed: int = 0) -> None:
    """Another order of the rows: nothing may depend on it."""
    tissue.cells.reorder(np.random.default_rng(seed).permutation(tissue.cells.n))


def fire(process: Process, tissue: Tissue, times: int = 1, dt: float = 1.0, seed: int = 1, first: int = 0) -> None:
    """Step one process on its own, `times` times."""
    for number in range(first, first + times):
        process.step(tissue, Tick(number, number * dt, dt, seed))


def run(processes: Sequence[Process], tissue: Tissue, minutes: float, tick: float, seed: int = 1) -> Plan:
    """Run a plan of these processes for so many minutes."""
    plan = Plan(processes, tick)
    for _ in range(round(minutes / tick)):
        plan.tick(tissue, seed)
    return plan


def ball(count: int, radius: float, seed: int = 3, flat: bool = False) -> np.ndarray:
    """Random points (count, xyz) um, uniform in a ball or a disc."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(count, 3))
    if flat:
        u[:, 2] = 0.0
    u /= np.linalg.norm(u, axis=1)[:, None]
    return radius * u * rng.random(count)[:, None] ** (1.0 / (2.0 if flat else 3.0))


def everything(threads: int = 1, exact: bool = True) -> list[Process]:
    """All mechanisms with rates that make everything happen within an hour; types are TYPES, factors FACTORS."""
    mechanics = Mechanics(0.5)
    fixed = np.zeros((3, 3), np.bool_)
    links = [
        Link(0, ("cycle.exit", 0), ("sense.factor", 0), True, 0.02, 10.0, 4.0),
        Link(0, ("cycle.exit", 0), ("sense.pressure", -1), False, 0.0, 2.0, 4.0),
        Link(0, ("death.necrosis", -1), ("damage.level", -1), True, 0.02, 5.0, 2.0),
        Link(1, ("motility.speed", -1), ("sense.contact", 0), False, 0.1, 1.0, 2.0),
        Link(2, ("phagocytosis.apoptotic", -1), ("sense.contact_dead", -1), True, 0.5, 1.0, 2.0),
    ]
    model = CYCLES["flow_cytometry"]
    processes = [
        Secretion(0.5),
        Transport(0.5),
        Sensing(5.0, mechanics, {"sense.contact", "sense.contact_dead", "sense.gradient", "sense.time", "sense.dead"}),
        Rules(5.0, links),
        Transformation(5.0, exact),
        Motility(0.5, exact),
        Death(5.0, exact),
        Cycle(5.0, [model] * 3, fixed, exact),
        Volume(5.0, exact),
        damage(period=5.0),
        Contacts(0.5, mechanics, exact),
        Springs(0.5, mechanics, exact),
        mechanics,
        Division(0.5),
    ]
    for p in processes:
        if hasattr(p, "threads"):
            p.threads = threads
    return processes


EVERYTHING = {
    "cycle.exit": 0.01,
    "death.apoptosis": 0.005,
    "apoptosis.duration": 15.0,
    "motility.speed": np.array([0.0, 2.0, 1.0]),
    "motility.bias": 0.5,
    "motility.sensitivity[signal]": np.array([0.0, 1.0, 1.0]),
    "secretion.uptake[oxygen]": 1.0,
    "secretion.rate[signal]": np.array([50.0, 0.0, 0.0]),
    "attack.rate[tumor]": np.array([0.0, 0.1, 0.0]),
    "attack.duration": 5.0,
    "phagocytosis.apoptotic": np.array([0.0, 0.0, 0.05]),
    "fusion.rate[killer]": np.array([0.0, 0.002, 0.0]),
    "damage.repair": 0.01,
    "springs.attachment": np.array([0.02, 0.0, 0.0]),
    "springs.detachment": 0.01,
    "transformation.rate[eater]": np.array([0.0, 0.001, 0.0]),
    "division.asymmetric[tumor]": 0.5,
    "division.asymmetric[killer]": np.array([0.5, 0.0, 0.0]),
    "mechanics.affinity[killer]": np.array([0.5, 1.0, 1.0]),
    "mechanics.wall": 10.0,
}


def small_world(threads: int = 1, count: int = 300, exact: bool = True) -> tuple[list[Process], Tissue]:
    """A ball of all three types in which every mechanism acts."""
    processes = everything(threads, exact)
    tissue = tissue_of(processes, types=TYPES, factors=FACTORS, base=EVERYTHING, phases=3)
    tissue.fields.value[0] = 38.0
    tissue.fields.set_boundary("oxygen", "xmin", "value", 38.0)
    add_cells(tissue, ball(count, 14.0 * count ** (1 / 3) * 0.75), np.arange(count) % 3)
    return processes, tissue
