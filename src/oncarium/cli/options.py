"""What several commands share: their options and arguments, and how they come to a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..errors import Problem
    from ..model.model import Model
    from ..run.result import Result
    from ..run.results import Results

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change one value of the model; PATH+=VALUE adds to a list, PATH-=VALUE takes out of it. May be repeated.",
    ),
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        help="A scenario of the library, a model file, a PhysiCell settings XML, or the folder of such a project."
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a run.")]
Until = Annotated[str | None, typer.Option(help="When to stop, e.g. '5 day'.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads to use; the result does not depend on it.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")]
Numerics = Annotated[
    str | None, typer.Option(help="Solvers, time steps and order of operations: oncarium or physicell.")
]
Compat = Annotated[
    str | None, typer.Option(metavar="VERSION", help="Reproduce the known bugs of this version of PhysiCell: 1.14.2.")
]
Ignore = Annotated[
    list[str] | None, typer.Option(help="Run without a part that is beyond this program: intracellular.")
]
OtherCode = Annotated[
    bool,
    typer.Option(
        "--other-code",
        help="Go on although versions or sources differ from those that the run had; its store notes it.",
    ),
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Write although the folder is locked by a run that is gone.")
]
StopWhen = Annotated[
    list[str] | None,
    typer.Option("--stop-when", metavar="RULE", help="End earlier, e.g. 'live.tumor < 1 for 1 day'; may be repeated."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run on the dask cluster behind this scheduler, e.g. tcp://node1:8786."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what lies in the folder.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run.")]


def changes(given: Sequence[str] | None) -> dict[str, str]:
    """PATH=VALUE texts as a mapping."""
    from ..errors import InputError

    out = {}
    for item in given or ():
        path, sign, value = item.partition("=")
        if not sign or not path.strip():
            raise InputError(
                f"--set {item}", "no '=' in it;", "expected PATH=VALUE, e.g. cells.tumor.cycle.exit='0.02 1/h'."
            )
        out[path.strip()] = value.strip()
    return out


def load(
    name: str,
    given: Sequence[str] | None,
    numerics: str | None = None,
    compat: str | None = None,
    ignore: Sequence[str] | None = None,
) -> Model:
    """The model with its changes; warnings and notices are printed."""
    from ..model.model import Model

    model = Model.load(name, (), numerics, compat, ignore or ())
    if given:
        model = model.with_(changes(given))
    say_problems(model.problems)
    return model


def say_problems(problems: list[Problem]) -> None:
    """Print problems to standard error; what is said of several places is said once."""
    from dataclasses import replace

    groups: dict[tuple[str, ...], list[Problem]] = {}
    for p in problems:
        groups.setdefault((p.severity, p.message, p.expected, p.remedy), []).append(p)
    for first, *more in groups.values():
        lines = list(
            dict.fromkeys(
                p.where.rpartition(":")[2] if p.where.startswith(first.where.rpartition(":")[0] + ":") else p.where
                for p in more
            )
        )
        also = f" (also {', '.join(lines[:5])}{', ...' if len(lines) > 5 else ''})" if more else ""
        print(f"{first.severity}: {replace(first, where=first.where + also)}", file=sys.stderr)


def one_run(result: Result | Results) -> Result:
    """The run that a command reads. Raises InputError where several lie in the folder."""
    from ..run.result import Result

    return result if isinstance(result, Result) else result.only()


def say_failures(results: Results) -> None:
    """Say which runs failed, and leave with 1 where any did."""
    failed = [run for run in results.runs if run.error]
    for one in failed[:3]:
        print(f"{one.arm}, seed {one.seed}: {one.error}", file=sys.stderr)
    if len(failed) > 3:
        print(f"and {len(failed) - 3} more failed", file=sys.stderr)
    if failed:
        raise typer.Exit(1)
