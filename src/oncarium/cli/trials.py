"""The command that runs a virtual trial, at once or as tasks of an array."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Quiet, Scheduler, Workers
from .studies import going_on, scheduled, showing

if TYPE_CHECKING:
    from ..study.trial import Trial
    from ..study.trial_results import TrialResult

WORDS = ("plan", "run-one", "report")


def trial(
    given: Annotated[
        list[str],
        typer.Argument(metavar="[plan | run-one | report] FILE [N]", help="A trial's file; N is the patient's number."),
    ],
    workers: Workers = None,
    scheduler: Scheduler = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of runs, tables and page; runs/<file> when left out.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run a virtual trial: patients sampled and screened, followed in every arm, with endpoints, figures and tables.

    `plan FILE` writes the table of tasks, one for each patient; `run-one FILE N` does one of them, for array jobs;
    `report FILE` writes tables and page anew from what is there. The same command goes on where it was stopped.
    """
    from ..study.trial import Trial

    word, file, number = _parted(given)
    asked = Trial(file)
    folder = out or Path("runs") / file.stem
    if word == "plan":
        print(f"tasks    {asked.write_tasks(folder)}")
        print(f"{len(asked.patients)} tasks:  oncarium trial run-one {file} N --out {folder}")
    elif word == "run-one":
        if problem := asked.run_one(number, folder):
            print(f"patient {number}: {problem}", file=sys.stderr)
            raise typer.Exit(1)
        print(f"patient {number} is done")
    elif word == "report":
        _say(asked, asked.report(folder))
    else:
        if not quiet:
            print(asked.cost(workers), file=sys.stderr)
        with going_on(), scheduled(scheduler) as client:
            _say(asked, asked.run(folder, workers=workers, client=client, progress=showing(quiet)))


def _parted(given: list[str]) -> tuple[str, Path, int]:
    """The word, the file and the patient's number. Raises InputError."""
    from ..errors import InputError, did_you_mean

    word = given[0] if given[0] in WORDS else ""
    rest = given[1:] if word else given
    if len(rest) > 1 and not word:
        near = did_you_mean(given[0], WORDS)
        raise InputError(given[0], f"one file is a trial.{near}", f"Words before it: {', '.join(WORDS)}.")
    wanted = 2 if word == "run-one" else 1
    if len(rest) != wanted:
        raise InputError(
            f"trial {word}".strip(), f"{len(rest)} arguments;", f"expected FILE{' N' if wanted == 2 else ''}."
        )
    if wanted == 2 and not rest[1].isdecimal():
        raise InputError(f"run-one {rest[0]} {rest[1]}", f"'{rest[1]}' is no number of a patient.")
    return word, Path(rest[0]), int(rest[1]) if wanted == 2 else 0


def _say(asked: Trial, results: TrialResult) -> None:
    """What came of a trial, where it lies, and who is missing."""
    table = results.arms
    shown = [c for c in ("arm", "patients", "responders", "best_change", "progression_median", "progression_hazard",
                         "survival_median", "survival_hazard") if c in table]  # fmt: skip
    print(table[shown].to_string(index=False, float_format="{:.3g}".format, na_rep=""))
    e = results.enrolled
    said = [f"{len(e.screened)} screened out"] if e.screened else []
    said += [f"{e.weighted.size:.1f} in effect"] if e.weighted else []
    print(f"{len(asked.patients)} virtual patients, {len(e.numbers)} take part{''.join(f', {x}' for x in said)}")
    print(f"page     {results.folder / 'trial.html'}")
    print(f"tables   {', '.join(str(results.folder / f'{n}.csv') for n in ('patients', 'visits', 'arms'))}")
    for k, arm, why in results.excluded[:3]:
        print(f"patient {k}{f', {arm}' if arm else ''}: {why}", file=sys.stderr)
    if len(results.excluded) > 3:
        print(f"and {len(results.excluded) - 3} more could not be followed", file=sys.stderr)
    if results.excluded:
        raise typer.Exit(1)
