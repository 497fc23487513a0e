"""What figures share besides the data: colors of types, scale bars of maps, times in a unit that suits, tenfold steps,
legends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..run.colors import APOPTOTIC as APOPTOTIC
from ..run.colors import NECROTIC as NECROTIC
from ..run.colors import PALETTE as PALETTE
from ..run.colors import color_of as color_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from ..run.result import Result

Extent = tuple[float, float, float, float]
# factors: colors of Paul Tol's muted scheme, none of them one of a cell type's, all of them readable on white
FACTORS = ("#332288", "#117733", "#882255", "#44AA99", "#999933", "#AA4499")
MAPS = {"mmHg": "viridis", "mM": "cividis", "nM": "magma", "uM": "inferno"}  # one per kind of quantity
OTHER_MAP = "plasma"  # numbers of cells
LITTLE = 0.2  # what varies by less of its highest value is shown from its lowest
LIGHT = 0.72  # luminance from which a line is hard to read on white
MANY = 6  # from more types, and more factors, than this on, figures are drawn for many


def extent_of(result: Result) -> Extent:
    """Lowest and highest x and y of the domain, um."""
    grid = result.attrs["grid"]
    (x, y, _), (dx, dy, _), (_, ny, nx) = grid["origin"], grid["spacing"], grid["shape"]
    return x, x + nx * dx, y, y + ny * dy


def colors_of(unit: str) -> str:
    """The color map of a quantity, the same in every figure."""
    return MAPS.get(unit, OTHER_MAP)


def with_unit(name: str, unit: str) -> str:
    """A name as an axis says it.

    >>> with_unit("oxygen", "mmHg"), with_unit("hypoxia.level", "1")
    ('oxygen (mmHg)', 'hypoxia.level')
    """
    said = re.sub(r"\bu(?=[mM])", "µ", unit).replace("^2", "²").replace("^3", "³")
    return f"{name} ({said})" if unit not in ("1", "") else name


def range_of(values: np.ndarray) -> tuple[float, float, str]:
    """Ends of a scale, and what a figure says of them: from 0, or from the lowest where values hardly vary.

    >>> range_of(np.array([1.0, 4.0])), range_of(np.array([96.0, 100.0]))
    ((0.0, 4.0, ''), (96.0, 100.0, 'varies by 4 %'))
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0, ""
    low, high = float(finite.min()), float(finite.max())
    if low < 0.0:
        return low, max(high, 0.0), ""
    if high > 0.0 and high - low < LITTLE * high:
        share = (high - low) / high
        if share < 5e-4:  # noise of a solver is no picture
            return 0.0, high, "even"
        return low, high, f"varies by {100.0 * share:.2g} %"
    return 0.0, high if high > 0.0 else 1.0, ""


def common_range(many: Iterable[np.ndarray]) -> tuple[float, float]:
    """Ends of one scale for several arrays."""
    ends = [range_of(values)[:2] for values in many if np.isfinite(values).any()]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 1.0)


def scale_bar(ax: Axes, extent: Extent, color: str = "black", paper: bool = False) -> None:
    """A bar of a round length near a quarter of the width, at the lower right; on white paper where cells would hide
    it."""
    from matplotlib.patches import Rectangle

    x0, x1, y0, y1 = extent
    width, height = x1 - x0, y1 - y0
    length = max(v for p in range(-1, 5) for v in (10.0**p, 2 * 10.0**p, 5 * 10.0**p) if v <= 0.26 * width)
    left, bottom = x1 - 0.04 * width - length, y0 + 0.045 * height
    if paper:
        corner, across = (left - 0.02 * width, y0), x1 - left + 0.02 * width
        ax.add_patch(Rectangle(corner, across, 0.14 * height, color="white", alpha=0.8, lw=0, zorder=9))
    ax.add_patch(Rectangle((left, bottom), length, 0.012 * height, color=color, lw=0, zorder=10))
    middle, above, text = left + length / 2, bottom + 0.022 * height, f"{length:g} µm"
    ax.text(middle, above, text, color=color, ha="center", va="bottom", fontsize=8, zorder=10)


def bare(ax: Axes, extent: Extent) -> None:
    """No ticks: a map is read by its scale bar."""
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(True)
        side.set_linewidth(0.6)


def shaded(ax: Axes, plane: np.ndarray, low: float, high: float, extent: Extent, colors: str = "viridis") -> AxesImage:
    """A map of numbers from low to high."""
    high = high if high > low else low + 1e-9
    return ax.imshow(plane, origin="lower", extent=extent, cmap=colors, vmin=low, vmax=high, interpolation="nearest")


def readable(plane: np.ndarray, low: float, high: float) -> str:
    """Color of a scale bar that is seen on this part of a map."""
    return "white" if plane.mean() < 0.5 * (low + high) else "black"


def time_axis(ax: Axes, minutes: np.ndarray) -> np.ndarray:
    """Times in a unit that suits the span; labels the axis."""
    span = minutes[-1] - minutes[0] if len(minutes) else 0.0
    unit, size = ("days", 1440.0) if span > 2880 else ("hours", 60.0) if span > 180 else ("min", 1.0)
    ax.set_xlabel(f"time ({unit})")
    return minutes / size


def decades(ax: Axes) -> None:
    """Counts by tenfold steps, so that rare types are seen beside frequent ones; 0 included."""
    from matplotlib.ticker import FuncFormatter

    ax.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    ax.minorticks_off()


def letters(panels: Iterable[Axes]) -> None:
    """a, b, c ... at the upper left of panels, bold, as journals print them; titles stand beside them.

    >>> letters(oc.plot.overview(result).axes[:3])
    """
    for letter, ax in zip("abcdefghijklmnopqrstuvwxyz", panels):
        title = ax.get_title(loc="left")
        ax.set_title(f"$\\bf{{{letter}}}$  {title}", loc="left")


def edge(color: str, width: float) -> list[Any]:
    """Path effects of a line: light colors get a thin dark edge, so that they are read on white.

    >>> len(edge("#F0E442", 1.6)), len(edge("#0072B2", 1.6))
    (2, 0)
    """
    from matplotlib.colors import to_rgb
    from matplotlib.patheffects import Normal, Stroke

    light = float(np.dot(to_rgb(color), (0.2126, 0.7152, 0.0722)))
    return [Stroke(linewidth=width + 1.0, foreground="#555555"), Normal()] if light > LIGHT else []


def add_legend(ax: Axes, **how: Any) -> None:
    """The legend: within the axes when short, beside them when long."""
    handles, _ = ax.get_legend_handles_labels()
    if len(handles) > MANY:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=1.2, labelspacing=0.3)
    elif handles:
        ax.legend(**how)
