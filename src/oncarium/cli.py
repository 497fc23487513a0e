"""The command line: oncarium run | new | import | list | check | plan | show | report | movie | resume | branch | claims | sensitivity | doctor | schema.

Exit codes: 0 done, 1 failed while running, 2 refused input, 130 and 143 interrupted.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .errors import Problem
    from .run.result import Result
    from .run.simulation import Simulation
    from .spec.model import Model

app = typer.Typer(
    help="Grow a tumor in its tissue: describe it in a file, run it, see and measure what happens.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change one value of the model; may be repeated.")]
ModelArgument = Annotated[str, typer.Argument(help="A scenario of the library, a model file, or a PhysiCell settings XML.")]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a run.")]
Until = Annotated[str | None, typer.Option(help="When to stop, e.g. '5 day'.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads to use; the result does not depend on it.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")]
Numerics = Annotated[str | None, typer.Option(help="Solvers, time steps and order of operations: oncarium or physicell.")]
Compat = Annotated[str | None, typer.Option(metavar="VERSION", help="Reproduce the known bugs of this version of PhysiCell: 1.14.2.")]
Ignore = Annotated[list[str] | None, typer.Option(help="Run without a part that is beyond this program: intracellular.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run.")]


def main() -> None:
    """Run the command line; turns every error of ours into its message and exit code."""
    from .errors import OncariumError

    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except OncariumError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error, whichever copy of click typer carries
            print(f"{error.format_message()}\nSee  oncarium --help", file=sys.stderr)
            sys.exit(2)
        raise


def changes(given: Sequence[str] | None) -> dict[str, str]:
    """PATH=VALUE texts as a mapping."""
    from .errors import InputError

    out = {}
    for item in given or ():
        path, sign, value = item.partition("=")
        if not sign or not path.strip():
            raise InputError(f"--set {item}", "no '=' in it;", "expected PATH=VALUE, e.g. cells.tumor.cycle.exit='0.02 1/h'.")
        out[path.strip()] = value.strip()
    return out


def load(
    name: str, given: Sequence[str] | None, numerics: str | None = None, compat: str | None = None, ignore: Sequence[str] | None = None
) -> Model:
    """The model with its changes; warnings and notices are printed."""
    from .spec.model import Model

    model = Model.load(name, (), numerics, compat, ignore or ())
    if given:
        model = model.with_(changes(given))
    say_problems(model.problems)
    return model


def say_problems(problems: list[Problem]) -> None:
    for p in problems:
        print(f"{p.severity}: {p}", file=sys.stderr)


class Progress:
    """The live display of a run, and the signals that end it in good order."""

    def __init__(self, title: str, until: float, quiet: bool):
        from rich.console import Console

        self.title, self.until, self.quiet = title, until, quiet
        self.console = Console(stderr=True)
        self.stopped = 0
        self.shown = 0.0
        self.said = 0.0

    def __enter__(self) -> Progress:

        from rich.live import Live

        self.first: tuple[float, float] | None = None
        self.live = (
            Live(
                f"{self.title}: preparing (the first run after installation compiles, about half a minute)",
                console=self.console,
                auto_refresh=False,
                transient=True,
            )
            if not self.quiet and self.console.is_terminal
            else None
        )
        if self.live:
            self.live.start(refresh=True)
        elif not self.quiet:
            self.console.print(f"{self.title}: preparing (the first run after installation compiles, about half a minute)")
        self.before = {s: signal.signal(s, self._stop) for s in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGUSR1", signal.SIGTERM))}
        return self

    def _stop(self, number: int, frame: Any) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = number

    def __call__(self, simulation: Simulation) -> bool:
        import time

        now = time.monotonic()
        if self.first is None:
            self.first = (now, simulation.time)
        if not self.quiet and now - self.shown > 0.25:
            self.shown = now
            if self.live:
                self.live.update(self.table(simulation, now), refresh=True)
            elif now - self.said > 10:
                self.said = now
                self.console.print(self.line(simulation, now))
        return bool(self.stopped)

    def rate(self, simulation: Simulation, now: float) -> float:
        """Simulated minutes per second."""
        assert self.first is not None
        return (simulation.time - self.first[1]) / max(now - self.first[0], 1e-9)

    def line(self, simulation: Simulation, now: float) -> str:
        from .units import say_time

        cells = simulation.tissue.cells
        return f"{say_time(simulation.time)} of {say_time(self.until)}, {cells.n} cells, {self.rate(simulation, now):.0f} simulated min/s"

    def table(self, simulation: Simulation, now: float) -> Any:
        import numpy as np
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        from .units import say_time

        cells = simulation.tissue.cells
        live = np.bincount(cells.type[cells["vital"] == 0], minlength=len(cells.types))
        dead = np.bincount(cells.type[cells["vital"] != 0], minlength=len(cells.types))
        rate = self.rate(simulation, now)
        left = (self.until - simulation.time) / rate if rate > 0 else 0.0
        table = Table(box=None, pad_edge=False, show_header=True)
        for head in ("cells", "live", "dead"):
            table.add_column(head, justify="left" if head == "cells" else "right")
        for name, a, d in zip(cells.types, live, dead):
            table.add_row(name, f"{a:,}", f"{d:,}")
        head = f"{self.title}\n{say_time(simulation.time)} of {say_time(self.until)}   {rate:,.0f} simulated min/s   about {left:.0f} s left"
        return Group(Text(head), ProgressBar(total=max(self.until, 1e-9), completed=simulation.time, width=60), table)

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def exit_if_stopped(self, folder: Path) -> None:
        """Say how to go on, and leave with 128 + signal."""
        if self.stopped:
            print(f"Stopped. Go on with:  oncarium resume {folder}", file=sys.stderr)
            raise typer.Exit(128 + self.stopped)


def finish(result: Result, folder: Path, pictures: bool) -> None:
    """Report, figures and a short table."""
    print(result)
    if pictures:
        from .analysis.report import report

        print(f"report   {report(result, folder)}")
        print(f"figures  {folder / 'figures'}")
    print(f"results  {result.path}")


@app.command()
def run(
    model: ModelArgument,
    until: Until = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all randomness.")] = None,
    out: Out = None,
    set: SetOption = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that lies in the folder.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report and no figures.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="DIR", help="Write cells.csv and field.csv with PhysiCell's labels, too.")] = None,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
    quiet: Quiet = False,
) -> None:
    """Run a model, or a PhysiCell settings XML: leaves a result store, a report and figures."""
    chosen = load(model, set, numerics, compat, ignore)
    from .run import api

    end = api.minutes(until, chosen)
    folder = out or api.new_folder(chosen.name or Path(model).stem)
    watch = []
    if csv:
        from .exchange.physicell.csv import Tables

        watch.append(Tables(csv, chosen.record.cells).see)
    with Progress(chosen.title, end, quiet) as progress:
        result = api.run(chosen, end, seed, out=folder, threads=threads, overwrite=overwrite, see=progress, watch=watch)
    progress.exit_if_stopped(folder)
    finish(result, folder, not no_report)


@app.command()
def resume(
    run: RunArgument,
    until: Until = None,
    threads: Threads = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    quiet: Quiet = False,
) -> None:
    """Go on from a run's last checkpoint."""
    from .run import api

    before = api.open(run)
    end = api.minutes(until, _model_of(before))
    with Progress(before.title, end, quiet) as progress:
        result = api.resume(run, end, threads=threads, see=progress)
    progress.exit_if_stopped(run)
    finish(result, run, not no_report)


