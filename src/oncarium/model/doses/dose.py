"""Single doses, in the order of time: the one table that every notation comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import ModelError, Problem, did_you_mean
from .conditions import Rule
from .words import DAY, one_of, say, say_span

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dose:
    """One dose.

    time, duration   min; duration of an infusion, 0 a bolus     modelled   "rate" or "duration": the drug's model says
    amount, unit     of a drug as said, or nmol once resolved; Gy, %, cells
    kind             drug, radiation, surgery, cells or reset     route   "" is the drug's usual one
    steady           interval (min) of equal doses before it that reached a steady state; inf: an infusion at its rate
                     (amount over duration) did, and ends at its time
    added            that state is added to what is there      resets   what was given before is gone when it is given
    nth              place in its course, from 0      rules   on which it depends      where   file and line
    """

    time: float
    what: str
    amount: float
    unit: str
    kind: str = "drug"
    route: str = ""
    duration: float = 0.0
    modelled: str = ""
    steady: float = 0.0
    added: bool = False
    resets: bool = False
    patient: str = ""
    row: int = 0
    nth: int = 0
    rules: tuple[Rule, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Doses:
    """Doses in the order of time (patient by patient, where there are several).

    >>> doses = Doses((Dose(0.0, "x", 2.0, "mg"), Dose(60.0, "x", 3.0, "mg")))
    >>> len(doses), doses.totals
    (2, {('x', 'mg'): (2, 5.0)})
    """

    all: tuple[Dose, ...] = ()

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Dose]:
        return iter(self.all)

    def __getitem__(self, k: int) -> Dose:
        return self.all[k]

    @property
    def totals(self) -> dict[tuple[str, str], tuple[int, float]]:
        """(what, unit) -> number of doses, and their sum."""
        out: dict[tuple[str, str], tuple[int, float]] = {}
        for d in self.all:
            if d.kind != "reset" and d.steady != float("inf"):
                n, total = out.get((d.what, d.unit), (0, 0.0))
                out[d.what, d.unit] = (n + 1, total + d.amount)
        return out

    def of(self, patient: str) -> Doses:
        """Those of one patient."""
        return Doses(tuple(d for d in self.all if d.patient == patient))

    def resolved(
        self, masses: Mapping[str, float], weight: float, area: float, modelled: Mapping[str, float] | None = None
    ) -> Doses:
        """Amounts of drugs in nmol; what is no drug stays.

        masses   of each drug, g/mol     weight   kg     area   of the body, m^2
        modelled   what a drug's own model says where a dose leaves it to that: nmol/min of its rate, or min of its
        duration. Raises ModelError: an unknown drug, a rate or duration that no model says; all of them at once.

        >>> Doses((Dose(0.0, "x", 2.0, "mg/kg"),)).resolved({"x": 1e5}, 70.0, 1.8)[0].amount
        1400.0
        """
        problems, out = [], []
        for d in self.all:
            if d.kind != "drug":
                out.append(d)
                continue
            kind, one, per = one_of(d.unit)
            if d.what not in masses:
                problems.append(Problem(d.where, "", f"no drug is called '{d.what}'.{did_you_mean(d.what, masses)}"))
                continue
            amount = d.amount * one * {"": 1.0, "kg": weight, "m^2": area}[per]
            nmol = amount * 1e6 / masses[d.what] if kind == "mass" else amount
            duration, own = d.duration, (modelled or {}).get(d.what)
            if d.modelled and own is None:
                problems.append(
                    Problem(
                        d.where, "", f"the {d.modelled} of {d.what} is left to its model, which says none.",
                        remedy=f"Say the {d.modelled}, or give {d.what} one.",
                    )
                )  # fmt: skip
                continue
            if d.modelled and own is not None:
                duration = own if d.modelled == "duration" else nmol / own
            out.append(replace(d, amount=nmol, unit="nmol", duration=duration, modelled=""))
        if problems:
            raise ModelError(list(dict.fromkeys(problems)))
        return Doses(tuple(out))

    def frame(self) -> pd.DataFrame:
        """The table: patient, day, time (min), what, amount, unit, route, duration (min), notes."""
        import pandas as pd

        rows = [
            {
                "patient": d.patient, "day": d.time / DAY, "time": d.time, "what": d.what, "amount": d.amount,
                "unit": d.unit, "route": d.route if d.kind == "drug" else "", "duration": d.duration, "notes": notes(d),
            }
            for d in self.all
        ]  # fmt: skip
        names = ("patient", "day", "time", "what", "amount", "unit", "route", "duration", "notes")
        return pd.DataFrame(rows, columns=list(names))

    def table(self, most: int = 40) -> str:
        """The table as text, with units and totals; at most so many of its rows.

        >>> print(Doses((Dose(720.0, "x", 2.0, "mg", duration=30.0),)).table())
        day        what                   amount  route    over      notes
        0.5        x                        2 mg           30 min
        x: 1 dose, 2 mg in all
        """
        several = len({d.patient for d in self.all}) > 1
        head = f"{'patient ' if several else ''}{'day':<11}{'what':<18}{'amount':>11}  {'route':<9}{'over':<10}notes"
        lines = [head]
        for d in self.all[:most]:
            route = d.route if d.kind == "drug" else ""
            over = (d.modelled and f"its {d.modelled}") or (say_span(round(d.duration, 6)) if d.duration else "")
            amount = "" if d.kind == "reset" else f"{d.amount:.6g} {d.unit}"
            who = f"{d.patient:<8}" if several else ""
            day = f"{d.time / DAY:.6g}"
            lines.append(f"{who}{day:<11}{d.what:<18}{amount:>11}  {route:<9}{over:<10}{notes(d)}".rstrip())
        if len(self.all) > most:
            lines.append(f"... {len(self.all) - most} more")
        for (what, unit), (n, total) in self.totals.items():
            sum_ = f", {total:.6g} {unit} in all" if unit != "%" else ""
            lines.append(f"{what}: {n} dose{'s' if n > 1 else ''}{sum_}")
        return "\n".join(lines)


def notes(d: Dose) -> str:
    """What else is to be known of a dose, in words."""
    said = []
    if d.steady:
        how = "of its infusion" if d.steady == float("inf") else f"of one every {say_span(d.steady)}"
        said.append(f"{'adds ' if d.added else ''}steady state {how}")
    said += ["nothing before it stays"] if d.resets or d.kind == "reset" else []
    said += [str(rule) for rule in d.rules]
    return "; ".join(said)


def differ(a: Doses, b: Doses, tolerance: float = 1e-9) -> str:
    """What two tables differ in first; "" where they say the same, numbers within a relative tolerance.

    >>> differ(Doses((Dose(0.0, "x", 2.0, "mg"),)), Doses((Dose(0.0, "x", 3.0, "mg"),)))
    'dose 1: amount is 2 and 3'
    """
    if len(a) != len(b):
        return f"{len(a)} and {len(b)} doses"
    for k, (x, y) in enumerate(zip(a, b), 1):
        for name in ("time", "amount", "duration", "steady"):
            p, q = getattr(x, name), getattr(y, name)
            if p != q and not abs(p - q) <= tolerance * max(1.0, abs(p), abs(q)):
                return f"dose {k}: {name} is {say(p)} and {say(q)}"
        for name in ("what", "unit", "kind", "route", "modelled", "added", "resets", "patient", "rules"):
            if getattr(x, name) != getattr(y, name):
                return f"dose {k}: {name} is {getattr(x, name)} and {getattr(y, name)}"
    return ""
