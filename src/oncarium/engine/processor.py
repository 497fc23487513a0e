"""What of a machine may show in the last digits: only its functions
exp, log, pow, sin and the like, chosen by processor and system.

Compiled loops round each operation as IEEE 754 says, whatever the instruction set (where products are added in one
rounding, fma.py asks for it by name), and no sum depends on the number of threads.
"""

from __future__ import annotations

import functools
import hashlib
import math

import numpy as np

PLACES = 4000  # the functions of two processors differ in one result of 500 to 20,000
GOLDEN = 0.6180339887498949


@functools.cache
def mathematics() -> str:
    """Short name of the machine's mathematical functions, the system's and numpy's, by their results: with another
    name, digests may differ.

    >>> len(mathematics())
    8
    """
    x = np.arange(1, PLACES + 1) * GOLDEN % 1.0
    results = [np.exp(-10.0 * x), np.expm1(-x), np.log(x), (3.0 * x) ** 2.7, np.sin(6.0 * x), np.cos(6.0 * x)]
    for function in (
        math.exp,
        math.expm1,
        math.log,
        math.sin,
        math.cos,
        math.tanh,
        lambda v: math.pow(3.0 * v, 2.7),
        lambda v: math.pow(v, 1.0 / 3.0),
    ):
        results.append(np.array([function(v) for v in x.tolist()]))
    return hashlib.sha256(np.concatenate(results).tobytes()).hexdigest()[:8]
