"""Process: one mechanism, with its columns, its slot and its period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from .column import Column
from .random import stream_of
from .why import Why, given, lives_on, spoken

if TYPE_CHECKING:
    from .tissue import Tissue

SLOTS = ("transport", "sense", "decide", "act", "move", "renew", "remodel", "body")


@dataclass(frozen=True)
class Tick:
    """One firing of a process.

    number   ticks since the start     time   minutes since the start
    dt       minutes this firing covers     seed   the run's seed
    counted  the same time as a plan that sums its steps counts it, with their rounding
    """

    number: int
    time: float
    dt: float
    seed: int
    counted: float = 0.0


class Firing(NamedTuple):
    """What a kernel is told of one firing.

    seed, stream, tick   of its random numbers      dt   min     exact   rates are hazards; else chances per step
    """

    seed: np.uint64
    stream: int
    tick: int
    dt: float
    exact: bool


@dataclass(frozen=True)
class Number:
    """One number of a mechanism, which a model may set under the mechanism's group ("vessels.sprouting.rate").

    source   its evidence as in a file: "@Key2016 M 1..4", "assumed 1..4"     ge, le   bounds, or None

    >>> Number("rate", "1/min", 2.5e-4, "assumed", ge=0.0).name
    'rate'
    """

    name: str
    unit: str
    default: float
    source: str
    doc: str = ""
    ge: float | None = None
    le: float | None = None


class Process:
    """Base of all mechanisms.

    A subclass sets `section` (first word of its columns' names), `slot`, declares Columns as class attributes and
    writes `step(tissue, tick)`. `reads`, `sets`, `adds` name columns and arrays: the Plan checks that one owner at most
    sets an array within a slot, and prints them.

    A mechanism answers for itself: `why(model)` says whether a model needs it, `of(model, build)` makes it as the model
    needs it. By default it is there where the model speaks of its section and has the factors and the part of the
    tissue that it works on.

    >>> from oncarium.engine.column import State
    >>> class Ageing(Process):
    ...     section = "ageing"
    ...     age = State("min", doc="since birth", inherit="zero")
    ...     def step(self, tissue, tick):
    ...         tissue.cells["ageing.age"][:] += tick.dt
    >>> [c.name for c in Ageing().columns()]
    ['ageing.age']
    """

    section: str = ""
    slot: str = "act"  # of a tick; "" where a mechanism is columns only
    reads: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    declared: ClassVar[dict[str, Column]] = {}
    group: str = ""  # of a model where its numbers stand, and which switches it on where it has one
    numbers: tuple[Number, ...] = ()
    requires: tuple[str, ...] = ()  # rare columns that it cannot do without
    events: tuple[str, ...] = ()  # kinds of events that it logs
    # sections or columns that switch it on where a model speaks of them; its section, if empty
    words: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()  # sections of a model that it answers for; those of its columns, if empty
    needs: tuple[str, ...] = ()  # factors that it works on
    makes: tuple[str, ...] = ()  # factors that it releases besides what cells secrete
    part: str = ""  # member of the tissue that it works on besides cells and fields
    clock: str = "phenotype"  # which of the model's steps it keeps: transport, mechanics or phenotype
    period: float = 0.0  # min; 0 is every tick
    exact: bool = True  # rates are hazards; else chances per step
    threads: int = 1  # that its loops may use; no result depends on it

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        own = {}
        for key, value in list(vars(cls).items()):
            if isinstance(value, Column):
                column = value.named(value.name or (f"{cls.section}.{key}" if cls.section else key))
                setattr(cls, key, column)
                own[column.name] = column
        cls.declared = {**cls.declared, **own}

    @classmethod
    def why(cls, model: Any) -> Why:
        """Whether a model needs this mechanism, and the reason."""
        if cls.group:
            return lives_on(cls, model) and given(cls.group in model.groups, cls.group, f"nobody speaks of {cls.group}")
        return lives_on(cls, model) and spoken(model, *(cls.words or (cls.section,)))

    @classmethod
    def of(cls, model: Any, build: Any, **options: Any) -> Process:
        """This mechanism as a model needs it. options: of its constructor, for plans that want it otherwise."""
        return cls(build.minutes(cls.clock), **cls.said(model), **options)  # type: ignore[call-arg]

    @classmethod
    def said(cls, model: Any) -> dict[str, float]:
        """Its numbers as a model has them."""
        group = model.groups.get(cls.group, {}) if cls.numbers else {}
        return {n.name: group[n.name] for n in cls.numbers if n.name in group}

    @property
    def name(self) -> str:
        """What the plan calls it."""
        return type(self).__name__

    @property
    def stream(self) -> int:
        """Number of this process's random stream."""
        return stream_of(self.name)

    def firing(self, tick: Tick) -> Firing:
        """What its kernels are told of this firing."""
        return Firing(np.uint64(tick.seed), self.stream, tick.number, float(tick.dt), self.exact)

    def columns(self) -> list[Column]:
        """Columns that a tissue needs for this process."""
        return list(self.declared.values())

    def prepare(self, tissue: Tissue) -> None:
        """Build tables and check them against the tissue, once, before the first tick."""

    def step(self, tissue: Tissue, tick: Tick) -> None:
        """Change the tissue by one period."""
        raise TypeError(f"{self.name} has no step")

    def state(self) -> dict:
        """What a checkpoint must keep of the process itself, beyond the tissue."""
        return {}

    def restore(self, state: dict) -> None:
        """Take back what `state` gave."""

    def counts(self) -> dict[str, int]:
        """How often it did what takes its time, since it was made: evaluations, solves, cycles and the like."""
        return {}

    def rearm(self) -> None:
        """After an event that changes the tissue at once (a dose, a branch): forget what was true before."""


class Variant:
    """A mechanism that stands in an order otherwise than it would by itself.

    process   the mechanism     why   its condition     slot, requires   of the process     options   of its constructor
    """

    def __init__(
        self,
        process: Any,
        *,
        why: Callable[[Any], Why] | None = None,
        slot: str = "",
        requires: tuple[str, ...] = (),
        **options: Any,
    ):
        self.process = process
        self.why = why or process.why
        self.slot = slot
        self.requires = requires
        self.options = options

    def of(self, model: Any, build: Any) -> Process:
        """The mechanism as a model needs it, in this way."""
        made = self.process.of(model, build, **self.options)
        made.slot = self.slot or made.slot
        made.requires = self.requires or made.requires
        return made


def plain(mechanism: Any) -> Any:
    """The Process or loop that an entry of an order stands for, whatever its variant."""
    return mechanism.process if isinstance(mechanism, Variant) else mechanism