def _model_of(result: Result) -> Model:
    from .spec.model import Model

    return Model.from_text(result.model_yaml, "the run's own model", folder=None)


@app.command()
def branch(
    run: RunArgument,
    arm: Annotated[list[str], typer.Option(metavar="NAME:PATH=VALUE,...", help="One arm; NAME alone is a control. May be repeated.")],
    until: Until = None,
    seed: Annotated[int | None, typer.Option(help="Another seed for all arms.")] = None,
    out: Out = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Continue one state under several changes."""
    from .errors import InputError
    from .run import api

    arms = {}
    for item in arm:
        name, _, rest = item.partition(":")
        if not name or "/" in name or name.startswith("."):
            raise InputError(f"--arm {item}", "it has no usable name;", "expected NAME:PATH=VALUE,PATH=VALUE.")
        arms[name] = changes([c for c in rest.split(",") if c])
    before = api.open(run)
    folder = out or api.new_folder(f"{run.name}-branch")
    with Progress(f"{len(arms)} arms of {before.title}", api.minutes(until, _model_of(before)), quiet) as progress:
        results = api.branch(run, arms, until, out=folder, seed=seed, threads=threads, see=progress)
    for name, result in results.items():
        print(f"{name}\n{result}")
    progress.exit_if_stopped(folder)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("model.yaml"),
    scenario: Annotated[str, typer.Option("--from", help="The scenario to start from.")] = "hypoxic_tumor",
) -> None:
    """Write a model file to start from."""
    from .errors import InputError
    from .spec.model import LIBRARY, Model

    if file.exists():
        raise InputError(str(file), "this file exists.", remedy="Choose another name.")
    Model.load(scenario)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text((LIBRARY / "scenarios" / f"{scenario}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    print(f"Wrote {file}. Check it with:  oncarium check {file}")


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(metavar="physicell", help="What the file is.")],
    file: Annotated[Path, typer.Argument(help="The settings XML.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write.")] = Path("model.yaml"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Write a PhysiCell model as a model file that runs identically."""
    from .errors import InputError

    if kind != "physicell":
        raise InputError(f"import {kind}", "this kind is not known;", "expected physicell.")
    if out.exists() and not overwrite:
        raise InputError(str(out), "this file exists.", remedy="Choose another name, or add --overwrite.")
    model = load(str(file), None, numerics, compat, ignore)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(model.to_yaml(out.parent), encoding="utf-8")
    print(f"Wrote {out}. Run it with:  oncarium run {out}")


@app.command("list")
def list_() -> None:
    """Scenarios, factors and cell types of the library."""
    from .spec.files import read
    from .spec.model import LIBRARY

    for shelf in ("scenarios", "factors", "cells"):
        print(shelf)
        for path in sorted((LIBRARY / shelf).glob("*.yaml")):
            tree = read(path).tree
            print(f"  {path.stem:<28}{tree.get('title') or tree.get('doc', '')}")


@app.command()
def check(
    model: ModelArgument,
    set: SetOption = None,
    describe: Annotated[bool, typer.Option("--describe", help="Say the model in English.")] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Check a model: every problem at once, with file and line."""
    from .errors import ModelError
    from .spec.model import Model

    opened = Model.open(model, (), numerics, compat, ignore or ())
    if opened.errors:
        say_problems([p for p in opened.problems if p.severity != "error"])
        raise ModelError(opened.errors)
    if set:
        opened = opened.with_(changes(set))
    say_problems(opened.problems)
    print(opened.describe() if describe else f"{model} is fine: {opened!r}")


@app.command()
def diff(one: ModelArgument, other: ModelArgument) -> None:
    """What the second model says differently."""
    from .spec.model import Model

    print("\n".join(Model.load(one).diff(Model.load(other))) or "The models say the same.")


@app.command()
def plan(
    model: ModelArgument,
    set: SetOption = None,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks to run for the timings.")] = 60,
    wiring: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw who acts on whom instead: .png, .svg, .pdf or .html.")] = None,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Print the plan of a model: what acts when, what it reads and writes, and what it costs. Or draw its wiring."""
    from .run.simulation import Simulation

    chosen = load(model, set, numerics, compat, ignore)
    if wiring:
        from .analysis.wiring_page import write

        print(f"Wrote {write(chosen, wiring)}")
        return
    simulation = Simulation(chosen)
    for _ in range(max(simulation.plan.every)):  # loading and compiling do not count
        simulation.step()
    simulation.plan.forget_times()
    for _ in range(ticks):
        simulation.step()
    print(simulation.plan)


@app.command()
def show(
    run: RunArgument,
    digest: Annotated[bool, typer.Option("--digest", help="The SHA-256 of the final state.")] = False,
    model: Annotated[bool, typer.Option("--model", help="The model that was run.")] = False,
) -> None:
    """What a run left."""
    from .run import api

    result = api.open(run)
    print(result.digest if digest else result.model_yaml if model else result)


@app.command()
def report(run: RunArgument, out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write into.")] = None) -> None:
    """Write report and figures of a run."""
    from .analysis import report as writer
    from .run import api

    result = api.open(run)
    print(writer.report(result, out or run))


@app.command()
def export(
    source: Annotated[str, typer.Argument(help="Folder of a run, or a model.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="The format: physicell.")] = "physicell",
) -> None:
    """Write a run as PhysiCell's snapshots, which pcdl opens, or a model as its settings, rules and cells."""
    from .errors import InputError, did_you_mean
    from .exchange.physicell import settings, snapshot
    from .run import api

    if to != "physicell":
        raise InputError(f"--to {to}", f"no such format.{did_you_mean(to, ['physicell'])}", "Formats: physicell.")
    if Path(source).is_dir():
        result = api.open(source)
        notices, what = snapshot.export(result, folder), f"{len(result.times)} snapshots"
    else:
        notices, what = settings.write(load(source, None), folder), settings.FILES[0]
    for notice in notices:
        print(f"notice: {notice}", file=sys.stderr)
    print(f"Wrote {what} into {folder}")


@app.command()
def claims(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CLAIM...]", help="Claims of the library (C10), or files; all when left out.")] = None,
    profile: Annotated[str, typer.Option(help="How large, long and often: quick or full.")] = "quick",
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds per arm, in place of the profile's.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs and page.")] = Path("runs/claims"),
    listed: Annotated[bool, typer.Option("--list", help="List the claims and stop.")] = False,
) -> None:
    """Put statements about tumors to the test: control, perturbation, and the mechanism switched off."""
    from .errors import InputError, ModelError, did_you_mean
    from .study import claims as study

    known = {p.stem: p for p in study.library()}
    chosen, problems = [], []
    for name in names or known:
        path = known.get(name, Path(name))
        if name not in known and not path.exists():
            raise InputError(name, f"neither a file nor a claim of the library.{did_you_mean(name, known)}", f"Claims: {', '.join(known)}.")
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
        raise InputError(f"--profile {profile}", f"no such profile.{did_you_mean(profile, ways)}", f"Profiles: {', '.join(ways)}.")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from .study.claims_page import page, say

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{len(chosen)} claims: runs", total=None)
        outcomes = study.run_claims(
            chosen, out, profile=ways[profile], seeds=seeds, workers=workers, see=lambda done, all: bar.update(task, completed=done, total=all)
        )
    for o in outcomes:
        print(f"{o.claim.id:<6}{o.verdict:<24}{say(o.effects[0], o.claim.effect) if o.effects else o.error}")
    print(f"page     {page(outcomes, out)}")


@app.command()
def sensitivity(
    model: ModelArgument = "reference",
    given: SetOption = None,
    numbers: Annotated[Path | None, typer.Option(help="File of numbers, ranges and read-outs; the library's when left out.")] = None,
    trajectories: Annotated[int, typer.Option(min=2, help="Each takes one run more than there are numbers.")] = 4,
    until: Until = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs, table and figure.")] = Path("runs/sensitivity"),
) -> None:
    """Find out which uncertain numbers matter: elementary effects on read-outs (needs SALib)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from .analysis import plot
    from .study import sensitivity as study

    chosen, readouts = study.uncertain(numbers)
    tissue = load(model, given)
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("runs", total=None)
        table = study.morris(
            tissue, chosen, readouts, out / "arms", trajectories=trajectories, until=until, workers=workers,
            see=lambda done, all: bar.update(task, completed=done, total=all),
        )  # fmt: skip
    table.to_csv(out / "table.csv", index=False, float_format="%.4g")
    print(table.sort_values("mu_star", ascending=False).groupby("readout", sort=False).head(3).to_string(index=False))
    print(f"figure   {plot.save(study.figure(table), out / 'figure.png')}")


@app.command()
def movie(run: RunArgument, out: Annotated[Path | None, typer.Option("--out", "-o", help="The file, .mp4 or .gif.")] = None) -> None:
    """Make a movie of a run."""
    from .analysis import movie as maker
    from .run import api

    result = api.open(run)
    print(maker.movie(result, out or run / "movie.mp4"))


@app.command()
def schema(out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write.")] = None) -> None:
    """JSON schema of model files, for editors."""
    import json

    from .spec.schema import json_schema

    text = json.dumps(json_schema(), indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
        print(f"Wrote {out}")
    else:
        print(text)


@app.command()
def doctor() -> None:
    """Check the installation: versions, threads, compiler cache, and a small run whose digest must not depend on threads."""
    import importlib.metadata
    import platform
    import time

    from . import __version__
    from .run.simulation import Simulation, default_threads
    from .spec.model import EXAMPLE, Model, memory_here

    print(f"oncarium {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name in ("numpy", "numba", "scipy", "zarr", "pandas", "xarray", "matplotlib"):
        print(f"  {name:<12}{importlib.metadata.version(name)}")
    print(f"  threads     {default_threads()}\n  memory      {memory_here() / 1e9:.1f} GB")
    from .engine import cache_folder

    print(f"  cache       {cache_folder()}")
    model = Model.from_text(EXAMPLE)
    digests = []
    for threads in (1, 2):
        start = time.perf_counter()
        simulation = Simulation(model, seed=1, threads=threads)
        simulation.run("6 h")
        digests.append(simulation.digest())
        print(f"  {threads} thread{'s' if threads > 1 else ' '}   6 h of a small tumor in {time.perf_counter() - start:.2f} s, digest {digests[-1][:16]}")
    if digests[0] != digests[1]:
        print("The digests differ between threads: results on this machine would not be reproducible.", file=sys.stderr)
        raise typer.Exit(1)
    print("All is well.")


if __name__ == "__main__":
    main()
