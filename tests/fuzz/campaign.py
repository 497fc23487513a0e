"""Feed mutated inputs and say what went wrong.

As a script:  python tests/fuzz/campaign.py [INPUTS PER KIND] [FIRST SEED] [KIND ...]

An input is at fault when anything but a ModelError (or another error of ours) comes out of it, when it takes more than
5 CPU-seconds or 1 GB, when something is written, or when what was accepted cannot be built or says something else after
to_yaml.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.inputs import KINDS, make
from oncarium.errors import OncariumError
from oncarium.model.model import Model
from oncarium.run import api
from oncarium.run.build import build
from oncarium.study.claims import read_claim

SECONDS, BYTES = 5.0, 1e9
SMALL = (5_000, 500)  # voxels and cells of what is built


class TooLong(BaseException):
    """The time is over."""


def feed(kind: str, entry: str) -> str:
    """Read an input as the program does; what is accepted is built and written."""
    if kind == "claim":
        read_claim(entry)
        return "accepted"
    problems = api.check(entry)
    for p in problems:
        str(p).encode("utf-8")
    if any(p.severity == "error" for p in problems):
        return "refused"
    model = api.load(entry)
    assert not [c for c in model.describe() if ord(c) < 32 and c != "\n"], "a control character in its description"
    again = Model.from_text(model.to_yaml(Path(".")), folder=".")
    assert again.digest == model.digest, "another model after to_yaml"
    for network in model.networks.values():
        for rate in (*network.logic.up, *network.logic.down):
            compile(rate, "rate", "eval")
    if not model.networks and model.domain.voxels <= SMALL[0] and model.cells_at_start <= SMALL[1]:
        build(model, 1)
    return "accepted"


def fault_of(kind: str, seed: int, folder: Path) -> tuple[str, str]:
    """(accepted or refused, what went wrong or nothing) of one input in an empty folder."""
    files, entry = make(kind, seed)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome, fault = "refused", ""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        outcome = feed(kind, entry)
    except OncariumError as error:
        str(error).encode("utf-8")
    except TooLong:
        fault = f"more than {SECONDS:g} s"
    except Exception as error:
        trace = error.__traceback__
        while (
            trace is not None and trace.tb_next is not None and "oncarium" in trace.tb_next.tb_frame.f_code.co_filename
        ):
            trace = trace.tb_next
        where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        fault = f"{type(error).__name__} at {where}: {str(error)[:100]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown = 1024.0 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    if not fault and grown > BYTES:
        fault = f"{grown / 1e9:.1f} GB"
    if not fault and set(os.listdir(folder)) != set(files):
        fault = f"it wrote {sorted(set(os.listdir(folder)) - set(files))}"
    if time.process_time() - start > SECONDS and not fault:
        fault = f"more than {SECONDS:g} s"
    return outcome, fault


def campaign(kinds: tuple[str, ...], first: int, count: int) -> tuple[Counter, list[str]]:
    """Outcomes, and every fault with its kind and seed. The working directory is a folder of its own meanwhile."""

    def ring(*_: object) -> None:
        raise TooLong

    outcomes: Counter = Counter()
    faults: list[str] = []
    here, old = os.getcwd(), signal.signal(signal.SIGPROF, ring)
    try:
        build(Model.from_text(_SMALLEST), 1)  # what is loaded once does not count
        for kind in kinds:
            for seed in range(first, first + count):
                with tempfile.TemporaryDirectory() as folder:
                    os.chdir(folder)
                    outcome, fault = fault_of(kind, seed, Path(folder))
                    os.chdir(here)
                outcomes[kind, "fault" if fault else outcome] += 1
                if fault:
                    faults.append(f"{kind} {seed}: {fault}")
    finally:
        os.chdir(here)
        signal.signal(signal.SIGPROF, old)
    return outcomes, faults


_SMALLEST = (
    "domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}\ncells: {tumor: {library: "
    "tumor}}\nfactors: {oxygen: {library: oxygen}}\n"
)

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    number, first_seed = (int(w) for w in (sys.argv[1:3] + ["100", "0"][len(sys.argv[1:3]) :]))
    begun = time.time()
    found, wrong = campaign(tuple(sys.argv[3:]) or KINDS, first_seed, number)
    for kind in tuple(sys.argv[3:]) or KINDS:
        print(f"{kind:<10}" + "".join(f"{found[kind, o]:>7} {o}" for o in ("accepted", "refused", "fault")))
    print(f"{sum(found.values())} inputs, {len(wrong)} faults, {time.time() - begun:.0f} s", *wrong, sep="\n")
    sys.exit(bool(wrong))
