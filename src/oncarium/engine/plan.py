"""Plan: the processes of a simulation in their order, checked, printed and timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

from ..errors import OncariumError
from .process import SLOTS, Process, Tick
from .tissue import Tissue

SORT_FROM = 20_000  # cells; fewer stay in cache anyway
SORT_TICKS = 64
WIDTH = 70  # characters that a plan prints of what one process reads, or writes


def brief(names: str, width: int = WIDTH) -> str:
    """A list of columns that fits: several of one section become
    `section.*`, and the rest that does not fit is counted.

    >>> brief("emt.level, caf.rise, emt.rise, caf.fall, vital", 24)
    'emt.*, caf.*, vital'
    >>> brief("emt.level, caf.rise, emt.rise, caf.fall, vital", 16)
    'emt.* and 2 more'
    """
    if len(names) <= width:
        return names
    each = names.split(", ")
    section = [n.partition(".")[0] for n in each]
    folded = list(dict.fromkeys(f"{s}.*" if "." in n and section.count(s) > 1 else n for n, s in zip(each, section)))
    if len(", ".join(folded)) <= width:
        return ", ".join(folded)
    for kept in range(len(folded) - 1, 0, -1):
        text = f"{', '.join(folded[:kept])} and {len(folded) - kept} more"
        if len(text) <= width:
            return text
    return f"{len(folded)} names"


class PlanError(OncariumError, ValueError):
    """Two owners of one array, or a period that is not a whole number of ticks."""


class Plan:
    """Order by slot, then the order given (in `transport`, whoever
    adds sources before whoever solves); one firing per period.

    A process with period p fires at every tick that is a multiple of p / tick_minutes, the first at tick 0.
    summed   min, or 0: time is the sum of so many steps of this length, with their rounding, as the field's standard
             code counts it; what is compared with a multiple of the step then falls on the same side.

    `print(plan)` shows slot, process, period, what it reads and writes, ms per firing and share of the time.
    """

    def __init__(
        self, processes: Sequence[Process], tick_minutes: float, slots: Sequence[str] = SLOTS, summed: float = 0.0
    ):
        self.tick_minutes = tick_minutes
        self.slots = tuple(slots)
        self.summed = summed
        self._sum = (0, 0.0)  # a tick and its summed time
        self._fired: dict[int, float] = {}  # summed time of the last firing, by period
        self.processes = sorted(
            processes, key=lambda p: (self.slots.index(p.slot), p.slot == "transport" and bool(p.sets))
        )
        self.every = [self._ticks(p) for p in self.processes]
        self.seconds = [0.0] * len(self.processes)
        self.firings = [0] * len(self.processes)
        self.counted: list[dict[str, int]] = [{} for _ in self.processes]
        self._check_owners()

    def _ticks(self, process: Process) -> int:
        period = process.period or self.tick_minutes
        ratio = Fraction(period).limit_denominator(10**6) / Fraction(self.tick_minutes).limit_denominator(10**6)
        if ratio.denominator != 1 or ratio < 1:
            raise PlanError(
                f"{process.name}: a period of {period:g} min is not a whole number of ticks of {self.tick_minutes:g} "
                f"min; choose a multiple of {self.tick_minutes:g} min"
            )
        return int(ratio)

    def _check_owners(self) -> None:
        owner: dict[tuple[str, str], str] = {}
        for p in self.processes:
            for array in p.sets:
                first = owner.setdefault((p.slot, array), p.name)
                if first != p.name:
                    raise PlanError(
                        f"slot {p.slot}: {first} and {p.name} both set {array}; let one of them add, or move it to "
                        "another slot"
                    )

    def tick(self, tissue: Tissue, seed: int) -> None:
        """Fire everything due at the tissue's tick, in order, and advance the clock by one tick."""
        number = tissue.tick
        tissue.population.begin()
        if number % SORT_TICKS == 0 and tissue.cells.n >= SORT_FROM:
            tissue.sort_in_space()
        minutes = self._minutes(number) if self.summed else {}
        counted = self._sum[1] if self.summed else tissue.time
        for k, process in enumerate(self.processes):
            every = self.every[k]
            if number % every == 0:
                start = time.perf_counter()
                process.step(
                    tissue, Tick(number, tissue.time, minutes.get(every, every * self.tick_minutes), seed, counted)
                )
                self.seconds[k] += time.perf_counter() - start
                self.firings[k] += 1
        tissue.tick = number + 1
        tissue.time = tissue.tick * self.tick_minutes

    def _minutes(self, number: int) -> dict[int, float]:
        """Minutes since the last firing, by period in ticks: differences
        of summed times; the first firing has its whole period."""
        steps = round(self.tick_minutes / self.summed)
        now = self._summed_time(number, steps)
        out = {}
        for every in set(self.every):
            if number % every == 0 and number > 0:
                if every not in self._fired:  # after a restart
                    self._fired[every] = self._summed_time(number - every, steps)
                    self._sum = (number, now)
                out[every] = now - self._fired[every]
            if number % every == 0:
                self._fired[every] = now
        return out

    def _summed_time(self, number: int, steps: int) -> float:
        tick, t = self._sum if self._sum[0] <= number else (0, 0.0)
        for _ in range((number - tick) * steps):
            t += self.summed
        self._sum = (number, t)
        return t

    def forget_times(self) -> None:
        """Start the timings and counts anew."""
        self.seconds = [0.0] * len(self.processes)
        self.firings = [0] * len(self.processes)
        self.counted = [p.counts() for p in self.processes]

    def rows(self) -> list[dict]:
        """One dict per process: slot, process, period (min), reads, writes, firings, ms (per firing), share, and what
        it counts (per firing)."""
        total = sum(self.seconds) or 1.0
        return [
            {
                "slot": p.slot,
                "process": p.name,
                "period": self.every[k] * self.tick_minutes,
                "reads": ", ".join(p.reads),
                "writes": ", ".join([*p.sets, *(f"+{a}" for a in p.adds)]),
                "firings": self.firings[k],
                "ms": 1e3 * self.seconds[k] / max(1, self.firings[k]),
                "share": self.seconds[k] / total,
                "counts": {
                    what: (n - self.counted[k].get(what, 0)) / max(1, self.firings[k]) for what, n in p.counts().items()
                },
            }
            for k, p in enumerate(self.processes)
        ]

    def __str__(self) -> str:
        rows = [{**r, "reads": brief(r["reads"]), "writes": brief(r["writes"])} for r in self.rows()]
        wide = max([len("reads"), *(len(r["reads"]) for r in rows)])
        head = f"{'slot':<10}{'process':<18}{'period':>9}{'ms':>9}{'share':>7}  {'reads':<{wide}}  writes"
        lines = [head, "-" * len(head)]
        for r in rows:
            lines.append(
                f"{r['slot']:<10}{r['process']:<18}{r['period']:>5g} min{r['ms']:>9.3f}{r['share']:>7.0%}"
                f"  {r['reads']:<{wide}}  {r['writes']}"
            )
        return "\n".join(lines)
