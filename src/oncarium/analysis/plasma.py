"""What blood holds of a drug over time: the figure, and the levels that a regimen leads to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..biology.drugs.pharmacokinetics import Course, Pharmacokinetics
from ..errors import InputError, ModelError, Problem
from ..model.doses import Doses, read_doses
from ..model.drug import Drug, drugs, load_drug
from ..units import to_minutes
from .canvas import axes, styled
from .scales import FACTORS, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAY = 1440.0
INTERVALS = 8  # of the usual regimen that a course shows
POINTS = 1500
RANGE = 1e4  # highest over lowest of an axis
UNITS = {"nM": 1.0, "uM": 1e3, "mM": 1e6}
APART = 0.05  # relative difference that is worth a line of its own


@dataclass(frozen=True)
class Levels:
    """A regimen in blood: single doses (nmol), times (min), the course at these times, and numbers of it, in nM.

    peak, mean, trough   of total drug from the last but one to the last dose: highest, mean, and just before the last
    """

    drug: Drug
    species: str
    doses: Doses
    course: Course
    peak: float
    mean: float
    trough: float

    @property
    def times(self) -> np.ndarray:
        """min."""
        return self.course.times

    def mass(self, nanomolar: float) -> float:
        """ug/mL of nM."""
        return nanomolar * (self.drug.mass or 0.0) / 1000.0


def levels(
    drug: Drug | str | Path, doses: str | Sequence[str] = "", species: str = "", until: str | float | None = None
) -> Levels:
    """What blood holds of a drug under a regimen. Raises ModelError and InputError.

    drug      or its name, or the file of one
    doses     as people say them, "200 mg every 3 weeks"; the usual regimen when left out
    species   human or mouse; human where its numbers are known, when left out
    until     how long; eight intervals when left out

    >>> found = oc.levels("pembrolizumab", "200 mg every 3 weeks", until="168 day")
    >>> round(found.mass(found.trough))
    30
    """
    if not isinstance(drug, Drug):
        drug = load_drug(drug)
    species = species or next(iter(drug.plasma), "")
    if species not in drug.plasma:
        known = ", ".join(drug.plasma) or "none"
        raise InputError("species", f"the plasma of {drug.name} is not known in '{species}';", f"known: {known}.")
    said = [doses] if isinstance(doses, str) else list(doses)
    lines = [_named(drug, line) for line in (said if said != [""] else [drug.usual])]
    regimen = read_doses("\n".join(lines) if len(lines) > 1 else lines[0], drugs=[*drugs(), drug.name])
    others = [c.what for c in regimen.courses if c.what != drug.name]
    if others:
        raise InputError("doses", f"'{others[0]}' is another drug;", f"expected doses of {drug.name} only.")
    body = drug.plasma[species]
    if until is None:
        every = [max(c.every / max(1, len(c.days)), c.duration, 1.0) for c in regimen.courses]
        end = max(c.start + INTERVALS * e * max(1, len(c.days)) for c, e in zip(regimen.courses, every))
        end = max(end, max(DAY, 8.0 * max(every)))
    else:
        end = to_minutes(until)
    assert drug.mass is not None
    given = regimen.doses(end).resolved({drug.name: 1000.0 * drug.mass}, body.weight, body.area)
    if not len(given):
        raise InputError("doses", "nothing is given before the end.", remedy="Say a later end.")
    blood = Pharmacokinetics(body)
    bad = [d for d in given if d.route and _long(d.route) not in body.routes]
    if bad:
        told = f"{drug.name} cannot be given by the route '{bad[0].route}';"
        raise ModelError(Problem(bad[0].where, "doses", told, f"its file has {', '.join(body.routes)}."))
    looks = {0.0, end, *np.linspace(0.0, end, POINTS)}
    for d in given:
        during = d.time + d.duration * np.linspace(0.0, 1.0, 9)
        after = d.time + d.duration + max(d.duration, DAY) * np.geomspace(1e-4, 1.0, 24)
        looks |= {float(np.nextafter(d.time, 0.0)), *during.tolist(), *after.tolist()}
    looks = {t for t in looks if 0.0 <= t <= end}
    times = np.array(sorted(looks))
    course = blood.concentration(given.all, times)
    last = given[-1].time
    begin = given[-2].time if len(given) > 1 else 0.0
    if len(given) == 1:
        last = end
    within = (times >= begin) & (times < last)
    peak = float(course.total[within].max())
    mean = float(np.trapezoid(course.total[within], times[within]) / np.ptp(times[within]))
    trough = float(blood.concentration(given.all, [last], before=True).total[0])
    return Levels(drug, species, given, course, peak, mean, trough)


def coverage(found: Levels) -> dict[str, tuple[float, float, float]]:
    """What a drug acts on -> the concentration of half of it (nM), and the share that free drug of plasma covers from
    the last but one to the last dose: its mean, and just before the last.

    >>> [round(x, 3) for x in coverage(oc.levels("pembrolizumab"))["pd1"]]
    [0.029, 1.0, 1.0]
    """
    times, free = found.times, found.course.free
    first, last = (found.doses[-2].time, found.doses[-1].time) if len(found.doses) > 1 else (0.0, times[-1])
    within = (times >= first) & (times < last)
    out = {}
    for name, half in _halves(found.drug).items():
        share = free[within] / (free[within] + half)
        out[name] = (half, float(np.trapezoid(share, times[within]) / np.ptp(times[within])), float(share[-1]))
    return out


def _named(drug: Drug, line: str) -> str:
    """A line of doses that begins with the drug's name."""
    return line if line.split()[:1] == [drug.name] or "\n" in line else f"{drug.name} {line}"


