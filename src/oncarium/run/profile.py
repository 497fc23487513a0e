"""Where the time of a model goes: per process what every firing costs, what of it stays without cells, what each cell
adds, and how often it does what takes its time."""

from __future__ import annotations

import time

import numpy as np

from ..engine.plan import Plan
from ..model.model import Model
from .simulation import Simulation

THIN = 20  # one cell of so many is left where the fixed cost is measured
WARM = 10  # ticks before the measurement


class Spent:
    """What the time of one run goes into: made before it, an observer of it, told when it is done; then printed."""

    def __init__(self) -> None:
        self.simulation: Simulation | None = None
        self.began = self.made = self.done = time.perf_counter()

    def __call__(self, simulation: Simulation) -> None:
        if self.simulation is None:
            self.simulation, self.made = simulation, time.perf_counter()

    def ran(self) -> None:
        """The run is over; what follows is the report."""
        self.done = time.perf_counter()

    def __str__(self) -> str:
        if self.simulation is None:
            return "nothing was run"
        ticks = sum(self.simulation.plan.seconds)
        spent = {"start": self.made - self.began, "ticks": ticks, "recording": self.done - self.made - ticks}
        spent["report"] = time.perf_counter() - self.done
        said = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in spent.items())
        return f"{table(self.simulation.plan, self.simulation.tick)}\n{said}"


def profile(model: Model, ticks: int = 60, seed: int | None = None, threads: int | None = None) -> str:
    """A table: ms per firing, what of it stays when nearly all cells are gone (fixed), ns that each cell adds, and
    counts per firing. Two simulations go side by side, tick by tick, the second with every twentieth cell.

    >>> import oncarium as oc
    >>> print(profile(oc.Model.from_text(oc.EXAMPLE), ticks=2).splitlines()[0])
    slot      process      period       ms  share  fixed ms  ns/cell  per firing
    """
    whole, thin = (Simulation(model, seed, threads) for _ in range(2))
    some = thin.tissue.cells
    some.reorder(np.arange(0, some.n, THIN))
    for _ in range(max(WARM, *whole.plan.every)):  # loading and compiling do not count
        whole.step()
        thin.step()
    for simulation in (whole, thin):
        simulation.plan.forget_times()
    for _ in range(ticks):
        whole.step()
        thin.step()
    told = f"{whole.tissue.cells.n:,} cells, {whole.threads} thread{'s' * (whole.threads > 1)}"
    return f"{table(whole.plan, ticks, (thin.plan, some.n, whole.tissue.cells.n))}\n{told}"


def table(plan: Plan, ticks: int, beside: tuple[Plan, int, int] | None = None) -> str:
    """What `ticks` of a plan cost. beside: the same plan with fewer cells, how many it has, and how many this has."""
    rows = plan.rows()
    thin, few, many = beside or (plan, 0, 0)
    split = many > few
    wide = max(len(r["process"]) for r in rows)
    head = f"{'slot':<10}{'process':<{wide}}{'period':>10}{'ms':>9}{'share':>7}"
    head += f"{'fixed ms':>10}{'ns/cell':>9}" * split + "  per firing"
    lines, whole, still = [head, "-" * len(head)], 0.0, 0.0
    for row, other in zip(rows, thin.rows()):
        each = max(0.0, row["ms"] - other["ms"]) / (many - few) if split else 0.0
        fixed = max(0.0, other["ms"] - each * few)
        a_tick = row["firings"] / ticks
        whole, still = whole + row["ms"] * a_tick, still + fixed * a_tick
        line = f"{row['slot']:<10}{row['process']:<{wide}}{row['period']:>6g} min{row['ms']:>9.3f}{row['share']:>7.0%}"
        line += f"{fixed:>10.3f}{1e6 * each:>9.0f}" * split
        lines.append(line + "  " + ", ".join(f"{n:.3g} {what}" for what, n in row["counts"].items()))
    lines.append(f"{'a tick':<{10 + wide}}{plan.tick_minutes:>6g} min{whole:>9.3f}{'':>7}" + f"{still:>10.3f}" * split)
    return "\n".join(line.rstrip() for line in lines)
