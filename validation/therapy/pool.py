"""Runs of the proofs: each (model, end, seed) is run once, and what was read of it is kept in pool/.

A script that was stopped goes on where it was; scripts share runs that are the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.study.claims import profiles, scaled

HERE = Path(__file__).parent
POOL = HERE / "pool"


def tissue(name: str, changes: Mapping[str, Any] | None = None) -> oc.Model:
    """A scenario in the size of the claims' quick profile, with changes ("times 0.5" as in claims)."""
    model = oc.load(name)
    quick = profiles()["quick"]
    model = model.with_(quick.changes) if name == quick.scenario else model
    return model.with_(scaled(model, changes or {}))


def seen(arm: str, model: oc.Model, until: str, seed: int, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Read-outs of a run by name; the run is made where the pool lacks it, or one of them."""
    key = hashlib.sha256(f"{model.digest} {until} {seed}".encode()).hexdigest()[:16]
    path = POOL / f"{key}.json"
    kept = json.loads(path.read_text()) if path.exists() else {"values": {}}
    if not set(wanted) <= set(kept["values"]):
        folder, begin = Path(tempfile.mkdtemp(prefix="oncarium-proof-")), time.process_time()
        try:
            result = oc.run(model, until, seed=seed, out=folder / "run", progress=False)
            values = kept["values"] | {name: read_out(result, what) for name, what in wanted.items()}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        seconds = round(time.process_time() - begin, 1)
        POOL.mkdir(exist_ok=True)
        kept = {"arm": arm, "until": until, "seed": seed, "seconds": seconds, "values": values}
        path.write_text(json.dumps(kept, indent=1) + "\n")
        print(f"{arm}, seed {seed}: {seconds} s", flush=True)
    return {name: kept["values"][name] for name in wanted}


def seeds(default: int) -> range:
    """Seeds 1 to n, n from the command line."""
    return range(1, int(sys.argv[1] if len(sys.argv) > 1 else default) + 1)


def daily(name: str, what: Mapping[str, Any], days: range) -> dict[str, dict[str, Any]]:
    """One read-out at each day."""
    return {f"{name} {d}": {**what, "at": f"{d} day"} for d in days}
