"""MATLAB's format of version 4, of which PhysiCell writes one real matrix per file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ...errors import DataError

# type (0: doubles, little end first, full), rows, columns, 1 if imaginary, bytes of the name
HEADER = struct.Struct("<5I")
LONGEST_NAME = 64


def content(name: str, columns: np.ndarray) -> bytes:
    """A file with a matrix of which `columns` (column, row) holds one column per row.

    >>> _ = Path("small.mat").write_bytes(content("cells", np.arange(6.0).reshape(3, 2)))
    >>> read(Path("small.mat"))[1].shape
    (3, 2)
    """
    count, rows = columns.shape
    head = HEADER.pack(0, rows, count, 0, len(name))
    return head + name.encode("ascii") + np.ascontiguousarray(columns, "<f8").tobytes()


def read(path: Path) -> tuple[str, np.ndarray]:
    """(name, (column, row) values) of the first matrix. Raises DataError when the file is missing, cut short or of
    another kind."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(str(path), f"it cannot be read: {error.strerror}.") from None
    if len(content) < HEADER.size:
        raise DataError(str(path), f"it is cut short: {len(content)} bytes.")
    kind, rows, columns, imaginary, length = HEADER.unpack_from(content)
    if kind or imaginary or length > LONGEST_NAME:
        raise DataError(str(path), "it is no matrix of doubles in MATLAB's format of version 4.")
    start, size = HEADER.size + length, 8 * rows * columns
    if len(content) < start + size:
        raise DataError(str(path), f"it is cut short: {len(content):,} bytes of {start + size:,}.")
    name = content[HEADER.size : start].rstrip(b"\0").decode("ascii", "replace")
    return name, np.frombuffer(content, "<f8", rows * columns, start).reshape(columns, rows)
