"""The command that reads regimens in any notation, prints their one table, and writes them in another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NOTATIONS = ("english", "yaml", "nonmem", "simbiology")


def doses(
    regimen: Annotated[
        str, typer.Argument(help="A file (.txt lines, .yaml, .csv of NONMEM, mrgsolve or SimBiology), or one line.")
    ],
    until: Annotated[
        str | None, typer.Option(help="End of the run, e.g. '90 day'; courses without an end need it.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="NOTATION", help="Write it as english, yaml, nonmem or simbiology instead.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table of single doses as CSV, too.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for what --to writes.")] = None,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="Date of day 0, e.g. 2026-01-05.")] = None,
    time: Annotated[str, typer.Option(help="Unit of TIME in tables that do not say it.")] = "h",
    drug: Annotated[str, typer.Option(help="Drug of tables that do not say it.")] = "drug",
    unit: Annotated[str, typer.Option(help="Unit of amounts in tables that do not say it.")] = "mg",
    most: Annotated[int, typer.Option("--most", min=1, help="Doses to print.")] = 40,
) -> None:
    """Read doses in the words people use; print every single dose with its unit, and what they come to."""
    import math

    from ..errors import InputError, ModelError, did_you_mean
    from ..model import doses as notations
    from ..model.doses.words import date_of, span
    from ..model.library import on_shelf
    from ..units import UnitError
    from ..writing import write_text
    from .options import say_problems

    if to is not None and to not in NOTATIONS:
        raise InputError(
            "--to", f"no notation is called '{to}'.{did_you_mean(to, NOTATIONS)}", f"Known: {', '.join(NOTATIONS)}."
        )
    try:
        end = math.inf if until is None else span(until, 1.0)
        day0 = date_of(start) if start else None
    except UnitError as error:
        raise InputError(
            "--until" if "time" in str(error) or "unit" in str(error) else "--start", f"{error}."
        ) from None
    known = [*on_shelf("drugs"), drug] or None
    file = Path(regimen)
    looks_like_file = "\n" not in regimen and " " not in regimen.strip()
    given = file if looks_like_file or file.is_file() else regimen
    found = notations.read_doses(
        given, time=time, drug=drug, unit=unit, start=day0, drugs=known if on_shelf("drugs") else None
    )
    endless = [c for c in found.courses if c.endless]
    if endless and math.isinf(end) and to not in ("english", "yaml"):
        raise InputError(endless[0].where, f"{endless[0].what} has no end.", "", "Say until when:  --until '90 day'.")
    if not math.isinf(end):
        problems = notations.check_regimen(found, end)
        say_problems([p for p in problems if p.severity != "error"])
        if any(p.severity == "error" for p in problems):
            raise ModelError([p for p in problems if p.severity == "error"])
    if to is not None:
        bound = None if math.isinf(end) else end
        text = {
            "english": lambda: notations.english(found), "yaml": lambda: notations.yaml(found),
            "nonmem": lambda: notations.nonmem(found, bound, time),
            "simbiology": lambda: notations.simbiology(found, bound),
        }[to]()  # fmt: skip
        if out:
            write_text(out, text)
            print(f"Wrote {out}")
        else:
            print(text, end="")
    table = found.doses(end)
    if csv:
        write_text(csv, table.frame().to_csv(index=False, float_format="%.10g"))
        print(f"Wrote {csv}")
    if to is None:
        print(table.table(most))
        for course in found.waiting:
            print(f"waiting: {notations.english(notations.Regimen((course,))).strip()}")
