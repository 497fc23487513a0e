"""Commands that make runs, and that read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    Compat,
    Ignore,
    ModelArgument,
    Numerics,
    OtherCode,
    Out,
    Quiet,
    RunArgument,
    SetOption,
    TakeOver,
    Threads,
    Until,
    changes,
    load,
)
from .progress import Progress

if TYPE_CHECKING:
    from ..run.result import Result


def finish(result: Result, folder: Path, pictures: bool) -> None:
    """Report, figures and a short table."""
    print(result)
    if pictures:
        from ..analysis.report import report

        print(f"report   {report(result, folder)}")
        print(f"figures  {folder / 'figures'}")
    print(f"results  {result.path}")


def run(
    model: ModelArgument,
    until: Until = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all randomness.")] = None,
    out: Out = None,
    set: SetOption = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that lies in the folder.")] = False,
    take_over: TakeOver = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report and no figures.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write cells.csv and field.csv with PhysiCell's labels, too.")
    ] = None,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
    quiet: Quiet = False,
) -> None:
    """Run a model, or a PhysiCell settings XML: leaves a result store, a report and figures."""
    chosen = load(model, set, numerics, compat, ignore)
    from ..run import api

    end = api.minutes(until, chosen)
    folder = out or api.new_folder(chosen.name or Path(model).stem)
    watch = []
    if csv:
        from ..exchange.physicell.csv import Tables

        watch.append(Tables(csv, chosen.record.cells).see)
    asked = {"csv": str(csv.resolve()) if csv else "", "report": not no_report}
    with Progress(chosen.title, end, quiet) as progress:
        result = api.run(
            chosen,
            end,
            seed,
            out=folder,
            threads=threads,
            overwrite=overwrite,
            see=progress,
            watch=watch,
            progress=False,
            asked=asked,
            take_over=take_over,
        )
    progress.exit_if_stopped(folder)
    finish(result, folder, not no_report)


def resume(
    run: RunArgument,
    until: Until = None,
    threads: Threads = None,
    other_code: OtherCode = False,
    take_over: TakeOver = False,
    no_report: Annotated[
        bool | None,
        typer.Option("--no-report/--report", help="Write no report, or one; left out: as the run was asked to."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Go on from a run's last checkpoint, to the end that it was asked for."""
    from ..model.model import Model
    from ..run import api
    from ..run.past import Past

    before = Past.of(api.store_of(run)).attrs
    asked, watch = before.get("asked") or {}, []
    if asked.get("csv"):
        from ..exchange.physicell.csv import Tables

        watch.append(Tables(asked["csv"], Model.from_text(before["model"], folder=None).record.cells, go_on=True).see)
    with Progress(before["title"], float(before["until"]) if until is None else api.minutes(until), quiet) as progress:
        result = api.resume(
            run,
            until,
            threads=threads,
            see=progress,
            watch=watch,
            progress=False,
            other_code=other_code,
            take_over=take_over,
        )
    progress.exit_if_stopped(run)
    finish(result, run, asked.get("report", True) if no_report is None else not no_report)


def branch(
    run: RunArgument,
    arm: Annotated[
        list[str],
        typer.Option(metavar="NAME:PATH=VALUE,...", help="One arm; NAME alone is a control. May be repeated."),
    ],
    until: Until = None,
    seed: Annotated[int | None, typer.Option(help="Another seed for all arms.")] = None,
    out: Out = None,
    threads: Threads = None,
    other_code: OtherCode = False,
    quiet: Quiet = False,
) -> None:
    """Continue one state under several changes."""
    from ..errors import InputError
    from ..run import api

    arms = {}
    for item in arm:
        name, _, rest = item.partition(":")
        if not name or "/" in name or name.startswith("."):
            raise InputError(f"--arm {item}", "it has no usable name;", "expected NAME:PATH=VALUE,PATH=VALUE.")
        arms[name] = changes([c for c in rest.split(",") if c])
    before = api.open(run)
    folder = out or api.new_folder(f"{run.name}-branch")
    title, end = f"{len(arms)} arms of {before.title}", before.until if until is None else api.minutes(until)
    with Progress(title, end, quiet) as progress:
        results = api.branch(
            run,
            arms,
            until,
            out=folder,
            seed=seed,
            threads=threads,
            see=progress,
            progress=False,
            other_code=other_code,
        )
    for name, result in results.items():
        print(f"{name}\n{result}")
    progress.exit_if_stopped(folder)


def show(
    run: RunArgument,
    digest: Annotated[bool, typer.Option("--digest", help="The SHA-256 of the final state.")] = False,
    model: Annotated[bool, typer.Option("--model", help="The model that was run.")] = False,
) -> None:
    """What a run left."""
    from .. import exchange

    result = exchange.open(run)
    print(result.digest if digest else result.model_yaml if model else result)