def _long(route: str) -> str:
    from ..biology.drugs.pharmacokinetics import SHORT

    return SHORT.get(route, route)


@styled
def plasma(
    drug: Drug | str | Path | Levels, doses: str | Sequence[str] = "", species: str = "",
    until: str | float | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Concentration of a drug in plasma over time: all of it and what no protein or target holds, with its doses and
    the concentrations of half its effects. Arguments as of `levels`.

    >>> oc.plot.plasma("pembrolizumab").get_ylabel()
    'plasma concentration (nM)'
    """
    found = drug if isinstance(drug, Levels) else levels(drug, doses, species, until)
    ax = axes(ax, (6.6, 3.4))
    course, times = found.course, found.times
    scale, unit = (DAY, "day") if times[-1] > 3 * DAY else (60.0, "h")
    named = [("total", course.total, PALETTE[0], "-")]
    if not np.allclose(course.free, course.total, rtol=APART):
        named.append(("free", course.free, PALETTE[1], "-"))
    ligand = found.drug.plasma[found.species].ligand
    if ligand:
        name = ligand.factor or "ligand"
        named.append((f"{name}, total", course.targets["ligand"] + course.pairs["ligand"], FACTORS[2], "--"))
        named.append((f"{name}, free", course.targets["ligand"], FACTORS[3], "--"))
    for label, values, color, style in named:
        ax.plot(times / scale, values, style, color=color, lw=1.5, label=label)
    highest = max(float(np.nanmax(values)) for _, values, _, _ in named)
    lowest = min(float(np.min(v[v > 0])) for _, v, _, _ in named)
    ax.set_yscale("log")
    halves = {name: h for name, h in _halves(found.drug).items() if highest / RANGE < h < 30.0 * highest}
    low = max(highest / RANGE, min([lowest, *(h / 3.0 for h in halves.values())]))
    if ligand:  # its lowest free level is what the drug is given for
        low = min(low, 0.5 * float(np.min(course.targets["ligand"])))
    top = 3.0 * max([highest, *halves.values()])
    ax.set_ylim(10.0 ** math.floor(math.log10(low)), top)
    for half, names in _grouped(halves).items():
        ax.axhline(half, color="0.45", lw=0.8, ls=":")
        ax.annotate(
            f"half: {names}", (1.0, half), xycoords=("axes fraction", "data"), xytext=(-2, 2), fontsize=7, color="0.3",
            textcoords="offset points", ha="right", va="bottom", zorder=3,
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
    first = [d.time / scale for d in found.doses]
    ax.plot(
        first, np.full(len(first), 0.985), "v", color="0.3", ms=4, transform=ax.get_xaxis_transform(), clip_on=False
    )
    ax.set_xlim(0.0, times[-1] / scale)
    ax.set_xlabel(f"time ({unit})")
    ax.set_ylabel("plasma concentration (nM)")
    one = found.mass(1.0)
    twin = ax.secondary_yaxis("right", functions=(lambda y: np.multiply(y, one), lambda y: np.divide(y, one)))
    twin.set_ylabel("(µg/mL)")
    if len(named) > 1:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.16, 1.0), borderaxespad=0.0)
    ax.set_title(f"{found.drug.name}, {found.species}: {len(found.doses)} doses")
    return ax


def _halves(drug: Drug) -> dict[str, float]:
    """What a drug acts on -> concentration of half its effect or binding, nM."""
    out = {name.removeprefix("surface."): b.affinity for name, b in drug.binds.items()}
    out |= {name: n.affinity for name, n in drug.neutralises.items()}
    for who, sentences in drug.effects.items():
        for i, said in enumerate(sentences):
            words = said.split()
            half = drug.numbers.get(f"effects.{who}.{i}.half")
            if words[0] in (drug.name, f"{drug.name}_active") and half and half.unit in UNITS:
                out[words[2].removeprefix("sense.response.")] = half.value * UNITS[half.unit]
    return out


def _grouped(halves: dict[str, float]) -> dict[float, str]:
    """Concentration -> names, those of one concentration together."""
    out: dict[float, list[str]] = {}
    for name, half in halves.items():
        out.setdefault(half, []).append(name)
    return {half: ", ".join(dict.fromkeys(names)) for half, names in out.items()}
