"""The page of claims: one HTML file with a verdict, the effect with its interval, a figure and the provenance of every
claim."""

from __future__ import annotations

import html
import io
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis.page import CSS
from ..writing import write_text
from .effects import Effect
from .verdicts import FAILED, NOT, SUPPORTED, UNKNOWN, WEAK, Outcome
from .wiring import heat_map

COLORS = {SUPPORTED: "#009E73", WEAK: "#E69F00", NOT: "#D55E00", FAILED: "#CC79A7", UNKNOWN: "#777777"}
AGAINST = {
    "ratio": "perturbed / control",
    "difference": "perturbed - control",
    "level": "level",
    "dip": "lowest inside / lower end",
}
OWN = """
.verdict{display:inline-block;color:#fff;border-radius:4px;padding:0 .6rem;font-size:.85rem}section{margin:1.8rem 0}
svg{max-width:100%;height:auto}
td.t{text-align:left}
"""


def say(effect: Effect, kind: str) -> str:
    """An effect in words: 0.52x (0.41 to 0.63).

    >>> say(Effect(0.5, 0.4, 0.6, (), ()), "ratio")
    '0.5x (0.4 to 0.6)'
    """
    if math.isnan(effect.value):
        return "nothing to measure"
    unit = "x" if kind in ("ratio", "dip") else ""
    return f"{effect.value:.3g}{unit} ({effect.low:.3g} to {effect.high:.3g})"


