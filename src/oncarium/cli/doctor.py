"""The command that checks the installation."""

from __future__ import annotations

import sys

import typer


def doctor() -> None:
    """Check the installation: versions, threads, compiler cache, and a small run whose digest must not depend on threads."""
    import importlib.metadata
    import platform
    import time

    from .. import __version__
    from ..run.simulation import Simulation, default_threads
    from ..spec.model import EXAMPLE, Model
    from ..spec.whole import memory_here

    print(f"oncarium {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name in ("numpy", "numba", "scipy", "zarr", "pandas", "xarray", "matplotlib"):
        print(f"  {name:<12}{importlib.metadata.version(name)}")
    print(f"  threads     {default_threads()}\n  memory      {memory_here() / 1e9:.1f} GB")
    from ..engine import cache_folder

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
