"""Digests depend neither on threads nor on the instruction set, only on the library of exp, log and the like."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

import oncarium
from oncarium.engine.processor import mathematics

PACKAGE = Path(oncarium.__file__).parent
SWEEPS = """
import hashlib, numpy as np
from oncarium.biology.physicell.mechanics import settle
from oncarium.engine.kernels.gate import new_gate
from oncarium.engine.kernels.lod import lod_step

random = np.random.default_rng(0)
swept = random.random((3, 7, 17))
lod_step(swept, 0.01, 1e4, 0.1, (20, 20, 20), np.array([3, 40]), np.array([1.0, 2.0]), steps=20)
n = 40
body = [30.0 * random.random((n, 3)), np.full((n, 1), 8.4), np.full((n, 1), 10.5), random.random((n, 2))]
velocity, pressure = np.zeros((n, 3)), np.zeros(n)
walls, total = (np.array([10.0]), np.zeros(3), np.full(3, 30.0), False), np.zeros((1, n, 4), np.int64)
cells = np.concatenate([*body, np.arange(n)[:, None]], axis=1)
pairs = (np.zeros(n, np.int32), np.ones((n, 1)), True, *(a.astype(np.uint32) for a in np.triu_indices(n, 1)))
settle(0, 1, new_gate(), total, cells, pairs, np.ones(n), np.empty((0, 3)), walls, velocity, pressure)
print(hashlib.sha256(b"".join(a.tobytes() for a in (swept, velocity, pressure))).hexdigest())
"""


def digest(**environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_C")}
    done = subprocess.run(
        [sys.executable, "-c", SWEEPS], env={**env, **environment}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_oldest_instruction_set_gives_the_same_bytes(tmp_path):
    """Compiled for a processor without vectors of four and without fused products."""
    oldest = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "ONCARIUM_CACHE": str(tmp_path)}
    assert digest() == digest(**oldest)


def test_nothing_is_compiled_with_freedom_to_round():
    told = [
        p.name
        for p in PACKAGE.rglob("*.py")
        if re.search(r"fastmath|reassoc|contract\"", p.read_text(encoding="utf-8"))
    ]
    assert told == []


def test_the_name_of_the_mathematical_library_goes_by_its_results(monkeypatch):
    found = mathematics()
    assert re.fullmatch(r"[0-9a-f]{8}", found) and found == mathematics.__wrapped__()
    exp = math.exp
    monkeypatch.setattr(math, "exp", lambda x: np.nextafter(exp(x), 9.0) if 0.5 < x < 0.51 else exp(x))
    assert mathematics.__wrapped__() != found
