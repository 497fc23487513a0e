"""Commands for networks of vessels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def solve(
    folder: Annotated[Path, typer.Argument(help="Folder with nodes.csv, segments.csv and parameters.yaml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for segments.csv and, with tissue, tissue.csv.")],
    mode: Annotated[str | None, typer.Option(help="One of the modes in parameters.yaml.")] = None,
    viscosity: Annotated[str | None, typer.Option(metavar="LAW", help="constant:3 (cP), human or rat.")] = None,
    hematocrit: Annotated[str | None, typer.Option(metavar="RULE", help="fixed:0.4, or phase (separation).")] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="BOX", help="Where all nodes must lie, um: 0..400,-300..300,-10..10.")
    ] = None,
    voxel: Annotated[float | None, typer.Option(min=0.5, help="Width of the voxels of tissue, um.")] = None,
) -> None:
    """Solve the flow of blood, its red cells and the oxygen of the tissue in a given network of vessels."""
    import sys

    from ..run.vessel_case import notices, solve_case, summary, write_case

    case = solve_case(folder, mode, viscosity, hematocrit, domain, voxel)
    written = write_case(case, out)
    for line in notices(case):
        print(f"notice: {line}", file=sys.stderr)
    print(f"{summary(case)}\nwritten to {out}: {', '.join(p.name for p in written)}")
