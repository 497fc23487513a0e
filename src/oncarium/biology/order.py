"""One tick on one page: every mechanism, in the order in which they act within their slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine.process import SLOTS, Variant, plain
from ..engine.why import Why
from .acidity import acidity
from .activation import Activation
from .amoeboid import Amoeboid
from .antigen import antigen
from .body.circulation import Circulation
from .body.passages import Recruitment
from .caf import Caf
from .checkpoint import checkpoint
from .contacts import Contacts
from .cycle import Cycle
from .damage import damage
from .death import Death
from .division import Division
from .drive import Drive
from .drugs.binding import Binding, Bound, Occupancy
from .drugs.levels import PlasmaLevels, Schedule
from .drugs.neutralising import Held, Neutralising
from .drugs.prodrug import Prodrug
from .emt import Emt
from .evolution import Evolution
from .exhaustion import Exhaustion
from .fluid.lymph import Lymph
from .fluid.lymphangiogenesis import Lymphangiogenesis
from .fluid.pressure import FluidPressure
from .fluid.stress import SolidStress
from .hypoxia import Hypoxia
from .inflammation import Inflammation
from .internalisation import Internalisation
from .matrix.guidance import Guidance
from .matrix.membrane import Membrane
from .matrix.proteolysis import cathepsin_decay, protease_cascade, timp_binding
from .matrix.remodeling import MatrixRemodeling
from .matrix.reservoir import Reservoir
from .matrix.sensing import MatrixSensing
from .maturation import Maturation
from .mechanics import Mechanics
from .metabolism import metabolism
from .metastasis.cascade import Metastasis
from .metastasis.intravasation import Intravasation
from .motility import Motility
from .networks import Networks
from .operations import Operations
from .outflow import Outflow
from .outside import FreezePlaced
from .p53 import P53
from .phases import Phase
from .physicell import plan as physicell
from .polarization import Polarization
from .radiation import Radiation
from .rules import Rules
from .secretion import Secretion
from .senescence import Senescence
from .sensing import Sensing
from .smad import Smad
from .springs import Springs
from .stat3 import Stat3
from .stemness import Stemness
from .supply import Supply
from .surface import Surface
from .transformation import Transformation
from .transport import Transport
from .trapping import trapping
from .variation import Variation
from .vessels.adaptation import Adaptation
from .vessels.compression import Compression
from .vessels.exchange import VesselExchange
from .vessels.maturation import VesselMaturation
from .vessels.perfusion import Perfusion
from .vessels.regression import Regression
from .vessels.secretion import VesselSecretion
from .vessels.sprouting import Sprouting
from .vessels.tips import Tips
from .volume import Volume


@dataclass(frozen=True)
class Order:
    """Who acts after whom.

    mechanisms   Processes and loops, each of which says whether a model needs it (`why`) and makes itself (`of`)
    slots        of one tick, in their order
    tick         model -> min of one tick
    summed       model -> min of the steps whose sum is the time, or 0 (engine/plan.py)
    exact        rates are hazards; else chances per step
    """

    mechanisms: tuple[Any, ...]
    slots: tuple[str, ...]
    tick: Callable[[Any], float]
    summed: Callable[[Any], float]
    exact: bool

    @property
    def events(self) -> list[str]:
        """Kinds of events that its mechanisms log."""
        return list(dict.fromkeys(e for m in self.mechanisms for e in plain(m).events))


MECHANISMS = (
    # cells that were placed outside the domain take no part in the tick
    Variant(FreezePlaced, slot="transport", freeze=True),
    # transport: what is released and taken up, then where it goes
    Schedule, Secretion, Supply, VesselSecretion, PlasmaLevels, VesselExchange, Lymph,
    protease_cascade, timp_binding, cathepsin_decay, Reservoir, Prodrug, Binding, Neutralising, Transport,
    # sense, decide
    Internalisation, Occupancy, Held, Bound, Phase, Sensing, MatrixSensing, Variation, Rules, Senescence,
    Transformation,
    # act
    Motility, Death, Cycle, Volume, Networks,
    Hypoxia, Stat3, Smad, Emt, Amoeboid, P53, Drive,
    Polarization, Activation, Exhaustion, Maturation, Caf, Inflammation,
    acidity, metabolism, Surface, checkpoint, antigen, trapping,
    # what the matrix does to cells, and they to it
    MatrixRemodeling, Guidance,
    # move
    damage, Contacts, Springs, Mechanics, Membrane,
    # renew: arrivals and departures, what is pushed out, births and deaths, what mothers pass on
    Radiation, Recruitment, Operations, Intravasation, Circulation, Metastasis, Outflow, Division, Stemness, Evolution,
    # remodel: what presses, walls, what grows and what goes, then the blood that fits it and the fluid it loses
    SolidStress, Compression, VesselMaturation, Sprouting, Tips, Regression, Adaptation, Perfusion, Lymphangiogenesis,
    FluidPressure,
    Variant(FreezePlaced, slot="body", freeze=False),
)  # fmt: skip

ORDERS = {
    "oncarium": Order(MECHANISMS, SLOTS, lambda model: model.clock.tick, lambda model: 0.0, exact=True),
    "physicell": Order(
        physicell.MECHANISMS, physicell.SLOTS, physicell.tick_minutes, lambda model: model.clock.transport, exact=False
    ),
}


def reasons(model: Any) -> list[tuple[str, Why]]:
    """Every mechanism of a model's numerics, in order, and why it is there or is not; at the end those of the user."""
    out = []
    for m in ORDERS[model.numerics].mechanisms:
        mechanism = plain(m)
        out.append(
            (
                f"{mechanism.__name__} in {m.slot}" if isinstance(m, Variant) and m.slot else mechanism.__name__,
                m.why(model),
            )
        )
    return out + [(p.name, Why(True, "a mechanism of your own")) for p in model.processes]
