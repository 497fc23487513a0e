"""Commands that make many runs and say what they show together."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    Compat,
    Ignore,
    ModelArgument,
    Numerics,
    Out,
    Overwrite,
    Quiet,
    Scheduler,
    SetOption,
    StopWhen,
    Until,
    Workers,
    load,
    say_failures,
)

if TYPE_CHECKING:
    from ..model.model import Model
    from ..run.results import Results
    from ..study.design import Design


def showing(quiet: bool) -> bool:
    """Is a bar of progress wanted, and is there a terminal to draw it on?"""
    return not quiet and sys.stderr.isatty()


@contextmanager
def going_on() -> Iterator[None]:
    """Within it, Ctrl-C and SIGTERM end all runs and say how to go on."""
    stopped = [int(signal.SIGINT)]

    def stop(number: int, frame: Any) -> None:
        stopped[0] = number
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        print("Stopped. What is finished is kept; the same command goes on.", file=sys.stderr)
        raise typer.Exit(128 + stopped[0]) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def scheduled(address: str | None) -> Iterator[Any]:
    """A client of a dask scheduler; None without an address. Raises InputError."""
    from ..errors import InputError

    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler", "dask is not installed.", remedy='Install it: pip install "oncarium[cluster]"'
        ) from None
    try:
        client = Client(address, timeout=5)
    except Exception:  # whatever an address can be wrong in
        raise InputError(
            f"--scheduler {address}", "no scheduler answers there;", "expected an address such as tcp://node1:8786."
        ) from None
    with client:
        yield client


def say_cost(design: Design, workers: int | None, quiet: bool) -> None:
    """How many runs there will be, and about how long they take."""
    from ..engine.threads import default_threads
    from ..study import conduct

    if not quiet:
        print(conduct.say_cost(design, min(workers or default_threads(), max(1, design.runs))), file=sys.stderr)


def say(results: Results) -> None:
    """What came of several runs, and where it lies."""
    print(results)
    print(f"page     {results.page}")
    print(f"results  {results.folder}")
    say_failures(results)


def repeated(model: Model, seeds: str, until: str | None, out: Path | None, workers: int | None, scheduler: str | None,
             overwrite: bool, quiet: bool, useless: list[str]) -> None:  # fmt: skip
    """oncarium run MODEL --seeds N."""
    from ..errors import InputError
    from ..study import verbs

    if useless:
        raise InputError(
            "--seeds",
            f"{' and '.join(useless)} cannot be said with it;",
            "each run has a seed and one thread of its own.",
        )
    design = verbs.repeat_design(model, seeds, until)
    say_cost(design, workers, quiet)
    with going_on(), scheduled(scheduler) as client:
        say(verbs.perform(design, "repeat", out, workers=workers, overwrite=overwrite, progress=showing(quiet),
                          client=client))  # fmt: skip


def sweep(
    model: ModelArgument,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH=A,B,C...]", help="Values of the model; with --lhs: PATH=LOW..HIGH."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A table: one column per path, one row per arm.")
    ] = None,
    lhs: Annotated[int | None, typer.Option(metavar="N", help="N points of a Latin hypercube over the ranges.")] = None,
    together: Annotated[
        bool, typer.Option("--together", help="Take the first values together, the second, and so on.")
    ] = False,
    seeds: Annotated[str, typer.Option(metavar="N", help="Seeds per arm: how many (3), or which (1,4,7).")] = "3",
    until: Until = None,
    read: Annotated[
        list[str] | None,
        typer.Option(metavar="READ-OUT", help="What the table reads, e.g. 'live.tumor at end'; may be repeated."),
    ] = None,
    stop_when: StopWhen = None,
    set: SetOption = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    out: Out = None,
    overwrite: Overwrite = False,
    yes: Annotated[bool, typer.Option("--yes", help="Run however many runs there are.")] = False,
    at_most: Annotated[int, typer.Option(min=1, help="Refuse more runs than this.")] = 10_000,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
    quiet: Quiet = False,
) -> None:
    """Run a model under every combination of values: tables, response curves and heat maps with bands over seeds."""
    from ..errors import InputError
    from ..run import api
    from ..study import verbs

    if csv is not None and values:
        raise InputError("--csv", "values are given beside it;", "expected either a table or PATH=A,B,C.")
    if lhs is not None and (csv is not None or together):
        raise InputError("--lhs", "it makes its own points;", "expected PATH=LOW..HIGH beside it.")
    chosen = api.stopping(load(model, set, numerics, compat, ignore), stop_when)
    method = "lhs" if lhs is not None else "list" if together else "grid"
    limit = None if yes else at_most
    given: Any = csv if csv is not None else swept(values or [], method)
    design = verbs.sweep_design(chosen, given, seeds, until, method=method, samples=lhs, at_most=limit)
    say_cost(design, workers, quiet)
    with going_on(), scheduled(scheduler) as client:
        say(verbs.perform(design, "sweep", out, workers=workers, readouts=read, overwrite=overwrite, at_most=limit,
                          progress=showing(quiet), client=client))  # fmt: skip


def swept(values: list[str], method: str) -> dict[str, Any]:
    """PATH=A,B,C texts as lists; commas within brackets and quotes part nothing."""
    from ..errors import InputError

    out: dict[str, Any] = {}
    for item in values:
        path, sign, said = item.partition("=")
        if not sign or not path.strip():
            raise InputError(
                item, "no '=' in it;", "expected PATH=A,B,C, e.g. cells.tumor.cycle.exit='0.01 1/h,0.02 1/h'."
            )
        if path.strip() in out:
            raise InputError(item, f"{path.strip()} stands twice.", remedy="Put all its values behind one '='.")
        out[path.strip()] = said.strip() if method == "lhs" else parted(said)
    return out


def parted(text: str) -> list[str]:
    """The parts of a text between commas that no bracket or quote holds.

    >>> parted("1 h,[a, b],2 h")
    ['1 h', '[a, b]', '2 h']
    """
    parts, depth, quote = [""], 0, ""
    for sign in text:
        quote = "" if sign == quote else quote or (sign if sign in "\"'" else "")
        depth += 0 if quote else (sign in "[{(") - (sign in ")}]")
        if sign == "," and depth <= 0 and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [p.strip() for p in parts]


def compare(
    given: Annotated[
        list[str],
        typer.Argument(metavar="A B [C...]", help="Models as  oncarium run  takes them, or folders of what was run."),
    ],
    seeds: Annotated[str, typer.Option(metavar="N", help="Seeds of the models: how many (5), or which (1,4,7).")] = "1",
    until: Until = None,
    stop_when: StopWhen = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Set models, or what was run, side by side on one page: what differs in words, tissue, fields, curves, numbers."""
    from ..study import verbs

    models, runs, names = verbs.sort_given(given)
    if models:
        say_cost(verbs.compare_design(models, runs, names, seeds, until, stop_when), workers, quiet)
    with going_on(), scheduled(scheduler) as client:
        say(verbs.set_side_by_side(models, runs, names, seeds=seeds, until=until, stop_when=stop_when, workers=workers,
                                   out=out, overwrite=overwrite, progress=showing(quiet), client=client))  # fmt: skip