def figure(outcome: Outcome) -> Any:
    """Left: every seed's read-out in both arms, with the mechanism and without. Right: the effects, their intervals and
    the expected band."""
    from ..analysis.canvas import new_figure

    if outcome.table is not None:
        return heat_map(outcome.table)
    claim, main, off = outcome.claim, outcome.effects[0], outcome.off[0]
    alone = claim.effect == "level"
    fig = new_figure(7.2, 2.6)
    left, right = fig.subplots(1, 2, width_ratios=[1.3, 1])
    for k, (effect, color, name) in enumerate(((main, "#0072B2", "mechanism on"), (off, "#999999", "mechanism off"))):
        if claim.series:
            left.plot([x for x, _ in claim.series], effect.control, "o-", color=color, ms=4, label=name)
            continue
        for a, b in zip(effect.control, effect.perturbed):
            left.plot(
                *(([3 * k + 0.5], [a]) if alone else ([3 * k, 3 * k + 1], [a, b])), "o-", color=color, lw=0.8, ms=4
            )
        left.annotate(
            name,
            (3 * k + 0.5, 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8,
            color=color,
        )
    if claim.series:
        left.legend(fontsize=7, frameon=False)
        left.set_xlabel(claim.along, fontsize=8)
    else:
        left.set_xlim(-0.5, 4.5)
        left.set_xticks(
            *(([0.5, 3.5], ["", ""]) if alone else ([0, 1, 3, 4], ["control", "perturbed"] * 2)), fontsize=8
        )
    left.set_ylabel(called(claim.readouts[0]), fontsize=8)
    left.tick_params(labelsize=8)
    right.axvspan(*claim.band, color="#009E73", alpha=0.15, lw=0, label="expected")
    if claim.direction != "within":
        right.axvline(claim.none, color="k", lw=0.8, ls=":", label="no effect")
    for y, effect, color in ((1, main, "#0072B2"), (0, off, "#999999")):
        right.plot([effect.low, effect.high], [y, y], color=color, lw=2)
        right.plot(effect.value, y, "o", color=color)
    right.set_yticks([1, 0], ["on", "off"], fontsize=8)
    right.set_ylim(-0.6, 1.6)
    right.set_xlabel(AGAINST[claim.effect], fontsize=8)
    right.tick_params(labelsize=8)
    right.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return fig


def called(what: Any) -> str:
    """A read-out in words: its own name, or what it measures."""
    if "called" in what:
        return f"{what['called']}" + (f" ({what['unit']})" if "unit" in what else "")
    rest = " ".join(str(v) for k, v in what.items() if k not in ("measure", "per", "at", "unit"))
    return f"{what['measure']} {rest}" + (f" per {called(what['per'])}" if "per" in what else "")


def page(outcomes: Sequence[Outcome], folder: str | Path, title: str = "Claims") -> Path:
    """Write claims.html (and claims.json, the same numbers) into a folder; returns the path of the page."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    e = html.escape
    counts = {v: sum(o.verdict == v for o in outcomes) for v in COLORS}
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width,initial-scale=1'><title>{e(title)}</title>",
        f"<style>{CSS}{OWN}</style><h1>{e(title)}</h1>",
        "<p>Effect: perturbed arm against control over paired seeds, with the 95 % interval of a bootstrap. Supported: "
        "the direction is right, the interval excludes no effect, the estimate lies in the expected band. Weak: right, "
        "but outside the band. With the mechanism off the effect must vanish.</p>",
        "<p>"
        + ", ".join(f"{n} {v}" for v, n in counts.items() if n)
        + f". Oncarium {__version__}, {datetime.now(UTC):%Y-%m-%d}.</p>",
        "<table><tr><th>claim<th style='text-align:left'>statement<th>effect<th>expected<th>mechanism off<th>verdict",
    ]
    for o in outcomes:
        c = o.claim
        main, off = (say(x[0], c.effect) if x else "" for x in (o.effects, o.off))
        parts.append(
            f"<tr><td><a href='#{e(c.id)}'>{e(c.id)}</a><td class=t>{e(c.says)}<td>{main}"
            f"<td>{c.direction}, {c.band[0]:g} to {c.band[1]:g}<td>{off}"
            f"<td><span class=verdict style='background:{COLORS[o.verdict]}'>{o.verdict}</span>"
        )
    parts.append("</table>")
    for o in outcomes:
        parts.append(_section(o))
    text = "\n".join([*parts, "</html>"])
    for name, content in (("claims.json", json.dumps([_record(o) for o in outcomes], indent=1)), ("claims.html", text)):
        write_text(folder / name, content)
    return folder / "claims.html"


def _section(o: Outcome) -> str:
    e, c = html.escape, o.claim
    parts = [
        f"<section id='{e(c.id)}'><h2>{e(c.id)} "
        f"<span class=verdict style='background:{COLORS[o.verdict]}'>{o.verdict}</span></h2><p>{e(c.says)}</p>",
        f"<p><b>Mechanism.</b> {e(c.mechanism)} <b>Scenario</b> {e(c.scenario)}, {e(c.until)}, "
        f"{len(next(iter(o.keys.values())))} seeds. "
        f"<b>Expected</b> {c.direction}, {c.band[0]:g} to {c.band[1]:g} ({e(c.source)}).</p>",
    ]
    if o.error:
        parts.append(f"<p><b>Could not be measured.</b> {e(o.error)}</p>")
    if o.effects:
        from ..analysis.canvas import close

        fig = figure(o)
        svg = io.StringIO()
        fig.savefig(svg, format="svg")
        close(fig)
        parts.append(svg.getvalue()[svg.getvalue().index("<svg") :])
        rows = "".join(
            f"<tr><td>{e(what)}<td>{say(main, c.effect)}<td>{say(off, c.effect)}"
            for what, main, off in zip(measured(o), o.effects, o.off)
        )
        parts.append(f"<table><tr><th>read-out<th>effect<th>mechanism off</tr>{rows}</table>")
    if c.notes:
        parts.append(f"<p>{e(c.notes)}</p>")
    changes = "".join(
        f"<tr><td>{name}<td class=t>{e(', '.join(f'{k} = {v}' for k, v in what.items()) or 'nothing')}"
        for name, what in (
            ("every arm", c.changes),
            ("control", c.control),
            ("perturbed", c.perturbed),
            *((f"{x:g}", what) for x, what in c.series),
            ("mechanism off", c.off),
        )
    )
    runs = "".join(f"<tr><td>{e(name)}<td class=t>{' '.join(keys)}" for name, keys in o.keys.items())
    parts.append(
        f"<details><summary>Changes and runs</summary><table>{changes}</table><table>{runs}</table></details></section>"
    )
    return "\n".join(parts)


def measured(o: Outcome) -> list[str]:
    """What the effects of an outcome are about."""
    return (
        [called(r) for r in o.claim.readouts]
        if o.table is None
        else ["share of factors that shift a read-out (mechanism off: of those nothing hears)"]
    )


def _record(o: Outcome) -> dict[str, Any]:
    def plain(effect: Effect) -> dict[str, Any]:
        return {
            "value": effect.value,
            "interval": [effect.low, effect.high],
            "control": effect.control,
            "perturbed": effect.perturbed,
        }

    record: dict[str, Any] = {
        "claim": o.claim.id,
        "verdict": o.verdict,
        "error": o.error,
        "readouts": measured(o),
        "effects": [plain(x) for x in o.effects],
        "mechanism off": [plain(x) for x in o.off],
        "runs": {k: list(v) for k, v in o.keys.items()},
    }
    if o.table is not None:
        record["table"] = {
            "factors": o.table.factors,
            "readouts": o.table.readouts,
            "log2": o.table.change.tolist(),
            "sigmas": o.table.sigmas.tolist(),
            "heard": o.table.heard,
        }
    return record
