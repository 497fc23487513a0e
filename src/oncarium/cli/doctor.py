"""The command that checks the installation."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def doctor(
    warm: Annotated[bool, typer.Option("--warm", help="Compile all loops ahead, so that no later run has to.")] = False,
) -> None:
    """Check the installation: versions, threads, compiler cache, and a small run whose digest must not depend on
    threads."""
    import importlib.metadata
    import platform
    import time

    from .. import __version__
    from ..engine.threads import default_threads
    from ..model.consistency import memory_here
    from ..model.model import EXAMPLE, Model
    from ..run.simulation import Simulation

    print(f"oncarium {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name in ("numpy", "numba", "scipy", "zarr", "pandas", "xarray", "matplotlib"):
        print(f"  {name:<12}{importlib.metadata.version(name)}")
    print(f"  threads     {default_threads()}\n  memory      {memory_here() / 1e9:.1f} GB")
    from ..engine import cache_folder
    from ..engine.processor import mathematics

    print(f"  cache       {cache_folder()}")
    print(f"  mathematics {mathematics()} (machines that print the same give the same digests)")
    if warm:
        warm_up()
    model = Model.from_text(EXAMPLE)
    digests = []
    for threads in (1, 2):
        start = time.perf_counter()
        simulation = Simulation(model, seed=1, threads=threads)
        simulation.run("6 h")
        digests.append(simulation.digest())
        took, said = time.perf_counter() - start, f"{threads} thread{'s' if threads > 1 else ' '}"
        print(f"  {said}   6 h of a small tumor in {took:.2f} s, digest {digests[-1][:16]}")
    if digests[0] != digests[1]:
        print("The digests differ between threads: results on this machine would not be reproducible.", file=sys.stderr)
        raise typer.Exit(1)
    print("All is well.")


def warm_up() -> None:
    """Compile what the scenarios of the library and PhysiCell's numerics need, saying how far it is."""
    from ..engine import compiling
    from ..model.model import EXAMPLE, Model
    from ..run import api
    from ..run.simulation import Simulation

    models = [
        Model.from_text(EXAMPLE),
        Model.from_text(EXAMPLE).with_({"numerics": "physicell"}),
        *(api.load(name) for name in api.scenarios()),
    ]
    count = 0

    def say(_: int, name: str) -> None:
        nonlocal count
        count += 1
        if sys.stderr.isatty():
            print(
                f"\r  compiling   {count} of at most {max(compiling.loops(), count)}: {name}\033[K",
                end="",
                file=sys.stderr,
                flush=True,
            )

    with compiling.told(say):
        for number, model in enumerate(models, 1):
            Simulation(model, seed=1).run(2 * model.clock.phenotype)
            anew = "\r\x1b[K" if sys.stderr.isatty() else ""
            print(f"{anew}  compiled    model {number} of {len(models)}: {model.title}", flush=True)
    print(f"  compiled    {count} loops; all else was there")