def claims(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLAIM...]", help="Claims of the library (C10), or files; all when left out."),
    ] = None,
    profile: Annotated[str, typer.Option(help="How large and long: quick or full.")] = "quick",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Pairs of seeds at most; looks are at 3, 5, 8, 12 and 20.")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, metavar="RUNS", help="Runs at most, in all starts.")] = None,
    hours: Annotated[float | None, typer.Option(min=0.0, help="No more seeds are begun after so many hours.")] = None,
    few: Annotated[bool, typer.Option("--few", help="Two quick claims for two days with three seeds.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs.")] = Path("runs/claims"),
    site: Annotated[Path | None, typer.Option(help="Folder of the pages; OUT/site when left out.")] = None,
    predicted: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verdicts written down before the run:  C10: supported.")
    ] = None,
    changed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was changed after a result:  C10: text.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the claims and stop.")] = False,
) -> None:
    """Put statements about tumors to the test: control, perturbation, and the mechanism switched off."""
    from ..errors import InputError, ModelError, did_you_mean
    from ..study import claims as study

    known = {p.stem: p for p in study.library()}
    chosen, problems = [], []
    for name in names or (study.FEW if few else known):
        path = known.get(name, Path(name))
        if name not in known and not path.exists():
            raise InputError(
                name,
                f"neither a file nor a claim of the library.{did_you_mean(name, known)}",
                f"Claims: {', '.join(known)}.",
            )
        try:
            chosen.append(study.read_claim(path))
        except ModelError as error:
            problems += error.problems
    if problems:
        raise ModelError(problems)
    if listed:
        for claim in chosen:
            print(f"{claim.id:<6}{claim.says}")
        return
    ways = study.profiles()
    if profile not in ways:
        raise InputError(
            f"--profile {profile}", f"no such profile.{did_you_mean(profile, ways)}", f"Profiles: {', '.join(ways)}."
        )
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ..study import claims_site, protocol
    from ..study.verdicts import VERDICTS

    ids = {*known, *(c.id for c in chosen)}
    foretold = claims_site.read_notes(predicted, sorted(ids), VERDICTS) if predicted else {}
    after = claims_site.read_notes(changed, sorted(ids)) if changed else {}
    way = study.few(ways[profile]) if few else ways[profile]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{len(chosen)} claims: runs", total=None)

        def see(done: int, all: int) -> None:
            bar.update(task, completed=done, total=all)

        outcomes = protocol.run_claims(
            chosen, out, profile=way, seeds=seeds, budget=budget, hours=hours, workers=workers, see=see
        )
    about = protocol.freeze(chosen, out, way)
    for o in outcomes:
        main = "; ".join(claims_site.say(x.main, x.readout.effect) for x in o.judged.values())
        print(f"{o.claim.id:<6}{o.verdict:<20}{o.n:>3} pairs  {o.error or o.why or main}")
    print(
        f"page     {claims_site.site(outcomes, site or out / 'site', predicted=foretold, changed=after, about=about)}"
    )
