"""What the rules of a model do where its tissue stands: which tell cells apart, which are the same everywhere, and
which sleep. A study that cuts a rule which is silent, masked or saturated has its answer before it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..biology.rules import Link, Rules
from ..engine.cells import Cells
from ..model.model import Model
from ..model.rule import Rule, speaks_of
from .simulation import Simulation

if TYPE_CHECKING:
    import pandas

SILENT, FAINT, MASKED, SATURATED = 0.05, 0.05, 0.2, 0.8  # of own response and of effect: see Operating
APART = 0.05  # by which own responses of the 10 % and the 90 % cell differ where a rule tells cells apart
VERDICTS = {
    "works": "acts, and tells cells apart",
    "uniform": "acts, but the same in all cells",
    "faint": "taking it away changes the behavior by less than 5 %",
    "masked": "responds, but others do the same: taking it away changes less than 5 %",
    "saturated": "nearly full in nine cells of ten",
    "silent": "its signal is far below its half",
    "asleep": "silent as long as nobody interferes, which its cell type says",
    "no cells": "no live cell of its type is there",
}


@dataclass(frozen=True)
class Operating:
    """One rule where the tissue stands, over the live cells of its type.

    signal    10, 50 and 90 % cell          own       its own response x / (1 + x), x = (signal / half)^hill: the same
    mean      of the own response           effect    what the behavior loses without this signal, as a share of its
                                                      range (of its value, where pathways multiply); mean over cells,
                                                      each as the mean of its type
    verdict   one of VERDICTS               reason    why it sleeps, where its type says so
    """

    type: str
    rule: Rule
    signal: tuple[float, float, float]
    own: tuple[float, float, float]
    mean: float
    effect: float
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class OperatingPoints:
    """All rules of a model at one moment; `str` of it is a table.

    >>> import oncarium as oc
    >>> found = operating_points(oc.Model.from_text(oc.EXAMPLE), "1 h")
    >>> [(p.type, " on ".join(p.rule.pair), p.verdict) for p in found.points]
    [('tumor', 'oxygen on death.necrosis', 'saturated')]
    """

    points: tuple[Operating, ...]
    when: str

    def counts(self) -> dict[str, int]:
        """Verdict -> number of rules, in the order of VERDICTS."""
        found = Counter(p.verdict for p in self.points)
        return {v: found[v] for v in VERDICTS if found[v]}

    def share(self, verdicts: Iterable[str]) -> float:
        """Share of rules with one of these verdicts, of those that do not sleep and have cells."""
        judged = [p for p in self.points if p.verdict not in ("asleep", "no cells")]
        wanted = set(verdicts)
        return sum(p.verdict in wanted for p in judged) / max(1, len(judged))

    def frame(self) -> pandas.DataFrame:
        """A row per rule."""
        import pandas

        return pandas.DataFrame([_row(p) for p in self.points])

    def __str__(self) -> str:
        head = ("type", "rule", "half", "hill", "signal 10/50/90 %", "own response", "effect", "verdict")
        rows = [head, *(_said(p) for p in self.points)]
        wide = [max(len(r[k]) for r in rows) for k in range(len(head))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, wide)).rstrip() for r in rows]
        lines.insert(1, "-" * max(map(len, lines)))
        count = self.counts()
        lines.append("")
        lines += [f"{n:>5}  {v:<10} {VERDICTS[v]}" for v, n in count.items()]
        lines.append(
            f"{self.when}: {self.share(['works', 'uniform']):.0%} of the rules act, "
            f"{self.share(['works']):.0%} act and tell cells apart."
        )
        return "\n".join(lines)


def operating_points(model: Model, until: Any = None, seed: int | None = None) -> OperatingPoints:
    """Grow a model until this time (its own end, where none is given) and look at every rule.

    Raises NumericsError where the run does.

    >>> import oncarium as oc
    >>> print(operating_points(oc.Model.from_text(oc.EXAMPLE), "1 h").counts())
    {'saturated': 1}
    """
    simulation = Simulation(model, seed)
    simulation.run(model.until if until is None else until)
    return look(simulation)


def look(simulation: Simulation) -> OperatingPoints:
    """Every rule of a simulation where it stands."""
    model, cells = simulation.model, simulation.tissue.cells
    rules = next((p for p in simulation.plan.processes if isinstance(p, Rules)), None)
    links = rules.links if rules else []
    groups: dict[tuple, list[Link]] = {}
    for link in links:
        groups.setdefault((link.type, link.behavior), []).append(link)
    sleeps = {t.name: t.sleeps for t in model.types}
    points = []
    for (name, rule), link in zip(model.rules, links, strict=True):
        mine = np.flatnonzero((cells["vital"][: cells.n] == 0) & (cells.type[: cells.n] == link.type))
        points.append(_operating(cells, mine, name, rule, link, groups[link.type, link.behavior], sleeps[name]))
    return OperatingPoints(tuple(points), f"After {simulation.time / 1440.0:g} days, {cells.n:,} cells")


def _response(x: np.ndarray) -> np.ndarray:
    """x / (1 + x)."""
    return x / (1.0 + x)


def _values(cells: Cells, place: tuple[str, str | int], mine: np.ndarray) -> np.ndarray:
    name, label = place
    column = cells[name][mine]
    if column.ndim == 1:
        return column.astype(float)
    return column[:, label if isinstance(label, int) else cells.labels(name).index(label)].astype(float)


def _base(cells: Cells, place: tuple[str, str | int], kind: int) -> float:
    name, label = place
    at = label if isinstance(label, int) else cells.labels(name).index(label)
    return float(np.atleast_1d(cells.base[name][kind])[max(at, 0)])


def behavior(
    base: float, links: list[Link], x: Mapping[int, np.ndarray], skip: Link | None = None
) -> tuple[np.ndarray, float]:
    """What rules (all of one behavior) make of the base, and the range it can have; x: id of a link -> its
    (signal / half)^hill over the cells. Without the link to skip."""
    count = len(next(iter(x.values())))
    made, most, least = np.full(count, base), base, base
    pathways = list(dict.fromkeys(link.pathway for link in links))
    for pathway in pathways:
        own = [link for link in links if link.pathway == pathway]
        up, down = [k for k in own if k.increases], [k for k in own if not k.increases]
        high = max([k.saturation for k in up] + ([base] if down or not up else []))
        low = min([k.saturation for k in down] + ([base] if up or not down else []))
        some = [sum((x[id(k)] for k in side if k is not skip), np.zeros(count)) for side in (up, down)]
        value = base + (high - base) * _response(some[0])
        value += (low - value) * _response(some[1])
        if len(pathways) == 1:
            return value, max(abs(high - base), abs(low - high), abs(base - low)) or 1.0
        made, most, least = made * value / base, most * high / base, least * low / base
    return made, most - least or 1.0


def _operating(
    cells: Cells, mine: np.ndarray, name: str, rule: Rule, link: Link, group: list[Link], sleeps: Mapping[str, str]
) -> Operating:
    nan = (float("nan"), float("nan"), float("nan"))
    if not len(mine):
        return Operating(name, rule, nan, nan, nan[0], nan[0], "no cells")
    x = {id(k): (np.maximum(_values(cells, k.signal, mine), 0.0) / k.half) ** k.power for k in group}
    x = {k: np.minimum(v, 1e300) for k, v in x.items()}
    base = _base(cells, link.behavior, link.type)
    with_it, span = behavior(base, group, x)
    lost = with_it - behavior(base, group, x, link)[0]
    if len({k.pathway for k in group}) > 1:
        effect = float((lost / np.maximum(np.abs(with_it), np.abs(with_it - lost) + 1e-300)).mean())
    else:
        effect = float(lost.mean()) / span
    own = _response(x[id(link)])
    signal, tenths = _tenths(_values(cells, link.signal, mine)), _tenths(own)
    verdict = _verdict(tenths, float(own.mean()), abs(effect))
    reason = next((why for said, why in sleeps.items() if speaks_of(said, rule.pair)), "")
    if reason and verdict not in ("works", "uniform"):
        verdict = "asleep"
    return Operating(name, rule, signal, tenths, float(own.mean()), effect, verdict, reason)


def _tenths(values: np.ndarray) -> tuple[float, float, float]:
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float(low), float(median), float(high)


def _verdict(own: tuple[float, float, float], mean: float, effect: float) -> str:
    if mean < SILENT and effect < 0.02:
        return "silent"
    if own[0] > SATURATED:
        return "saturated"
    if effect < FAINT:
        return "masked" if mean >= MASKED else "faint"
    return "works" if own[2] - own[0] > APART else "uniform"


def _row(p: Operating) -> dict[str, Any]:
    signal, target = p.rule.pair
    out = {"type": p.type, "signal": signal, "behavior": target, "increases": p.rule.increases, "to": p.rule.value,
           "unit": p.rule.unit, "half": p.rule.half, "half_unit": p.rule.half_unit, "hill": p.rule.hill,
           "pathway": p.rule.pathway}  # fmt: skip
    for k, percent in enumerate((10, 50, 90)):
        out |= {f"signal_{percent}": p.signal[k], f"own_{percent}": p.own[k]}
    return out | {"mean": p.mean, "effect": p.effect, "verdict": p.verdict, "reason": p.reason}


def _said(p: Operating) -> tuple[str, ...]:
    signal, target = p.rule.pair
    unit = "" if p.rule.half_unit == "1" else f" {p.rule.half_unit}"
    pathway = f" ({p.rule.pathway})" if p.rule.pathway else ""
    return (
        p.type,
        f"{signal} {'+' if p.rule.increases else '-'} {target}{pathway}",
        f"{p.rule.half:.3g}{unit}",
        f"{p.rule.hill:g}",
        "/".join(f"{v:.3g}" for v in p.signal),
        "/".join(f"{v:.2f}" for v in p.own),
        f"{p.effect:+.2f}",
        p.verdict,
    )
