"""Columns read and written where they lie: a loop over whichever of them a model names takes their places.

A place is the address of a number of the first cell, and the bytes from one cell to the next. The arrays must live as
long as their places are used.

>>> from numba import njit
>>> table = np.arange(6.0).reshape(3, 2)
>>> @njit
... def double(places, k, i):
...     write(places, k, i, 2.0 * read(places, k, i))
>>> double(places_of([table], np.array([0, 0]), np.array([0, 1])), 1, 2)  # both entries of the one column
>>> table.tolist()
[[0.0, 1.0], [2.0, 3.0], [4.0, 10.0]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LARGEST = float(np.finfo(np.float64).max)


def places_of(columns: Sequence[np.ndarray], column: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """(row, 2) address and stride, bytes, of each row: entry (row) of a column (row), an index in `columns`, which are
    float64 (cell) or contiguous (cell, axis)."""
    out = np.empty((len(column), 2), np.int64)
    if len(column):
        whole = np.array([(c.__array_interface__["data"][0], c.strides[0]) for c in columns], np.int64)
        out[:] = whole[column]
        out[:, 0] += 8 * entry
    return out


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, ir.DoubleType().as_pointer())


def _load(typingctx: Any, address: Any) -> Any:
    signature = types.float64(types.int64)
    return signature, lambda context, builder, signature, given: builder.load(_pointer(builder, given[0]))


def _store(typingctx: Any, address: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store(given[1], _pointer(builder, given[0]))
        return context.get_dummy_value()

    return types.void(types.int64, types.float64), emit


load: Any = intrinsic(_load)
store: Any = intrinsic(_store)


@njit(inline="always")
def read(places, k, i):
    """Number of cell i in column k."""
    return load(places[k, 0] + i * places[k, 1])


@njit(inline="always")
def write(places, k, i, value):
    """Give cell i a number in column k."""
    store(places[k, 0] + i * places[k, 1], value)


@njit(cache=True, nogil=True)
def all_finite(places, width, rows):
    """Whether all numbers of some columns of float64 are finite. places (column, 2): of their first numbers; width
    (column): numbers of a row."""
    for k in range(places.shape[0]):
        wrong = False
        for m in range(rows * width[k]):
            wrong |= not (abs(load(places[k, 0] + 8 * m)) <= LARGEST)  # nor is nan
        if wrong:
            return False
    return True
