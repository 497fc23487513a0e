"""The command that tells what the numbers of a model rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Compat, Ignore, ModelArgument, Numerics, SetOption, load

MATTERS = 0.1  # of a read-out's mean: an effect that is worth a search for evidence


def sources(
    model: ModelArgument,
    set: SetOption = None,
    bib: Annotated[Path | None, typer.Option(metavar="FILE", help="Write BibTeX of the sources there.")] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all numbers there: value, unit, grade, range, sources.")
    ] = None,
    sensitivity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Table of 'oncarium sensitivity': list the assumed numbers that matter most."
        ),
    ] = None,
    numbers: Annotated[
        Path | None, typer.Option(help="Numbers that the study varied; the library's when left out.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files.")] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Say what a model's numbers rest on: measured (M), reported (R), recalled (L) or assumed (A), by kind."""
    import csv as tables
    import io

    from ..errors import InputError
    from ..model.evidence import COLUMNS
    from ..writing import write_text

    for file in (bib, csv):
        if file and file.exists() and not overwrite:
            raise InputError(str(file), "this file exists.", remedy="Choose another name, or add --overwrite.")
    chosen = load(model, set, numerics, compat, ignore)
    ranked = _ranked(chosen, sensitivity, numbers) if sensitivity else ""
    found = chosen.sources()
    print(found)
    if ranked:
        print(f"\n{ranked}")
    if bib:
        write_text(bib, chosen.cite() + "\n")
        print(f"Wrote {bib}")
    if csv:
        text = io.StringIO()
        writer = tables.writer(text, lineterminator="\n")
        writer.writerows([COLUMNS, *found.rows()])
        write_text(csv, text.getvalue())
        print(f"Wrote {csv}")


def _ranked(model, table: Path, numbers: Path | None) -> str:  # type: ignore[no-untyped-def]
    """Assumed and influential numbers, and how many of the influential ones are measured or reported."""
    import pandas as pd

    from ..errors import InputError
    from ..study.sensitivity import ranking, uncertain

    expected = "expected the table.csv of 'oncarium sensitivity': readout, number, mu_star, chance and more."
    try:
        told = pd.read_csv(table)
    except (OSError, ValueError) as error:
        raise InputError(str(table), f"cannot be read as a table ({str(error)[:80]});", expected) from None
    missing = [c for c in ("readout", "number", "mu_star", "chance") if c not in told]
    if missing:
        raise InputError(str(table), f"has no column {', '.join(missing)};", expected)
    ranks = ranking(model, told, uncertain(numbers)[0])
    ranks = ranks[(ranks["mu_star"] > MATTERS) & (ranks["mu_star"] > ranks["chance"])]
    known = int(ranks["grade"].isin(["M", "R"]).sum())
    lines = [f"{known} of {len(ranks)} numbers that move a read-out by more than 10 % are measured or reported."]
    weak = ranks[~ranks["grade"].isin(["M", "R"])]
    if len(weak):
        lines += ["Assumed and influential, the strongest first:"]
        lines += [
            f"{r.mu_star:6.2f} of {r.readout:<16} {r.number}: {r.value}  ({r.path})"
            for r in weak.itertuples(index=False)
        ]
    return "\n".join(lines)
