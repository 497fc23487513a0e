"""Response of a patient by RECIST 1.1: sums of diameters, visits, confirmation, new lesions, the best overall response.

Eisenhauer et al. 2009, DOI 10.1016/j.ejca.2008.10.026. Complete response (CR): all target lesions gone, lymph nodes
below 10 mm. Partial (PR): the sum at least 30 % below baseline. Progression (PD): the sum at least 20 % and 5 mm above
its smallest so far, or a new lesion, or others that unequivocally progress. Stable (SD): none of these. NE: not
evaluable. Lesions that are there but too small to measure count 5 mm; response needs a second visit four weeks later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ModelError, Problem

if TYPE_CHECKING:
    from .lesion import Lesion

MEASURABLE, MEASURABLE_NODE, NORMAL_NODE = 10.0, 15.0, 10.0  # mm
TOO_SMALL, GONE = 5.0, 1.0  # mm: counted as where something is seen, and below which nothing is
PARTIAL, PROGRESS, LEAST = 0.30, 0.20, 5.0
CONFIRM, STABLE = 28.0, 42.0  # days
MOST, MOST_OF_ORGAN = 5, 2  # target lesions
SLACK = 1e-9
OTHERS = ("none", "gone", "present", "progress", "unknown")
RANK = {"CR": 4, "PR": 3, "SD": 2, "PD": 1, "NE": 0}


@dataclass(frozen=True)
class Visit:
    """One look at a patient.

    day         since the baseline, which is the first visit
    diameters   of the target lesions, mm, the short axis of lymph nodes; None where one was not evaluated
    new         is there a new lesion?     others   of those not measured: none, gone, present, progress or unknown

    >>> Visit(0.0, (20.0, 12.0)).diameters
    (20.0, 12.0)
    """

    day: float
    diameters: tuple[float | None, ...]
    new: bool = False
    others: str = "none"


@dataclass(frozen=True)
class Assessment:
    """What the visits come to.

    days, sums       of every visit, mm (nan where a lesion was not evaluated)     changes   from baseline, %
    responses        at every visit after the baseline: CR, PR, SD, PD or NE
    best             with confirmation     unconfirmed   without     nadir   the smallest sum, mm, and its day
    progression      day of progression, None where there is none     followed   day of the last evaluable visit
    """

    days: tuple[float, ...]
    sums: tuple[float, ...]
    changes: tuple[float, ...]
    responses: tuple[str, ...]
    best: str
    unconfirmed: str
    nadir: tuple[float, float]
    progression: float | None
    followed: float

    @property
    def best_change(self) -> float:
        """The largest fall (or the smallest rise) of the sum after baseline until progression, %."""
        last = math.inf if self.progression is None else self.progression
        later = [c for d, c in zip(self.days[1:], self.changes[1:]) if d <= last and math.isfinite(c)]
        return min(later, default=math.nan)

    @property
    def responder(self) -> bool:
        """Is the best response complete or partial?"""
        return self.best in ("CR", "PR")

    def progression_free(self, death: float | None = None) -> tuple[float, bool]:
        """Days without progression, and whether progression (or death, given its day) ended them.

        >>> assess([Visit(0.0, (20.0,)), Visit(42.0, (30.0,))]).progression_free()
        (42.0, True)
        """
        ends = [d for d in (self.progression, death) if d is not None]
        return (min(ends), True) if ends else (self.followed, False)


def assess(
    visits: Sequence[Visit], nodes: Sequence[bool] = (), *, confirm: float = CONFIRM, stable: float = STABLE
) -> Assessment:
    """The responses of one patient.

    nodes     which target lesions are lymph nodes (none where nothing is said)
    confirm   days that must lie between two visits with a response     stable   days from baseline that SD needs

    Raises ModelError with all that is wrong with the visits.

    >>> sizes = {0.0: (30.0, 20.0), 42.0: (20.0, 10.0), 84.0: (18.0, 10.0), 126.0: (26.0, 12.0)}
    >>> found = assess([Visit(day, both) for day, both in sizes.items()])
    >>> found.responses, found.best, found.progression
    (('PR', 'PR', 'PD'), 'PR', 126.0)
    """
    _check(visits, nodes)
    is_node = tuple(nodes) or (False,) * len(visits[0].diameters)
    sums = tuple(math.nan if None in v.diameters else math.fsum(d for d in v.diameters if d) for v in visits)
    base, nadir, when = sums[0], sums[0], visits[0].day
    responses: list[str] = []
    for visit, total in zip(visits[1:], sums[1:]):
        responses.append(_response(visit, total, base, nadir, is_node))
        if total < nadir:
            nadir, when = total, visit.day
    first_pd = responses.index("PD") if "PD" in responses else len(responses)
    until = [(v.day, r) for v, r in zip(visits[1 : first_pd + 2], responses)]
    seen = [v.day for v, r in zip(visits[1:], responses) if r != "NE"]
    best = max((r for _, r in until), key=RANK.__getitem__, default="NE")
    return Assessment(
        tuple(v.day for v in visits), sums, tuple(100.0 * (s / base - 1.0) for s in sums), tuple(responses),
        _confirmed(until, confirm, stable), best, (nadir, when),
        visits[first_pd + 1].day if first_pd < len(responses) else None, max(seen, default=visits[0].day),
    )  # fmt: skip


def _check(visits: Sequence[Visit], nodes: Sequence[bool]) -> None:
    wrong: list[str] = []
    if not visits:
        raise InputError("visits", "a patient without a visit.", "Expected a baseline, and visits after it.")
    size = len(visits[0].diameters)
    if size == 0 or None in visits[0].diameters or sum(d or 0.0 for d in visits[0].diameters) <= 0.0:
        wrong.append("at baseline every target lesion needs a diameter above 0.")
    if nodes and len(nodes) != size:
        wrong.append(f"{len(nodes)} entries of nodes, and {size} lesions.")
    for k, v in enumerate(visits):
        if len(v.diameters) != size:
            wrong.append(f"visit {k + 1} has {len(v.diameters)} lesions, the baseline {size}.")
        if any(d is not None and not 0.0 <= d < math.inf for d in v.diameters):
            wrong.append(f"visit {k + 1} has a diameter that is no length: {v.diameters}.")
        if v.others not in OTHERS:
            wrong.append(f"visit {k + 1} says '{v.others}' of other lesions; expected one of {', '.join(OTHERS)}.")
        if k and not v.day > visits[k - 1].day:
            wrong.append(f"visit {k + 1}, on day {v.day:g}, is not after the one before it.")
    if wrong:
        raise ModelError([Problem("visits", "", text) for text in wrong])


def _response(visit: Visit, total: float, base: float, nadir: float, nodes: Sequence[bool]) -> str:
    known = math.fsum(d for d in visit.diameters if d is not None)  # what was not evaluated could only add to it
    if visit.new or visit.others == "progress":
        return "PD"
    if known >= nadir * (1.0 + PROGRESS) - SLACK and known >= nadir + LEAST - SLACK:
        return "PD"
    if math.isnan(total):
        return "NE"
    gone = all((d or 0.0) < NORMAL_NODE if node else d == 0.0 for d, node in zip(visit.diameters, nodes))
    if gone:  # CR of the targets: others decide, and unknown ones leave it at PR
        return {"none": "CR", "gone": "CR"}.get(visit.others, "PR")
    return "PR" if total <= base * (1.0 - PARTIAL) + SLACK else "SD"


def _confirmed(until: Sequence[tuple[float, str]], confirm: float, stable: float) -> str:
    """The best response, CR and PR only where a later visit, before progression, confirms it."""
    for wanted in ("CR", "PR"):
        days = [d for d, r in until if RANK[r] >= RANK[wanted]]
        if any(b - a >= confirm - SLACK for k, a in enumerate(days) for b in days[k + 1 :]):
            return wanted
    if any(r in ("CR", "PR", "SD") and d >= stable - SLACK for d, r in until):
        return "SD"
    if any(r == "PD" for _, r in until):
        return "PD"
    return "NE"


def seen_as(diameter: float, node: bool = False) -> float:
    """A diameter as it is written down: 0 where nothing is seen, 5 mm where it is too small to measure.

    >>> seen_as(0.4), seen_as(3.0), seen_as(12.0)
    (0.0, 5.0, 12.0)
    """
    if node:
        return diameter
    return 0.0 if diameter < GONE else max(diameter, TOO_SMALL)


def targets(lesions: Sequence[Lesion]) -> list[int]:
    """Which lesions are followed: the largest measurable ones, five at most, two of an organ at most."""
    able = [k for k, x in enumerate(lesions) if x.diameter >= (MEASURABLE_NODE if x.node else MEASURABLE)]
    out: list[int] = []
    for k in sorted(able, key=lambda k: (-lesions[k].diameter, k)):
        organ = lesions[k].organ
        if len(out) < MOST and (not organ or sum(lesions[j].organ == organ for j in out) < MOST_OF_ORGAN):
            out.append(k)
    return sorted(out)


def visits_of(lesions: Sequence[Lesion], days: Sequence[float], new: Any = ()) -> list[Visit]:
    """Visits to a patient with these lesions. days: from the baseline, day 0 of the lesions, on; new: days on which a
    new lesion appears. Raises InputError where no lesion is measurable.

    >>> from oncarium.study.lesion import Growth, Lesion
    >>> shrinking = Growth((0.0, 90.0), (100.0,), (1900.0,), (90000.0,))    # -0.02 a day
    >>> assess(visits_of([Lesion(30.0, (shrinking,))], [0.0, 42.0, 84.0, 126.0])).responses
    ('SD', 'PR', 'PR')
    """
    followed = targets(lesions)
    if not followed:
        raise InputError(
            "lesions", "none of the lesions is measurable;", f"expected one of {MEASURABLE:g} mm at least."
        )
    found = [(lesions[k], lesions[k].diameters(days)) for k in followed]
    return [
        Visit(float(d), tuple(seen_as(float(size[n]), x.node) for x, size in found), any(0.0 < at <= d for at in new))
        for n, d in enumerate(days)
    ]
