"""The index beside a store: one checksummed line per flush. A frame exists if and only if a line counts it.

A line says how many rows of every array are there (`lengths`), the tick, whether the run is finished, what is noted of
the run, and for every row that the flush wrote a checksum of its content (`rows`: array -> [count, CRC-32] one after
another). The first line holds the SHA-256 of the metadata: of the root, of the groups, and of every array without its
growing length."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

SMALL = 1 << 16  # bytes: neighbors in one chunk share a checksum up to this size


def index_of(path: Path) -> Path:
    """The index beside a store."""
    return path.with_suffix(".index")


def line_of(record: Mapping[str, Any]) -> str:
    """One line of the index: JSON, a blank, and the CRC-32 of the JSON."""
    text = json.dumps(record, sort_keys=True)
    return f"{text} {zlib.crc32(text.encode()):08x}\n"


def read_index(path: Path) -> list[dict[str, Any]]:
    """Records of the index up to the first line that is damaged, cut off, or no continuation of the one before."""
    try:
        lines = index_of(path).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    records: list[dict[str, Any]] = []
    for line in lines:
        text, _, check = line.rstrip("\n").rpartition(" ")
        if not line.endswith("\n") or f"{zlib.crc32(text.encode()):08x}" != check:
            break
        record = json.loads(text)
        if not isinstance(record, dict) or not _follows(record, records[-1] if records else None):
            break
        records.append(record)
    return records


def _follows(record: Mapping[str, Any], before: Mapping[str, Any] | None) -> bool:
    """Does a line count what the one before counted, and the rows it brings itself?"""
    if not {"lengths", "rows", "tick", "finished"} <= set(record):
        return False
    had = before["lengths"] if before is not None else {}
    if (before is None) != ("metadata" in record) or (before is not None and record["tick"] < before["tick"]):
        return False
    return all(
        n == had.get(name, 0) + sum(count for count, _ in record["rows"].get(name, ()))
        for name, n in record["lengths"].items()
    )


def sums_of(parts: list[np.ndarray], first: int, chunk: int) -> list[list[int]]:
    """[count, CRC-32] of rows that follow each other from `first` on; small neighbors within a chunk of rows are taken
    together."""
    out: list[list[int]] = []
    size, at = 0, first
    for part in parts:
        if not len(part):
            continue
        last = at + len(part) - 1
        if out and size + part.nbytes <= SMALL and at % chunk and (at - 1) // chunk == last // chunk:
            out[-1] = [out[-1][0] + len(part), zlib.crc32(part.data, out[-1][1])]
            size += part.nbytes
        else:
            out.append([len(part), zlib.crc32(part.data)])
            size = part.nbytes
        at += len(part)
    return out


def metadata_of(file: Path) -> str:
    """SHA-256 of what a zarr.json says, the length of an array left out. Raises OSError, ValueError."""
    told = json.loads(file.read_bytes())
    if told.get("node_type") == "array":
        told["shape"] = told["shape"][1:]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
