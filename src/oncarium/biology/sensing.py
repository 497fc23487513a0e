"""What a cell perceives: factors and their gradients where it lies, its neighbors, the time."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import Behavior, Signal
from ..engine.kernels.coupling import concentration_at, gradient_at
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .mechanics import Mechanics
from .outside import free
from .secretion import INTERNALISED
from .vital import APOPTOTIC, LIVE


@njit(cache=True, nogil=True)
def _gradients(first, last, voxel, value, spacing, shape, wanted, out):
    for i in range(first, last):
        for f in range(value.shape[0]):
            if wanted[f]:
                gx, gy, gz = gradient_at(voxel[i], value[f], spacing, shape)
                out[i, f] = math.sqrt(gx * gx + gy * gy + gz * gz)


@njit(cache=True, nogil=True)
def _contacts(first, last, position, reach, kind, vital, looks, start, near, by_type, live, dead, apoptotic, necrotic):
    """Count the neighbors within the sum of adhesion reaches; looks (cell): above 0.5 if it takes notice of them."""
    for i in range(first, last):
        if looks[i] <= 0.5:
            continue
        by_type[i, :] = 0.0
        a = d = ap = ne = 0.0
        for m in range(start[i], start[i + 1]):
            j = near[m]
            dx = position[i, 0] - position[j, 0]
            dy = position[i, 1] - position[j, 1]
            dz = position[i, 2] - position[j, 2]
            far = reach[i] + reach[j]
            if dx * dx + dy * dy + dz * dz >= far * far:
                continue
            by_type[i, kind[j]] += 1.0
            if vital[j] == 0:
                a += 1.0
            else:
                d += 1.0
                if vital[j] == 1:
                    ap += 1.0
                else:
                    ne += 1.0
        live[i], dead[i], apoptotic[i], necrotic[i] = a, d, ap, ne


PARTS = ("factors", "gradients", "contacts", "self")


class Sensing(Process):
    """Fill the signals that somebody reads.

    Column               Unit               Kind     Meaning
    factor               concentration      Signal   concentration in the cell's voxel, times its response
    response             1                  Behavior share of a factor that it hears, as of the decision before; 1
    gradient             concentration/um   Signal   size of the gradient there
    contact              1                  Signal   neighbors of each type, alive or dead
    contact_live ...     1                  Signal   live, dead, apoptotic, necrotic and otherwise dead neighbors
    contact_membrane     1                  Signal   1 if the cell touches a basement membrane (none is modelled: 0)
    intracellular        concentration      Signal   internalised amount per volume of the cell
    attacking            1                  Signal   1 if the cell attacks another one
    time                 min                Signal   time of the simulation
    dead ...             1                  Signal   1 if the cell is dead, apoptotic, necrotic

    A neighbor is a cell within the sum of both adhesion reaches. `parts` restricts an instance to some of these groups:
    "factors", "gradients", "contacts" and "self"; one that is `ahead` fires in the last period before others decide.
    `blind`: contacts with apoptotic, necrotic and otherwise dead cells read 0, as in version 1.14.2 of the standard
    code. `given`: the first look is at the concentrations as they were given, before transport has changed them.
    """

    section = "sense"
    slot = "sense"
    reads = ("fields.value", "position", "vital")
    factor = Signal("concentration", axis="factor", short="sense", doc="concentration at the cell")
    gradient = Signal("concentration/um", axis="factor", ge=0.0, doc="size of the gradient at the cell")
    response = Behavior(
        "1",
        1.0,
        axis="factor",
        ge=0.0,
        rare=True,
        doc="share of each factor that the cell hears: of its receptors that nothing blocks",
    )
    contact = Signal("1", axis="type", ge=0.0, doc="neighbors of each type, alive or dead")
    contact_live = Signal("1", ge=0.0, doc="live neighbors")
    contact_dead = Signal("1", ge=0.0, doc="dead neighbors")
    contact_apoptotic = Signal("1", ge=0.0, doc="apoptotic neighbors")
    contact_necrotic = Signal("1", ge=0.0, doc="necrotic neighbors")
    contact_other_dead = Signal("1", ge=0.0, rare=True, doc="neighbors dead in another way")
    contact_membrane = Signal("1", ge=0.0, le=1.0, rare=True, doc="1 if the cell touches a basement membrane")
    intracellular = Signal("concentration", axis="factor", doc="internalised amount per volume of the cell")
    attacking = Signal("1", ge=0.0, le=1.0, doc="1 if the cell attacks another one")
    apoptotic = Signal("1", ge=0.0, le=1.0, doc="1 if the cell is apoptotic")
    necrotic = Signal("1", ge=0.0, le=1.0, doc="1 if the cell is necrotic")
    time = Signal("min", ge=0.0, doc="time of the simulation")
    dead = Signal("1", ge=0.0, le=1.0, doc="1 if the cell is dead")

    def __init__(
        self, period: float, mechanics: Mechanics, wanted: set[str], parts: tuple[str, ...] = PARTS, ahead: float = 0.0,
        blind: bool = False, given: bool = False,
    ):  # fmt: skip
        self.period = period
        self.mechanics = mechanics
        self.wanted = wanted | {"sense.factor"}
        self.parts = parts
        self.ahead = ahead  # min between two decisions; 0: fires at every period
        self.blind = blind
        self.given = given
        self.first: np.ndarray | None = None

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "every cell perceives")

    @classmethod
    def of(cls, model, build, *, ahead: bool = False, **options) -> Sensing:
        """ahead: fires in the last step of mechanics before others decide."""
        clock = model.clock
        options |= {"blind": model.compat == "1.14.2", "given": build.exact and model.start == "given"}
        period, between = (clock.mechanics, clock.phenotype) if ahead else (clock.phenotype, 0.0)
        return cls(period, build[Mechanics], build.wanted, ahead=between, **options)

    @property
    def name(self) -> str:
        """Which part of sensing it is, where several share the work."""
        return "Sensing" if self.parts == PARTS else f"Sensing {' and '.join(self.parts)}"

    def columns(self):
        contacts = any(w.startswith("sense.contact") for w in self.wanted)
        here = {"sense.factor": "factors", "sense.response": "factors", "sense.gradient": "gradients"}
        return [
            c
            for c in super().columns()
            if here.get(c.name, "contacts" if c.name.startswith("sense.contact") else "self") in self.parts
            and (c.name in self.wanted or (contacts and c.name.startswith("sense.contact") and not c.rare))
        ]

    def prepare(self, tissue: Tissue) -> None:
        self.spacing = np.array(tissue.fields.grid.spacing, float)
        self.sets = tuple(c.name for c in self.columns() if c.kind == "signal")
        self.first = tissue.fields.value.copy() if self.given else None

    def step(self, tissue: Tissue, tick: Tick) -> None:
        if self.ahead and abs(math.remainder(tick.time + self.period, self.ahead)) > 1e-6:
            return
        if "factors" in self.parts or "gradients" in self.parts:
            self._look_at_factors(tissue, tick)
        if "sense.contact" in tissue.cells and "contacts" in self.parts:
            self._count_contacts(tissue)
        if "self" in self.parts:
            self._look_inside(tissue, tick)

    def _look_at_factors(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        voxel = tissue.voxels()
        seen = fields.value if self.first is None or tick.number > 0 else self.first
        value = seen.reshape(len(fields.names), int(np.prod(fields.grid.shape)))
        self.first = None
        if "factors" in self.parts:
            concentration_at(voxel, value, cells["sense.factor"])
            if "sense.response" in cells:
                cells["sense.factor"][:] *= cells["sense.response"]
        # nobody looked before the first decision
        if ("gradients" in self.parts or tick.number == 0) and "sense.gradient" in cells:
            every = np.ones(len(fields.names), np.bool_)
            there = (voxel, value, self.spacing, fields.grid.shape)
            over_rows(_gradients, cells.n, self.threads, *there, every, cells["sense.gradient"])

    def _count_contacts(self, tissue: Tissue) -> None:
        cells = tissue.cells
        near = self.mechanics.look(tissue)
        over_rows(
            _contacts,
            cells.n,
            self.threads,
            cells.position,
            cells["radius"] * cells["mechanics.adhesion_distance"],
            cells.type,
            cells["vital"],
            free(cells) if self.ahead else np.ones(cells.n),
            near.first,
            near.list,
            cells["sense.contact"],
            cells["sense.contact_live"],
            cells["sense.contact_dead"],
            cells["sense.contact_apoptotic"],
            cells["sense.contact_necrotic"],
        )
        if self.blind:
            cells["sense.contact_apoptotic"][:] = 0.0
            cells["sense.contact_necrotic"][:] = 0.0

    def _look_inside(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        vital = cells["vital"]
        for name, value in (
            ("sense.time", lambda: tick.counted or tick.time),
            ("sense.dead", lambda: vital != LIVE),
            ("sense.apoptotic", lambda: vital == APOPTOTIC),
            ("sense.necrotic", lambda: vital > APOPTOTIC),
            ("sense.attacking", lambda: cells["attack.target"] >= 0 if "attack.target" in cells else 0.0),
            (
                "sense.intracellular",
                lambda: (
                    cells[INTERNALISED.name] / cells["volume.total"][:, None] if INTERNALISED.name in cells else 0.0
                ),
            ),
        ):
            if name in cells:
                cells[name][:] = value()
