"""Commands that make many runs and say what they show together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Compat, Ignore, ModelArgument, Numerics, SetOption, Until, load


def claims(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLAIM...]", help="Claims of the library (C10), or files; all when left out."),
    ] = None,
    profile: Annotated[str, typer.Option(help="How large, long and often: quick or full.")] = "quick",
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds per arm, in place of the profile's.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs and page.")] = Path("runs/claims"),
    listed: Annotated[bool, typer.Option("--list", help="List the claims and stop.")] = False,
) -> None:
    """Put statements about tumors to the test: control, perturbation, and the mechanism switched off."""
    from ..errors import InputError, ModelError, did_you_mean
    from ..study import claims as study

    known = {p.stem: p for p in study.library()}
    chosen, problems = [], []
    for name in names or known:
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

    from ..study.claims_page import page, say
    from ..study.verdicts import run_claims

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{len(chosen)} claims: runs", total=None)

        def see(done: int, all: int) -> None:
            bar.update(task, completed=done, total=all)

        outcomes = run_claims(chosen, out, profile=ways[profile], seeds=seeds, workers=workers, see=see)
    for o in outcomes:
        print(f"{o.claim.id:<6}{o.verdict:<24}{say(o.effects[0], o.claim.effect) if o.effects else o.error}")
    print(f"page     {page(outcomes, out)}")


def sensitivity(
    model: ModelArgument = "reference",
    given: SetOption = None,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
    numbers: Annotated[
        Path | None, typer.Option(help="File of numbers, ranges and read-outs; the library's when left out.")
    ] = None,
    trajectories: Annotated[int, typer.Option(min=2, help="Each takes one run more than there are numbers.")] = 4,
    until: Until = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs, table and figure.")] = Path(
        "runs/sensitivity"
    ),
) -> None:
    """Find out which uncertain numbers matter: elementary effects on read-outs (needs SALib)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from ..analysis import plot
    from ..study import sensitivity as study

    chosen, readouts = study.uncertain(numbers)
    tissue = load(model, given, numerics, compat, ignore)
    with Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("runs", total=None)
        table = study.morris(
            tissue, chosen, readouts, out / "arms", trajectories=trajectories, until=until, workers=workers,
            see=lambda done, all: bar.update(task, completed=done, total=all),
        )  # fmt: skip
    table.to_csv(out / "table.csv", index=False, float_format="%.4g")
    print(table.sort_values("mu_star", ascending=False).groupby("readout", sort=False).head(3).to_string(index=False))
    print(f"figure   {plot.save(study.figure(table), out / 'figure.png')}")
