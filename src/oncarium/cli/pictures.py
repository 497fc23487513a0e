"""Commands that draw what a run left: figures, the report, movies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import RunArgument, one_run

Color = Annotated[
    str,
    typer.Option(
        metavar="COLUMN",
        help="Color of cells: type, or any number they have, such as hypoxia.level; of vessels: oxygen, flow, "
        "diameter, haematocrit, coverage, perfused, ...",
    ),
]
Field = Annotated[str | None, typer.Option(metavar="FACTOR", help="A factor whose map lies below the cells.")]
Crop = Annotated[
    str | None, typer.Option(metavar="X0,X1,Y0,Y1", help="Show this part of the tissue only (um).", show_default=False)
]
Vessels = Annotated[bool, typer.Option("--vessels/--no-vessels", help="Draw vessels over the cells.")]
CURVES = ("growth", "composition", "deaths", "phases", "factors")
VESSELS = ("vessels", "perfusion", "network", "vessel_course")
WHAT = ("tissue", "scene", "fields", "overview", *CURVES, *VESSELS)


def report(
    run: RunArgument, out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write into.")] = None
) -> None:
    """Write report and figures of a run, or the page of several."""
    from .. import exchange
    from ..analysis import report as writer
    from ..run.results import Results

    result = exchange.open(run)
    if isinstance(result, Results):
        from ..study.verbs import write_page

        print(write_page(result))
    else:
        print(writer.report(result, out or run))


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
    vessels: Vessels = True,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file: .png, .svg or .pdf; in the run's folder when left out."),
    ] = None,
) -> None:
    """Draw one figure: tissue in any color, a field, a curve, vessels, cells or vessels in space."""
    from .. import exchange
    from ..analysis import plot as draw
    from ..errors import InputError, did_you_mean
    from ..run.results import Results

    opened = exchange.open(run)
    result = opened.first() if isinstance(opened, Results) else opened
    course = what in CURVES or what not in (*WHAT, *result.fields)
    if not course:
        result = one_run(opened)
    look = {"color": (color, "type"), "field": (field, None), "crop": (crop, None), "vessels": (vessels, True)}
    takes: dict[str, tuple[str, ...]] = {
        "tissue": tuple(look), "scene": ("color", "vessels"), "vessels": ("color", "field", "crop"),
        "network": ("color",), **dict.fromkeys(result.fields, ("crop",)),
    }  # fmt: skip
    for option, (given, usual) in look.items():
        if given != usual and option not in takes.get(what, ()):
            said = "--no-vessels" if option == "vessels" else f"--{option} {given}"
            raise InputError(said, f"a figure of '{what}' takes no {option}.")
    blood: dict[str, Any] = {} if color == "type" else {"color": color}
    if what == "tissue":
        figure: object = draw.tissue(result, at, color=color, field=field, crop=corners(crop), vessels=vessels)
    elif what == "scene":
        figure = draw.scene(result, at, color=color, vessels=vessels)
    elif what == "vessels":
        figure = draw.vessels(result, at, **blood, field=field or "oxygen", crop=corners(crop))
    elif what == "network":
        figure = draw.network(result, at, **blood)
    elif what == "perfusion":
        figure = draw.perfusion(result, at)
    elif what == "vessel_course":
        figure = draw.vessel_course(result)
    elif what == "fields":
        figure = draw.fields(result, at)
    elif what in ("overview", *CURVES):
        figure = getattr(draw, what)(opened if course else result)
    elif what in result.fields:
        figure = draw.field(result, what, at, crop=corners(crop))
    else:
        try:
            what in result.summary or result.numbers(what)
        except InputError:
            known = [*WHAT, *result.fields, *result.columns]
            raise InputError(
                what, f"no figure, factor or number of cells is called so.{did_you_mean(what, known)}",
                f"Figures: {', '.join(WHAT)}. Factors: {', '.join(result.fields)}. "
                f"Numbers: {', '.join(result.columns)}.",
            ) from None  # fmt: skip
        figure = draw.over_time(opened, what)
    name = what if color == "type" else f"{what}_{color}"
    print(draw.save(figure, out or run / "figures" / f"{name.replace('.', '_')}.png"))  # type: ignore[arg-type]


def movie(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file, .mp4 or .gif.")] = None,
    color: Color = "type",
    field: Field = None,
    crop: Crop = None,
    vessels: Vessels = True,
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
        one = one_run(exchange.open(run))
        path = maker.movie(
            one, out or run / "movie.mp4", frames, rate, color=color, field=field, crop=corners(crop),
            vessels=vessels, see=lambda done, all: bar.update(task, completed=done, total=all),
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
