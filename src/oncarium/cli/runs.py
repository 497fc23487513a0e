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
    Overwrite,
    Quiet,
    RunArgument,
    Scheduler,
    SetOption,
    StopWhen,
    TakeOver,
    Threads,
    Until,
    Workers,
    changes,
    load,
    one_run,
)
from .progress import Progress

if TYPE_CHECKING:
    from ..model.model import Model
    from ..run.result import Result


def finish(result: Result, folder: Path, pictures: bool, model: Model | None = None) -> None:
    """Report, figures and a short table; of a model, where its cells come from a slide, data and start as well."""
    print(result)
    if pictures:
        from ..analysis.preview import write_start
        from ..analysis.report import report

        if model is not None and (start := write_start(model, result, folder)) is not None:
            print(f"start    {start}")
        print(f"report   {report(result, folder)}")
        print(f"figures  {folder / 'figures'}")
    print(f"results  {result.path}")


def run(
    model: ModelArgument,
    until: Until = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all randomness.")] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="N", help="Run it with N seeds side by side (10), or with these (1,4,7).")
    ] = None,
    out: Out = None,
    set: SetOption = None,
    stop_when: StopWhen = None,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    overwrite: Overwrite = False,
    take_over: TakeOver = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report and no figures.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write cells.csv and field.csv with PhysiCell's labels, too.")
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Say what the time went into.")] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
    quiet: Quiet = False,
) -> None:
    """Run a model, or a PhysiCell settings XML: leaves a result store, a report and figures."""
    from ..errors import InputError
    from ..run import api
    from ..run.profile import Spent

    spent = Spent()
    chosen = api.stopping(load(model, set, numerics, compat, ignore), stop_when)
    if seeds is not None:
        from .studies import repeated

        given = {
            "--seed": seed is not None,
            "--threads": threads is not None,
            "--csv": csv,
            "--take-over": take_over,
            "--profile": profile,
        }
        useless = [name for name, said in given.items() if said]
        repeated(chosen, seeds, until, out, workers, scheduler, overwrite, quiet, useless)
        return
    if scheduler is not None or workers is not None:
        raise InputError(
            "--workers" if workers is not None else "--scheduler",
            "one run has no use for it;",
            "expected --seeds, too.",
        )
    end = api.minutes(until, chosen)
    folder = out or api.new_folder(chosen.name or Path(model).stem)
    watch = []
    if csv:
        from ..exchange.physicell.csv import Tables

        watch.append(Tables(csv, chosen.record.cells).see)
    if profile:
        watch.append(spent)
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
    spent.ran()
    finish(result, folder, not no_report, chosen)
    if profile:
        print(spent)


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
    workers: Workers = None,
    scheduler: Scheduler = None,
    other_code: OtherCode = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Continue one state under several changes, side by side, and compare what comes of them."""
    from ..errors import InputError
    from ..run import api
    from ..study import branching
    from .studies import going_on, say, say_cost, scheduled, showing

    arms = {}
    for item in arm:
        name, _, rest = item.partition(":")
        if not name or "/" in name or name.startswith("."):
            raise InputError(f"--arm {item}", "it has no usable name;", "expected NAME:PATH=VALUE,PATH=VALUE.")
        if name in arms:
            raise InputError(f"--arm {item}", f"two arms are called {name}.", remedy="Give each a name of its own.")
        arms[name] = changes([c for c in rest.split(",") if c])
    folder = out or api.new_folder(f"{run.name}-branch")
    design = branching.branch_design(run, arms, until, seed, other_code=other_code)
    say_cost(design, workers, quiet)
    with going_on(), scheduled(scheduler) as client:
        say(
            branching.perform(
                design, folder, workers=workers, overwrite=overwrite, progress=showing(quiet), client=client
            )
        )


def show(
    run: RunArgument,
    digest: Annotated[bool, typer.Option("--digest", help="The SHA-256 of the final state.")] = False,
    model: Annotated[bool, typer.Option("--model", help="The model that was run.")] = False,
) -> None:
    """What a run left."""
    from .. import exchange

    result = exchange.open(run)
    print(one_run(result).digest if digest else one_run(result).model_yaml if model else result)
