"""Random numbers as a pure function of (seed, stream, tick, key, draw).

Philox4x32-10 of Salmon et al. 2011 (DOI 10.1145/2063384.2063405): no state, so neither threads nor memory order nor
restarts can change what a cell draws. Counter words: (draw, low half of the key, tick, stream xor the high half);
Philox's own key is the 64-bit seed, so that its schedule is the same for all cells of a loop.

A cell's **key** is a 64-bit number that says how it came to be (`Cells.key`), not how many came before it: a birth
elsewhere moves nobody else's draws, so that two arms of an experiment differ only by what their difference does. What
has no key of its own, such as a vessel, draws by its number.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numba import int64, njit, uint32, uint64

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint32(0x9E3779B9)
_W1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_S32 = np.uint64(32)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
TWO_PI = 2.0 * math.pi


def stream_of(name: str) -> int:
    """A process's stream: a fixed 31-bit number of its name, so that adding a process moves no other one's draws."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


@njit(cache=True, nogil=True)
def _mixed(x):
    """A 64-bit number whose every bit depends on every bit of x (SplitMix64 of Steele et al. 2014, DOI
    10.1145/2660193.2660195); no two numbers have the same."""
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def pair(one, other):
    """The key of a pair: of what `one` draws about `other`, and not the other way round. Philox does the mixing."""
    return int64((uint64(one) ^ _STEP) * _MIX1 + uint64(other))


def keys_of(origin: str, *numbers) -> np.ndarray:
    """Keys (64 bit, as int64) of what has this origin and these numbers, each an array or one number for all.

    >>> bool(keys_of("placement", 0, np.arange(3))[2] == keys_of("placement", 0, 2))
    True
    """
    with np.errstate(over="ignore"):
        key = np.uint64(stream_of(origin))
        for number in numbers:
            key = _mixed.py_func((key + _STEP) ^ np.asarray(number, np.int64).view(np.uint64))
    return np.asarray(key).view(np.int64)[()]


@njit(cache=True, nogil=True, inline="never")
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds on four 32-bit counter words and two key words; returns four uint32."""
    x0 = uint32(c0)
    x1 = uint32(c1)
    x2 = uint32(c2)
    x3 = uint32(c3)
    y0 = uint32(k0)
    y1 = uint32(k1)
    for _ in range(10):
        p0 = uint64(x0) * _M0
        p1 = uint64(x2) * _M1
        h0 = uint32(p0 >> _S32)
        l0 = uint32(p0 & _LOW)
        h1 = uint32(p1 >> _S32)
        l1 = uint32(p1 & _LOW)
        x0, x1, x2, x3 = uint32(h1 ^ x1 ^ y0), l1, uint32(h0 ^ x3 ^ y1), l0
        y0 = uint32(y0 + _W0)
        y1 = uint32(y1 + _W1)
    return x0, x1, x2, x3


@njit(cache=True, nogil=True)
def uniform(seed, stream, tick, key, draw):
    """One number in [0, 1) with 53 random bits.

    >>> 0.0 <= uniform(1, 2, 3, 4, 0) < 1.0
    True
    """
    s, k = uint64(seed), uint64(key)
    x0, x1, _, _ = philox(draw, k & _LOW, tick, uint64(stream) ^ (k >> _S32), s & _LOW, s >> _S32)
    return ((uint64(x0) << np.uint64(21)) ^ (uint64(x1) >> np.uint64(11))) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def normal(seed, stream, tick, key, draw):
    """One standard normal number (Box-Muller on the two halves of one Philox block)."""
    s, k = uint64(seed), uint64(key)
    x0, x1, x2, x3 = philox(draw, k & _LOW, tick, uint64(stream) ^ (k >> _S32), s & _LOW, s >> _S32)
    u = ((uint64(x0) << np.uint64(21)) ^ (uint64(x1) >> np.uint64(11))) * (1.0 / 9007199254740992.0)
    v = ((uint64(x2) << np.uint64(21)) ^ (uint64(x3) >> np.uint64(11))) * (1.0 / 9007199254740992.0)
    return math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(TWO_PI * v)


@njit(cache=True, nogil=True)
def direction(seed, stream, tick, key, draw, flat):
    """A random unit vector: on the circle when `flat`, else on the sphere."""
    a = TWO_PI * uniform(seed, stream, tick, key, draw)
    if flat:
        return math.cos(a), math.sin(a), 0.0
    z = 2.0 * uniform(seed, stream, tick, key, draw + 1) - 1.0
    r = math.sqrt(max(0.0, 1.0 - z * z))
    return r * math.cos(a), r * math.sin(a), z
