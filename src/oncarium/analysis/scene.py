"""A tissue in space, cells as balls of their true size (needs pyvista)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..run.result import Result
from ..units import say_time
from .canvas import axes, styled
from .maps import DEAD
from .scales import APOPTOTIC, NECROTIC, color_of, colors_of, range_of, with_unit
from .vessel_shapes import BLOOD, Network, box_of, has_vessels, numbers_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (1400, 1200)  # dots of the picture
ROUND = 50.0  # um: sides of the box are multiples of it
STILL = "#BBBBBB"  # vessels without flow
VIEW = np.array([1.7, -2.2, 1.3])  # of the eye from the middle, in lengths of the domain


@styled
def scene(
    result: Result,
    t: Any = None,
    ax: Axes | None = None,
    *,
    color: str = "type",
    cut: bool = True,
    limits: tuple[float, float] | None = None,
    vessels: bool = True,
) -> Axes:
    """A 3-D tissue from above its near corner, in a box of round sides.

    color   "type", or any number that cells have, between `limits`; the dead are grey then
    cut     the near quarter is cut away, so that the inside shows; vessels go through it
    vessels   are drawn where there are some: red where blood flows, else grey

    Raises InputError for a 2-D result, for what was not recorded, and where pyvista is not installed.

    >>> oc.plot.scene(result)
    Traceback (most recent call last):
    oncarium.errors.InputError: scene
      this tissue is 2-D. Draw it with  oc.plot.tissue  (oncarium plot RUN tissue).
    """
    if result.is_2d:
        raise InputError(
            "scene", "this tissue is 2-D.", remedy="Draw it with  oc.plot.tissue  (oncarium plot RUN tissue)."
        )
    pv = _pyvista()
    position, radius = result.array("position", t).astype(float), result.array("radius", t).astype(float)
    kind, vital = result.array("type", t), result.array("vital", t)
    low, high = _box(result, position, radius)
    kept = np.ones(len(radius), bool)
    if cut:
        x, y, _ = 0.5 * (low + high)
        kept = ~((position[:, 0] > x) & (position[:, 1] < y))
    plotter = pv.Plotter(off_screen=True, window_size=SIZE)
    plotter.set_background("white")
    handles: list[tuple[str, str]] = []
    drawn: Any = None
    if color == "type":
        groups = [(NECROTIC, vital > 1, "necrotic"), (APOPTOTIC, vital == 1, "apoptotic")]
        groups += [(color_of(result, name), (vital == 0) & (kind == k), name) for k, name in enumerate(result.types)]
    else:
        numbers = result.numbers(color, t).astype(float)
        ends = limits or range_of(numbers[vital == 0])[:2]
        groups = [(DEAD, vital > 0, "dead")]
        living = (vital == 0) & kept
        if living.any():
            _balls(pv, plotter, position[living], radius[living], numbers=numbers[living], ends=ends,
                   colors=colors_of(result.unit(color)))  # fmt: skip
        drawn = _scale(ends, colors_of(result.unit(color)))
    for shade, rows, label in groups:
        if rows.any():
            handles.append((shade, f"{label} ({rows.sum():,})"))
        if (rows & kept).any():
            _balls(pv, plotter, position[rows & kept], radius[rows & kept], color=shade)
    if vessels and has_vessels(result):
        flows = result.vessels(t)["perfused"].to_numpy() > 0
        for rows, shade, label in ((flows, BLOOD, "vessel"), (~flows, STILL, "vessel without flow")):
            if rows.any():
                handles.append((shade, label))
                _tubes(pv, plotter, result, t, rows, color=shade)
    picture = _taken(pv, plotter, low, high)
    label = "" if drawn is None else with_unit(color, result.unit(color))
    return _framed(ax, picture, result, t, handles, drawn, label, high - low, ", near quarter cut away" if cut else "")


@styled
def network(
    result: Result,
    t: Any = None,
    ax: Axes | None = None,
    *,
    color: str = "oxygen",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Vessels of a 3-D tissue as tubes of their true width, without the cells.

    color   oxygen, flow, diameter, haematocrit, coverage, perfused or any other number of a segment, between `limits`

    Raises InputError for a 2-D result, where there are no vessels or no such number, and without pyvista.

    >>> oc.plot.network(result)
    Traceback (most recent call last):
    oncarium.errors.InputError: network
      this tissue is 2-D. Draw it with  oc.plot.vessels  (oncarium plot RUN vessels).
    """
    if result.is_2d:
        raise InputError(
            "network", "this tissue is 2-D.", remedy="Draw it with  oc.plot.vessels  (oncarium plot RUN vessels)."
        )
    table = result.vessels(t)
    numbers, unit = numbers_of(table, color)
    pv = _pyvista()
    plotter = pv.Plotter(off_screen=True, window_size=SIZE)
    plotter.set_background("white")
    handles: list[tuple[str, str]] = []
    drawn: Any = None
    if color == "perfused":
        for rows, shade, label in ((numbers > 0, BLOOD, "vessel"), (numbers <= 0, STILL, "vessel without flow")):
            if rows.any():
                handles.append((shade, f"{label} ({rows.sum():,})"))
                _tubes(pv, plotter, result, t, rows, color=shade)
    else:
        ends = limits or range_of(numbers)[:2]
        _tubes(pv, plotter, result, t, np.ones(len(table), bool), numbers=numbers, ends=ends, colors=colors_of(unit))
        drawn = _scale(ends, colors_of(unit))
    low, high = box_of(result)
    picture = _taken(pv, plotter, low, high)
    name = f"{color} of blood" if color == "oxygen" else color
    return _framed(ax, picture, result, t, handles, drawn, with_unit(name, unit), high - low, "")


