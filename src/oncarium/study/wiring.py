"""Wiring check: every factor's secretion is set to zero in turn, and what that does to the tissue is a row of a table.

A factor that some cell hears must move at least one read-out; one that no cell hears must move none. Which factors are
heard is read from the model itself, so the check compares what is written down with what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis.wiring import read_wiring
from ..model.model import Model

SIGMAS = 3.5  # an effect of this many standard errors is no chance, even in a table of a few hundred
# heard by the matrix, by each other, or by metabolism
CHEMISTRY = ("mmp", "serine_protease", "cathepsin", "timp", "oxygen", "glucose")


def made(model: Model) -> list[str]:
    """Factors that cells secrete, by a rate or by a rule."""
    found = []
    for factor in model.factors:
        by_rate = any(model.numbers.get(f"cells.{t.name}.secretion.rate.{factor.name}") for t in model.types)
        if by_rate or any(r.behavior == ("secretion.rate", factor.name) for _, r in model.rules):
            found.append(factor.name)
    return found


def heard(model: Model) -> set[str]:
    """Factors that something in the model responds to: rules, chemotaxis, doors, networks, the matrix."""
    return {f.name for f in model.factors} & {*CHEMISTRY, *(e.signal for e in read_wiring(model).effects)}


def silenced(model: Model, factor: str) -> dict[str, Any]:
    """Changes by which no cell makes a factor."""
    out: dict[str, Any] = {}
    for t in model.types:
        if f"cells.{t.name}.secretion.rate.{factor}" in model.numbers:
            out[f"cells.{t.name}.secretion.rate.{factor}"] = 0
        wanted = (
            [f"* on secretion.rate.{factor}"] if any(r.behavior == ("secretion.rate", factor) for r in t.rules) else []
        )
        if factor == "tgfb" and any(r.behavior[0] == "reservoir.latent" for r in t.rules):
            wanted.append("* on reservoir.latent")
        if wanted:
            out[f"cells.{t.name}.rules-"] = wanted
    return out


@dataclass(frozen=True)
class Table:
    """What the lack of each factor does.

    change (factor, read-out)   log2 of the mean without the factor over that with it
    sigmas (factor, read-out)   the same in standard errors          heard (factor)   does anything in the model respond
                                to it
    """

    factors: tuple[str, ...]
    readouts: tuple[str, ...]
    change: np.ndarray
    sigmas: np.ndarray
    heard: tuple[bool, ...]

    @property
    def shifted(self) -> np.ndarray:
        """(factor, read-out) whether an effect is no chance."""
        return np.abs(self.sigmas) > SIGMAS

    def share(self, heard: bool) -> float:
        """Share of the factors that are heard (or are not) that shift at least one read-out; nan where there are
        none."""
        which = [bool(row.any()) for row, h in zip(self.shifted, self.heard) if h == heard]
        return float(np.mean(which)) if which else float("nan")


def table(factors: Mapping[str, bool], readouts: Sequence[str], values: Mapping[str, np.ndarray]) -> Table:
    """The table of an experiment.

    factors   name -> is it heard       values   "control" and every factor -> (read-out, seed)

    Chance is the spread of seeds within arms, pooled over all arms.

    >>> rng = np.random.default_rng(1)
    >>> arm = lambda mean: np.array([rng.normal(mean, 1.0, 4), rng.normal(50.0, 1.0, 4)])
    >>> arms = {"control": arm(100), "egf": arm(50), "ang1": arm(100)}
    >>> t = table({"egf": True, "ang1": False}, ["cells", "macrophages"], arms)
    >>> t.shifted.tolist(), t.share(True), t.share(False)
    ([[True, False], [False, False]], 1.0, 0.0)
    """
    logs = {k: np.log2(np.maximum(v, 1e-9)) for k, v in values.items()}
    seeds = logs["control"].shape[1]
    spread = (
        np.sqrt(np.mean([v.var(axis=1, ddof=1) for v in logs.values()], axis=0))
        if seeds > 1
        else np.full(len(readouts), np.nan)
    )
    change = np.array([logs[f].mean(axis=1) - logs["control"].mean(axis=1) for f in factors])
    sigmas = change / np.maximum(spread * np.sqrt(2.0 / seeds), 1e-12)
    return Table(tuple(factors), tuple(readouts), change, sigmas, tuple(factors.values()))


def heat_map(found: Table) -> Any:
    """Factors against read-outs; color: what the lack of the factor does; a dot: no chance; gray names: heard by
    nothing."""
    from ..analysis.canvas import new_figure

    rows, columns = found.change.shape
    fig = new_figure(1.9 + 0.42 * columns, 2.0 + 0.2 * rows)
    ax = fig.subplots()
    image = ax.imshow(np.clip(found.change, -2, 2), cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto")
    y, x = np.nonzero(found.shifted)
    ax.plot(x, y, "o", ms=3.5, color="k", mec="w", mew=0.5)
    ax.set_xticks(range(columns), found.readouts, rotation=40, ha="right", rotation_mode="anchor", fontsize=7.5)
    ax.set_yticks(range(rows), found.factors, fontsize=7.5)
    for label, heard_ in zip(ax.get_yticklabels(), found.heard):
        label.set_color("k" if heard_ else "#999999")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = fig.colorbar(image, ax=ax, shrink=0.6, aspect=25, ticks=[-2, -1, 0, 1, 2])
    bar.ax.set_yticklabels(["1/4 or less", "1/2", "1", "2", "4 or more"], fontsize=7)
    bar.set_label("without the factor / with it", fontsize=7.5)
    return fig
