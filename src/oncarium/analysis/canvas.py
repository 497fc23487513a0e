"""What figures are drawn on: our own, never pyplot's current one, so nobody else's plot lands in ours and no backend is
chosen.

In a notebook every figure of a cell shows below it, unless it was saved.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import InputError
from ..writing import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 110,
    "savefig.dpi": 200,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
}
Drawing = TypeVar("Drawing", bound=Callable)
_waiting: list[Figure] = []  # of this cell of a notebook, not yet shown


def styled(draw: Drawing) -> Drawing:
    """Draw in the style above, whoever calls."""

    @functools.wraps(draw)
    def in_style(*given: Any, **named: Any) -> Any:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*given, **named)

    return in_style  # type: ignore[return-value]


def new_figure(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """An empty figure (inches)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]
    FigureCanvasAgg(figure)
    notebook = _notebook()
    if notebook is not None:
        if _show not in notebook.events.callbacks["post_run_cell"]:
            notebook.events.register("post_run_cell", _show)
        _waiting.append(figure)
    return figure


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """These axes, or those of a new figure."""
    return ax if ax is not None else new_figure(*size).subplots()


def picture(figure: Figure, dpi: float | None = None) -> bytes:
    """The figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi or figure.dpi)
    return stream.getvalue()


def close(figure: Figure) -> None:
    """This figure need not be shown."""
    if figure in _waiting:
        _waiting.remove(figure)


def save(drawn: Axes | Figure, path: str | Path) -> Path:
    """Write a figure and close it. Raises InputError for another kind of file.

    >>> oc.plot.save(oc.plot.tissue(result), "tissue.png").name
    'tissue.png'
    """
    figure: Any = getattr(drawn, "figure", drawn)
    path = Path(path)
    if path.suffix[1:].lower() not in figure.canvas.get_supported_filetypes():
        raise InputError(str(path), f"'{path.suffix}' is no kind of picture here;", "expected .png, .svg or .pdf.")
    try:
        with whole(path) as part:
            figure.savefig(part, dpi=170)
    finally:
        close(figure)
        if "matplotlib.pyplot" in sys.modules:  # somebody's own figure, into whose axes was drawn
            sys.modules["matplotlib.pyplot"].close(figure)
    return path


def _notebook() -> Any:
    """The running notebook, or None."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if shell is not None and getattr(shell, "kernel", None) is not None else None


def _show(result: Any = None) -> None:
    """Show the figures of a cell that has just run; the one that is its value is shown by the notebook where it knows
    how."""
    from IPython.display import Image, display
    from matplotlib.figure import Figure

    known = Figure in _notebook().display_formatter.formatters["image/png"].type_printers
    value = getattr(result, "result", None)
    for figure in _waiting:
        if not (known and figure is value):
            display(Image(picture(figure)))
    _waiting.clear()
