"""Process: one mechanism, with its columns, its slot and its period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from .column import Column
from .random import stream_of

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


class Process:
    """Base of all mechanisms.

    A subclass sets `section` (first word of its columns' names), `slot`, declares Columns as class attributes and
    writes `step(tissue, tick)`. `reads`, `sets`, `adds` name columns and arrays: the Plan checks that one owner at most
    sets an array within a slot, and prints them.

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
    slot: str = "act"
    reads: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    declared: ClassVar[dict[str, Column]] = {}
    period: float = 0.0  # min; 0 is every tick
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

    @property
    def name(self) -> str:
        """What the plan calls it."""
        return type(self).__name__

    @property
    def stream(self) -> int:
        """Number of this process's random stream."""
        return stream_of(self.name)

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
