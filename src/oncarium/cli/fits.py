"""Commands about numbers: which of them matter, and which fit what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Compat, Ignore, ModelArgument, Numerics, Quiet, Scheduler, SetOption, Until, Workers, load
from .studies import going_on, scheduled, showing


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
    sobol: Annotated[
        int | None, typer.Option(metavar="N", help="Shares of variance from N points instead, each with two runs more.")
    ] = None,
    until: Until = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs, table and figure.")] = Path(
        "runs/sensitivity"
    ),
    quiet: Quiet = False,
) -> None:
    """Find out which uncertain numbers matter: elementary effects on read-outs, or shares of variance (needs SALib)."""
    from ..analysis import plot
    from ..errors import InputError
    from ..run.progress import Count
    from ..study import sensitivity as study

    chosen, readouts = study.uncertain(numbers)
    tissue = load(model, given, numerics, compat, ignore)
    if numbers is None and not any(tissue.has(path.partition(":")[0]) for n in chosen for path in n.paths):
        raise InputError(
            "--numbers", f"the library's uncertain numbers are those of reference; {model} has none of them.",
            remedy="Say which numbers to vary, and what to read:  --numbers FILE",
        )  # fmt: skip
    how: dict[str, Any] = {"until": until, "workers": workers}
    with Count("runs", showing(quiet)) as count:
        if sobol is None:
            table = study.morris(tissue, chosen, readouts, out / "arms", trajectories=trajectories, see=count, **how)
        else:
            table = study.sobol(tissue, chosen, readouts, out / "arms", samples=sobol, see=count, **how)
    table.to_csv(out / "table.csv", index=False, float_format="%.4g")
    most = "mu_star" if sobol is None else "total"
    print(table.sort_values(most, ascending=False).groupby("readout", sort=False).head(3).to_string(index=False))
    print(f"figure   {plot.save(study.figure(table), out / 'figure.png')}")


def calibrate(
    file: Annotated[Path, typer.Argument(help="What to change, and what was measured (see docs: calibrate).")],
    workers: Workers = None,
    scheduler: Scheduler = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of runs, tables and figure.")] = None,
    quiet: Quiet = False,
) -> None:
    """Fit numbers of a model to what was measured: the best ones, or all that fit with their weights."""
    from ..analysis import plot
    from ..run.progress import Count
    from ..study.calibration import Calibration, figure

    asked = Calibration.read(file)
    folder = out or Path("runs") / file.stem
    with going_on(), scheduled(scheduler) as client, Count("runs", showing(quiet)) as count:
        found = asked.run(folder, workers=workers, client=client, see=count)
    shown = [n.name for n in found.numbers] + [t.name for t in found.targets] + ["distance"]
    print(found.points.nsmallest(3, "distance")[shown].to_string(index=False, float_format="{:.4g}".format))
    if len(found.posterior) > 1:
        print(f"\n{len(found.posterior)} points stay, the farthest {found.posterior['distance'].max():.3g} errors off")
    for path, value in found.best.items():
        print(f"--set {path}='{value}'")
    print(f"figure   {plot.save(figure(found), folder / 'figure.png')}")
    print(f"tables   {folder / 'points.csv'}, {folder / 'posterior.csv'}")
