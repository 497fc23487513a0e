"""Three drivers turn a scalar Python function into a compiled loop: each_cell, each_contact, each_voxel.

Argument names are the contract. They resolve, through the registry of columns only, to

    a column                 dots as underscores: `volume_total`, `cycle_exit` (the row of an axis column)
    one entry of an axis     `secretion_rate_oxygen`; a factor's concentration also as `sense_oxygen`
    other_<column>           each_contact: the neighbor's; and `distance` (um) between the centers
    <factor>                 each_voxel: its concentration
    supply_<factor>          each_voxel: what was added to its supply so far; and `voxel_volume` (um^3)
    u, u1, u2, u3            fresh uniform numbers in [0, 1) of this cell (pair, voxel) and this tick
    dt, time, kind, id       minutes of this step, minutes since the start, index of the cell's type, the cell's id
    keywords with a unit     `k="0.01 1/min"`: parameters, changed when the process is made

A process made by a driver keeps no tissue's data: one may serve several simulations.

The generated loop is a readable file; its path stands in tracebacks and in `describe()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..column import Column
from ..why import Why, lives_on, spoken
from .cells import LoopProcess
from .contacts import ContactProcess
from .source import LoopError, nearest
from .voxels import VoxelProcess

__all__ = ["LoopError", "each_cell", "each_contact", "each_voxel"]


OPTIONS = {
    "slot", "writes", "name", "columns", "of", "other", "among", "period", "clock", "reduce", "words", "needs", "makes"
}  # fmt: skip


class Maker:
    """What a driver leaves in place of the function: call it with parameters to make the process.

    It answers for itself as a Process does. words: sections or columns that switch it on, by default the function's
    name where it has columns of its own; needs: factors that it works on; makes: factors that it releases.
    """

    part = ""
    events: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()

    def __init__(self, process: type[LoopProcess], function: Callable, options: Mapping[str, Any]):
        options = dict(options)
        unknown = sorted(set(options) - OPTIONS)
        if unknown:
            raise LoopError(
                f"{function.__name__}: no option is called {unknown[0]}.{nearest(unknown[0], OPTIONS)} "
                f"There are: {', '.join(sorted(OPTIONS))}"
            )
        options["columns"] = tuple(options.get("columns", ()))
        for c in options["columns"]:
            if not isinstance(c, Column) or not c.name:
                raise LoopError(
                    f"{function.__name__}: columns has {str(c)[:60]}; "
                    "expected columns with a name, e.g. State('1', name='stress')"
                )
        self.needs: tuple[str, ...] = options.pop("needs", ())
        self.makes: tuple[str, ...] = options.pop("makes", ())
        self.words: tuple[str, ...] = options.pop("words", (function.__name__,) if options["columns"] else ())
        self.clock = options.pop("clock", "transport" if options["slot"] == "transport" else "phenotype")
        self.process, self.function, self.options = process, function, options
        self.slot, self.declared = options["slot"], {c.name: c for c in options["columns"]}
        self.__doc__ = function.__doc__
        self.__name__ = options.get("name") or function.__name__

    def __call__(self, **parameters) -> LoopProcess:
        return self.process(self.function, self.options, parameters)

    def why(self, model: Any) -> Why:
        """As Process.why."""
        here = lives_on(self, model)
        return here and spoken(model, *self.words) if self.words else here

    def of(self, model: Any, build: Any, **parameters: Any) -> LoopProcess:
        """As Process.of."""
        return self(period=build.minutes(parameters.pop("clock", self.clock)), **parameters)


def each_cell(*, slot: str = "act", writes: tuple[str, ...] = (), **options) -> Callable[[Callable], Maker]:
    """Compile a scalar function into a loop over cells; its return values are the new values of `writes`.

    slot, writes   where it acts, and the columns its return values go to, in order
    of             a type or several: only these cells         among   "live" (default), "dead" or "all"
    columns        those it declares: (State("1", name="stress"), ...)   period  min; every tick when left out
    clock          of the model, which those of the house keep: "phenotype" when left out

    >>> from oncarium.engine.column import State
    >>> @each_cell(writes=("age",), columns=(State("min", name="age"),))
    ... def ageing(age, dt):
    ...     return age + dt
    >>> ageing.function(3.0, 0.5)
    3.5
    """
    return lambda function: Maker(LoopProcess, function, {"slot": slot, "writes": writes, **options})


def each_contact(
    *, slot: str = "act", writes: tuple[str, ...] = (), reduce: str = "sum", **options
) -> Callable[[Callable], Maker]:
    """Compile "what does this neighbor do to me?" into a loop over all pairs of cells within their adhesion reaches.

    Own columns go by their names, the neighbor's by `other_<name>`; `distance` is in um. What the function returns is
    added to `writes` (reduce="sum"), or raises them to the largest value (reduce="max"), neighbor after neighbor in the
    order of ids; a signal starts from 0 at every firing. Neighbors show what they were before this step.

    other          a type or several: only these neighbors; the rest as for each_cell

    >>> @each_contact(writes=("damage.level",), of="tumor", other="killer")
    ... def burning(distance, dt, strength="0.1 1/min"):
    ...     return strength * dt / (1.0 + distance)
    >>> burning.function(9.0, 0.5, strength=2.0)
    0.1
    """
    return lambda function: Maker(
        ContactProcess, function, {"slot": slot, "writes": writes, "reduce": reduce, **options}
    )


def each_voxel(*, writes: tuple[str, ...], slot: str = "transport", **options) -> Callable[[Callable], Maker]:
    """Compile a reaction between factors into a loop over voxels.

    Arguments are factors' concentrations; what the function returns is added to
    `writes`: `supply_<factor>` (concentration/min), `demand_<factor>` (1/min) or
    `capacity_<factor>` (concentration/min), which the same tick's Transport uses up.

    >>> @each_voxel(writes=("demand_drug", "supply_product"))
    ... def conversion(drug, enzyme, rate="0.1 1/min"):
    ...     return rate * enzyme, rate * enzyme * drug
    >>> conversion.function(2.0, 3.0, rate=0.5)
    (1.5, 3.0)
    """
    return lambda function: Maker(VoxelProcess, function, {"slot": slot, "writes": writes, **options})
