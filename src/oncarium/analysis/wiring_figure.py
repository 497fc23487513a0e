"""The wiring of a model as a figure that a paper would print."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..model.model import Model
from .canvas import new_figure
from .wiring import LETTERS, OTHER, Wiring, read_wiring

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UP, DOWN, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#E4E4E4"  # of Okabe and Ito's palette
ROW, CHIP, DOT = 0.19, 0.155, 0.26  # inches: height of a row, width of a letter, width of a column of dots
HEAD, FOOT, NAME = 1.2, 1.15, 1.25


def draw(model: Model) -> Figure:
    """The wiring as one figure: left who makes and takes up each factor, right what it does to whom, below left who
    touches whom."""
    wiring = read_wiring(model)
    rows = [*wiring.factors, *([None] if wiring.signals else []), *wiring.signals]
    wide = {t: max(_width(_chips(wiring, r, t)) for r in [*rows, ""]) for t in wiring.types}
    left = DOT * (1 + len(wiring.others) + len(wiring.types))
    touching = len({t for c in wiring.touches for t in (c.by, c.on)})
    radius = min(0.35 + 0.11 * touching, 1.1)  # of the ring below the dots
    gap = max(0.0, 2.0 * radius + 1.4 - left) if touching else 0.0
    tall = ROW * max(len(rows), len(wiring.factors) + (2.3 * radius + 0.9) / ROW if touching else 0)
    width, height = max(0.1 + gap + left + NAME + sum(wide.values()) + 0.15, 5.4), HEAD + tall + FOOT
    figure = new_figure(width, height, layout=None)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(0.0, width), ylim=(height, 0.0))
    ax.axis("off")
    start = 0.1 + gap
    _made(ax, wiring, start)
    _names(ax, wiring, rows, start + left + 0.5 * NAME)
    _effects(ax, wiring, rows, wide, start + left + NAME)
    if touching:
        _ring(ax, wiring, 0.1 + 0.5 * (gap + left), HEAD + ROW * len(wiring.factors) + 0.45 + 1.15 * radius, radius)
    _legend(ax, wiring, 0.1, height - FOOT + 0.2)
    ax.text(0.1, 0.17, f"Wiring of {model.title[:1].lower()}{model.title[1:]}", fontsize=10, va="center", weight="bold")
    return figure


def _chips(wiring: Wiring, signal: str | None, type: str) -> list[tuple[str, bool]]:
    """Letters in one field of the right table, in the order of LETTERS."""
    found = {(e.letter, e.up) for e in wiring.effects if e.signal == signal and e.type == type}
    order = [*dict.fromkeys(letter for letter, _ in LETTERS.values()), OTHER[0]]
    return sorted(found, key=lambda c: (order.index(c[0]) if c[0] in order else -1, c[0], not c[1]))


def _width(chips: list[tuple[str, bool]]) -> float:
    return max(0.34, 0.1 + sum(CHIP if len(letter) == 1 else 1.35 * CHIP for letter, _ in chips))


def _y(row: int) -> float:
    return HEAD + ROW * (row + 0.5)


def _heads(ax: Axes, names: list[str], at: list[float]) -> None:
    for name, x in zip(names, at):
        ax.text(x, HEAD - 0.08, name, rotation=50, rotation_mode="anchor", ha="left", va="bottom", fontsize=7.5)


def _made(ax: Axes, wiring: Wiring, start: float) -> None:
    """Dots: who makes each factor; wedges: who takes it up."""
    columns = ["outside", *wiring.others, *wiring.types]
    xs = [start + DOT * (k + 0.5) for k in range(len(columns))]
    _heads(ax, columns, xs)
    bottom = HEAD + ROW * len(wiring.factors)
    ax.vlines([start + DOT * k for k in range(len(columns) + 1)], HEAD, bottom, color=FAINT, lw=0.5)
    for row, factor in enumerate(wiring.factors):
        y = _y(row)
        most = max((v for (f, _), (_, v) in wiring.makes.items() if f == factor), default=1.0)
        if factor in wiring.outside:
            ax.plot(xs[0], y, "s", ms=4.5, color=INK)
        for x, t in zip(xs[1:], columns[1:]):
            if (factor, t) in wiring.makes:
                base, top = wiring.makes[factor, t]
                # a size per decade below the largest maker
                area = 1.0 + 0.28 * max(-3.0, math.log10(max(top, 1e-300) / most))
                size = 6.2 * math.sqrt(area)
                ax.plot(x - 0.045, y, "o", ms=size, mfc=UP if base > 0.0 else "white", mec=UP, mew=0.9)
            if (factor, t) in wiring.takes:
                ax.plot(x + 0.075, y + 0.02, "v", ms=3.4, color=DOWN, mew=0)


def _names(ax: Axes, wiring: Wiring, rows: list[str | None], x: float) -> None:
    for row, name in enumerate(rows):
        if name is None:
            ax.text(
                x,
                _y(row) + 0.02,
                "states and contacts",
                ha="center",
                va="center",
                fontsize=7,
                style="italic",
                color="#666666",
            )
        else:
            code = f"  {wiring.states[name]}" if name in wiring.states else ""
            ax.text(x, _y(row), name + code, ha="center", va="center", fontsize=8, color=INK)


def _effects(ax: Axes, wiring: Wiring, rows: list[str | None], wide: dict[str, float], start: float) -> None:
    """Letters: what each signal does to cells of each type."""
    from matplotlib.patches import FancyBboxPatch

    x, centers = start, []
    for t in wiring.types:
        centers.append(x + 0.5 * wide[t])
        for row, name in enumerate(rows):
            chips = _chips(wiring, name, t) if name is not None else []
            at = x + 0.5 * (wide[t] - (_width(chips) - 0.1 if chips else 0.0))
            for letter, up in chips:
                w = CHIP if len(letter) == 1 else 1.35 * CHIP
                color = UP if up else DOWN
                box = FancyBboxPatch(
                    (at + 0.012, _y(row) - 0.07),
                    w - 0.024,
                    0.14,
                    boxstyle="round,pad=0,rounding_size=0.03",
                    fc=color if up else "white",
                    ec=color,
                    lw=0.8,
                )
                ax.add_patch(box)
                ax.text(
                    at + 0.5 * w,
                    _y(row) + 0.003,
                    letter,
                    ha="center",
                    va="center",
                    fontsize=6.6,
                    color="white" if up else color,
                    weight="bold",
                )
                at += w
        x += wide[t]
    end = HEAD + ROW * len(rows)
    ax.vlines([start, *(c + 0.5 * wide[t] for c, t in zip(centers, wiring.types))], HEAD, end, color=FAINT, lw=0.5)
    ax.hlines([HEAD + ROW * k for k in range(0, len(rows) + 1)], start, x, color=FAINT, lw=0.35)
    low = start - NAME
    ax.hlines(
        [HEAD + ROW * k for k in range(0, len(wiring.factors) + 1)],
        low - DOT * (1 + len(wiring.others) + len(wiring.types)),
        low,
        color=FAINT,
        lw=0.35,
    )
    _heads(ax, list(wiring.types), centers)


def _ring(ax: Axes, wiring: Wiring, x: float, y: float, radius: float) -> None:
    """Types that touch each other in a circle, with arrows."""
    from matplotlib.patches import FancyArrowPatch

    shown = [t for t in wiring.types if any(t in (c.by, c.on) for c in wiring.touches)]
    angle = {t: math.pi * (2.0 * k / len(shown) - 0.5) for k, t in enumerate(shown)}
    place = {t: (x + radius * math.cos(a), y + 1.15 * radius * math.sin(a)) for t, a in angle.items()}
    arrows = dict.fromkeys((c.by, c.on, c.verb if c.up is None else "", c.up) for c in wiring.touches if c.by != c.on)
    drawn: dict[tuple[str, str], int] = {}
    for by, on, verb, up in arrows:
        bend = 0.1 + 0.22 * drawn.setdefault((by, on), 0)  # several between two types lie side by side
        drawn[by, on] += 1
        head, size = ("-[,widthB=3,lengthB=0", 1.4) if up is False else ("-|>", 8.0)
        color = INK if up is None else UP if up else DOWN
        line = "--" if verb == "eats" else ":" if verb == "fuses with" else "-"
        look: dict[str, Any] = {
            "arrowstyle": head,
            "mutation_scale": size,
            "connectionstyle": f"arc3,rad={bend}",
            "ls": line,
            "lw": 1.2,
        }
        ax.add_patch(FancyArrowPatch(place[by], place[on], shrinkA=5, shrinkB=6, color=color, **look))
    for t, (px, py) in place.items():
        ax.plot(px, py, "o", ms=6, color=INK)
        side = math.cos(angle[t])
        align = "center" if abs(side) < 0.3 else "left" if side > 0.0 else "right"
        ax.text(px + 0.1 * side, py + 0.15 * math.sin(angle[t]), t, fontsize=7.5, ha=align, va="center")


def _legend(ax: Axes, wiring: Wiring, x: float, y: float) -> None:
    """What dots, letters and arrows mean: only those that the figure has."""
    used = {e.letter for e in wiring.effects}
    words = [f"{letter} {word}" for letter, word in dict([*LETTERS.values(), OTHER]).items() if letter in used]
    words += ["two letters: an inner state"] if used & set(wiring.states.values()) else []
    ax.plot(x + 0.05, y, "o", ms=6, color=UP)
    ax.plot(x + 0.9, y, "o", ms=6, mfc="white", mec=UP, mew=0.9)
    ax.plot(x + 2.1, y, "v", ms=4, color=DOWN)
    ax.plot(x + 2.85, y, "s", ms=4.5, color=INK)
    for at, word in (
        (0.15, "makes"),
        (1.0, "makes if ruled to"),
        (2.18, "takes up"),
        (2.95, "from faces or supply voxels"),
    ):
        ax.text(x + at, y, word, fontsize=7, va="center")
    ax.text(x, y + 0.2, "larger dot: more of all that is made, by decades", fontsize=7, va="center")
    ax.text(x, y + 0.4, "filled: more", fontsize=7, va="center", color=UP, weight="bold")
    ax.text(x + 0.8, y + 0.4, "outlined: less", fontsize=7, va="center", color=DOWN, weight="bold")
    half = len(words) if x + 0.08 * len("   ".join(words)) < ax.get_xlim()[1] - 1.6 else (len(words) + 1) // 2
    ax.text(x + 1.7, y + 0.4, "   ".join(words[:half]), fontsize=7, va="center")
    ax.text(x + 1.7, y + 0.56, "   ".join(words[half:]), fontsize=7, va="center")
    if wiring.touches:
        ax.text(
            x,
            y + 0.76,
            "arrows: attacks (black), eats (dashed), contact that raises (blue) or lowers (orange) what a cell does",
            fontsize=7,
            va="center",
        )
