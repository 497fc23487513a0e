"""Commands that draw what a run left: figures, the report, movies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import RunArgument

Color = Annotated[
    str, typer.Option(metavar="COLUMN", help="Color of cells: type, or any number they have, such as hypoxia.level.")
]
Field = Annotated[str | None, typer.Option(metavar="FACTOR", help="A factor whose map lies below the cells.")]
Crop = Annotated[
    str | None, typer.Option(metavar="X0,X1,Y0,Y1", help="Show this part of the tissue only (um).", show_default=False)
]
CURVES = ("growth", "composition", "deaths", "phases", "factors")
WHAT = ("tissue", "scene", "fields", "overview", *CURVES)


def report(
    run: RunArgument, out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write into.")] = None
) -> None:
    """Write report and figures of a run."""
    from .. import exchange
    from ..analysis import report as writer

    print(writer.report(exchange.open(run), out or run))


def plot(
    run: RunArgument,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]",
            help=f"{', '.join(WHAT)}; a factor, for its map; a number of cells, for its course over time.",
        ),
    ] = "tissue",
    at: Annotated[str | None, typer.Option(help="When, e.g. '2 day'; the last frame when left out.")] = None,
    color: Color = "type",
    field: Field = None,
    crop: Crop = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file: .png, .svg or .pdf; in the run's folder when left out."),
    ] = None,
) -> None:
    """Draw one figure: tissue in any color, a field, a curve, cells in space."""
    from .. import exchange
    from ..analysis import plot as draw
    from ..errors import InputError, did_you_mean

    result = exchange.open(run)
    look = {"color": (color, "type"), "field": (field, None), "crop": (crop, None)}
    takes = {"tissue": tuple(look), "scene": ("color",)}.get(what, ("crop",) if what in result.factors else ())
    for option, (given, usual) in look.items():
        if given != usual and option not in takes:
            raise InputError(f"--{option} {given}", f"a figure of '{what}' takes no {option}.")
    if what == "tissue":
        figure: object = draw.tissue(result, at, color=color, field=field, crop=corners(crop))
    elif what == "scene":
        figure = draw.scene(result, at, color=color)
    elif what == "fields":
        figure = draw.fields(result, at)
    elif what in ("overview", *CURVES):
        figure = getattr(draw, what)(result)
    elif what in result.factors:
        figure = draw.field(result, what, at, crop=corners(crop))
    else:
        try:
            result.numbers(what)
        except InputError:
            known = [*WHAT, *result.factors, *result.columns]
            raise InputError(
                what, f"no figure, factor or number of cells is called so.{did_you_mean(what, known)}",
                f"Figures: {', '.join(WHAT)}. Factors: {', '.join(result.factors)}. "
                f"Numbers: {', '.join(result.columns)}.",
            ) from None  # fmt: skip
        figure = draw.over_time(result, what)
    name = what if color == "type" else f"{what}_{color}"
    print(draw.save(figure, out or run / "figures" / f"{name.replace('.', '_')}.png"))  # type: ignore[arg-type]


def movie(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file, .mp4 or .gif.")] = None,
    color: Color = "type",
    field: Field = None,
    crop: Crop = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames at most, spread evenly over the run.")] = 120,
    rate: Annotated[int, typer.Option(min=1, help="Frames per second.")] = 12,
) -> None:
    """Make a movie of a run."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .. import exchange
    from ..analysis import movie as maker

    columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("frames", total=None)
        path = maker.movie(
            exchange.open(run), out or run / "movie.mp4", frames, rate, color=color, field=field, crop=corners(crop),
            see=lambda done, all: bar.update(task, completed=done, total=all),
        )  # fmt: skip
    print(path)


def corners(given: str | None) -> tuple[float, ...] | None:
    """X0,X1,Y0,Y1 as numbers. Raises InputError.

    >>> corners("-100,100,0,50")
    (-100.0, 100.0, 0.0, 50.0)
    """
    from ..errors import InputError

    if given is None:
        return None
    try:
        numbers = tuple(float(word) for word in given.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise InputError(
            f"--crop {given}", "this is no part of a map;", "expected X0,X1,Y0,Y1 in um, e.g. -100,100,-100,100."
        )
    return numbers