def _tubes(
    pv: Any, plotter: Any, result: Result, t: Any, rows: np.ndarray, *, color: Any = None, numbers: Any = None,
    ends: Any = None, colors: Any = None,
) -> None:  # fmt: skip
    """Vessels (segment, bool) as tubes of one color, or of numbers on a scale."""
    seen = Network.of(result, t, slab=False)
    kept = rows[seen.rows]
    count = int(kept.sum())
    if not count:
        return
    lines = pv.PolyData()
    lines.points = seen.ends[kept].reshape(-1, 3)
    lines.lines = np.column_stack([np.full(count, 2), np.arange(2 * count).reshape(-1, 2)]).ravel()
    lines["radius"] = np.repeat(np.maximum(seen.radius[kept], 0.5), 2)
    if numbers is not None:
        lines["number"] = np.repeat(numbers[seen.rows][kept], 2)
    mesh = lines.tube(scalars="radius", absolute=True, n_sides=10, capping=True)
    look: Any = {"smooth_shading": True, "ambient": 0.35, "diffuse": 0.75}
    if numbers is None:
        plotter.add_mesh(mesh, color=color, **look)
    else:
        plotter.add_mesh(mesh, scalars="number", clim=ends, cmap=colors, show_scalar_bar=False, **look)


def _taken(pv: Any, plotter: Any, low: np.ndarray, high: np.ndarray) -> Any:
    """The picture, with the edges of the box."""
    plotter.add_mesh(pv.Box((low[0], high[0], low[1], high[1], low[2], high[2])), style="wireframe", color="#888888")
    centre, far = 0.5 * (low + high), float((high - low).max())
    plotter.camera_position = [tuple(centre + far * VIEW), tuple(centre), (0, 0, 1)]
    plotter.camera.zoom(0.85)  # all corners of a cube are seen
    picture = plotter.screenshot(None, return_img=True)
    plotter.close()
    return picture


def _box(result: Result, position: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner, um, of a box of round sides around the cells, or with vessels of the domain."""
    low, high = box_of(result)
    if not len(radius) or has_vessels(result):
        return low, high
    low, high = ((position - radius[:, None]).min(axis=0), (position + radius[:, None]).max(axis=0))
    side = np.ceil((high - low) / ROUND) * ROUND
    return 0.5 * (low + high - side), 0.5 * (low + high + side)


def _framed(
    ax: Axes | None, picture: Any, result: Result, t: Any, handles: list[tuple[str, str]], drawn: Any, label: str,
    size: np.ndarray, note: str,
) -> Axes:  # fmt: skip
    """The picture with title, legend and color bar, like every other figure."""
    from matplotlib.lines import Line2D

    ax = axes(ax, (6.8, 5.2))
    ax.imshow(_trimmed(picture))
    ax.axis("off")
    when = say_time(float(result.times[result.frame(t, result.times)]))
    box = " × ".join(f"{s:g}" for s in size)
    ax.set_title(f"{when}, box of {box} µm" + note)
    if drawn is not None:
        ax.figure.colorbar(drawn, ax=ax, shrink=0.6, label=label)
    marks = [Line2D([], [], marker="o", ls="", color=shade, label=what) for shade, what in handles]
    if marks:
        ax.legend(handles=marks, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handletextpad=0.2)
    return ax


def _scale(ends: tuple[float, float], colors: str) -> Any:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    return ScalarMappable(Normalize(*ends), colors)


def _balls(
    pv: Any, plotter: Any, position: np.ndarray, radius: np.ndarray, *, color: Any = None, numbers: Any = None,
    ends: Any = None, colors: Any = None,
) -> None:  # fmt: skip
    """Balls of one color, or of numbers on a scale."""
    points = pv.PolyData(position)
    points["radius"] = radius
    fine = 16 if len(radius) < 20_000 else 8
    ball = pv.Sphere(radius=1.0, theta_resolution=fine, phi_resolution=fine)
    if numbers is not None:
        points["number"] = numbers
    mesh = points.glyph(scale="radius", geom=ball, orient=False)
    look: Any = {"smooth_shading": True, "ambient": 0.35, "diffuse": 0.75}
    if numbers is None:
        plotter.add_mesh(mesh, color=color, **look)
    else:
        plotter.add_mesh(mesh, scalars="number", clim=ends, cmap=colors, show_scalar_bar=False, **look)


def _trimmed(picture: np.ndarray) -> np.ndarray:
    """The picture without its white margins."""
    ink: np.ndarray = np.any(picture < 250, axis=2)
    rows, columns = np.any(ink, axis=1), np.any(ink, axis=0)
    if not rows.any():
        return picture
    r, c = np.flatnonzero(rows), np.flatnonzero(columns)
    return picture[r[0] : r[-1] + 1, c[0] : c[-1] + 1]


def _pyvista() -> Any:
    try:
        import pyvista
    except ImportError:
        raise InputError(
            "scene", "pyvista is not installed.", remedy='Install it:  pip install "oncarium[three-d]"'
        ) from None
    if sys.platform.startswith("linux"):
        import vtkmodules.vtkCommonCore as vtk

        vtk.vtkObject.GlobalWarningDisplayOff()  # it warns of a missing screen, and draws without one
    return pyvista
