"""Rows of a store as they were written: whatever is read is compared with the checksums of the index, and what does not
fit is told."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .index import metadata_of

log = logging.getLogger(__name__)
REMEDY = "What lies in other chunks and arrays can still be read."


class Rows(Mapping):
    """Arrays of a store by name, as long as the index says; zarr opens one when it is first read."""

    def __init__(self, path: Path, records: Sequence[Mapping[str, Any]]):
        self.path, self.records = path, records
        self.lengths: Mapping[str, int] = records[-1]["lengths"]
        self.metadata: Mapping[str, str] = records[0]["metadata"]
        self.opened: dict[str, Checked] = {}

    def __iter__(self):
        return iter(self.lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, name: str) -> Checked:
        if name not in self.opened:
            if name not in self.lengths:
                raise DataError(str(self.path), f"it holds no {name}.")
            self.opened[name] = Checked(self, name)
        return self.opened[name]

    @cached_property
    def attrs(self) -> dict[str, Any]:
        """What the root says. Raises DataError where it was changed."""
        self.verify("")
        return json.loads((self.path / "zarr.json").read_bytes())["attributes"]

    def verify(self, name: str) -> None:
        """Raise DataError where the metadata of the root (""), a group or an array are not those that were written."""
        file = self.path / name / "zarr.json" if name else self.path / "zarr.json"
        try:
            found = metadata_of(file)
        except Exception as error:  # whatever damaged JSON can raise
            raise DataError(
                str(file), f"{name or 'the root of the run'} is damaged: {_said(error)}.", remedy=REMEDY
            ) from None
        if self.metadata.get(name) != found:
            what = f"what it says about {name}" if name else "what it says about the run (model, seed, types or others)"
            raise DataError(str(file), f"{what} was changed since it was written.", remedy=REMEDY)

    @cached_property
    def sums(self) -> dict[str, np.ndarray]:
        """Array -> (first row, one after the last, CRC-32) of every block of rows."""
        gathered: dict[str, list[tuple[int, int, int]]] = {}
        for record in self.records:
            for name, rows in record["rows"].items():
                blocks = gathered.setdefault(name, [])
                for count, check in rows:
                    first = blocks[-1][1] if blocks else 0
                    blocks.append((first, first + count, check))
        return {name: np.array(blocks, np.int64).reshape(-1, 3) for name, blocks in gathered.items()}


class Checked:
    """One array, as long as the index says; every row that is read is checked.

    shape, dtype, dimensions (names)
    """

    def __init__(self, rows: Rows, name: str):
        import zarr

        self.rows, self.name = rows, name
        rows.verify(name)
        group = name.rpartition("/")[0]
        if group:
            try:
                rows.verify(group)
            except DataError as error:  # the rows are not concerned, but other programs read it
                log.warning("%s", error)
        try:
            array: Any = zarr.open_array(rows.path / name, mode="r", zarr_format=3)
            self.shape = (rows.lengths[name], *array.shape[1:])
            self.dtype = array.dtype
            self.dimensions = array.metadata.dimension_names
        except Exception as error:  # whatever damaged metadata make zarr raise
            raise self.damage(_said(error)) from None
        self.array = array

    def __len__(self) -> int:
        return self.shape[0]

    def damage(self, what: str) -> DataError:
        """What is said about an array that cannot be read."""
        return DataError(str(self.rows.path), f"{self.name} is damaged: {what}.", remedy=REMEDY)

    def __getitem__(self, key: slice | int) -> np.ndarray:
        """Rows from ... to. Raises DataError where they are not those that were written."""
        if isinstance(key, int | np.integer):
            return (
                self[int(key) : int(key) + 1][0]
                if key >= 0
                else self[len(self) + int(key) : len(self) + int(key) + 1][0]
            )
        first, last, _ = key.indices(len(self))
        if last <= first:
            return np.empty((0, *self.shape[1:]), self.dtype)
        blocks = self.rows.sums[self.name]
        blocks = blocks[np.searchsorted(blocks[:, 1], first, "right") : np.searchsorted(blocks[:, 0], last, "left")]
        begin = int(blocks[0, 0])
        found = np.ascontiguousarray(self._raw(begin, int(blocks[-1, 1])))
        for low, high, check in blocks:
            if zlib.crc32(found[low - begin : high - begin].data) != check:
                raise self.damage(
                    f"rows {low} to {high - 1} are not those that were written (a chunk is missing, or another one lies"
                    " in its place)"
                )
        return found[first - begin : last - begin]

    def _raw(self, first: int, last: int) -> np.ndarray:
        try:
            found = np.asarray(self.array[first:last])
        except Exception as error:  # whatever a damaged chunk makes zarr and its codecs raise
            raise self.damage(f"rows {first} to {last - 1} cannot be read ({_said(error)})") from None
        if len(found) != last - first:
            raise self.damage(f"it holds {len(found)} of the rows {first} to {last - 1}")
        return found

    @property
    def oindex(self) -> _Frames:
        """Indexed axis by axis; rows are read one at a time, so no more is in memory than is asked for."""
        return _Frames(self)


class _Frames:
    def __init__(self, of: Checked):
        self.of = of

    def __getitem__(self, key: tuple) -> np.ndarray:
        time, *rest = key
        chosen = np.arange(len(self.of))[time]
        out = [self._one(int(k), rest) for k in np.atleast_1d(chosen)]
        if not np.ndim(chosen):
            return out[0]
        return (
            np.stack(out) if out else np.empty((0, *self._part(np.empty(self.of.shape[1:]), rest).shape), self.of.dtype)
        )

    def _one(self, k: int, rest: Sequence[Any]) -> np.ndarray:
        return self._part(self.of[k], rest)

    @staticmethod
    def _part(frame: np.ndarray, rest: Sequence[Any]) -> np.ndarray:
        for axis in reversed(range(len(rest))):  # from the last on, so that an axis that goes moves no other one
            frame = frame[(slice(None),) * axis + (rest[axis],)]
        return frame


def _said(error: Exception) -> str:
    """An exception in one line."""
    return (str(error).splitlines() or [""])[0][:200].rstrip(".") or type(error).__name__
