"""Store: one run as one zarr folder, written so that a crash at any moment loses nothing that was reported.

    cells/<column>    all frames one after another (row, axis); cells/offsets, cells/time, cells/tick say where each
    begins
    fields/0          (t, c, z, y, x), OME-Zarr 0.5; fields/time
    summary/<series>  (t, axis)         events/<column>  (event)

Frames are gathered in memory and written together. Arrays only grow; a chunk is replaced by renaming, so its old
content stays until the new one is whole; and a frame exists if and only if a checksummed line of the index beside the
store (run/index.py) counts it and its content fits the checksums there. The index line comes last.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .checkpoint import folder_of, sync_folder
from .index import index_of, line_of, metadata_of, read_index, sums_of
from .rows import Rows

FORMAT = "oncarium-run-2"
ROWS = 1 << 16  # rows of a chunk
CONTINUE = "Go on in another folder, from its last checkpoint:  oncarium branch {} --arm on"


def _carried(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the next line says, too, unless something new is there."""
    return {k: v for k, v in record.items() if k not in ("rows", "metadata")}


def stopped(error: OSError, path: Path, what: str, kept: str = "") -> DataError:
    """What is said of a run that cannot write any more."""
    remedy = f"{DataError.of(error).problem.remedy} Then go on with:  oncarium resume {path.parent}"
    return DataError(str(path), f"{what}: {error.strerror or error}.", kept, remedy)


class Store:
    """Writer of a run.

    lengths   how many rows of each array are indexed; whatever lies beyond does not exist
    """

    def __init__(self, path: Path, group: Any, record: dict[str, Any], metadata: Mapping[str, str] | None = None):
        self.path = path
        self.group = group
        self.record = record
        self.metadata = metadata  # of a store whose first line is not written yet
        self.rows: Mapping[str, Any] = {}  # what was there when it was opened again, checked
        self.waiting: dict[str, list[np.ndarray]] = {}
        self.arrays: dict[str, Any] = {}

    @classmethod
    def create(
        cls,
        path: Path,
        attributes: Mapping[str, Any],
        arrays: Mapping[str, tuple[tuple[int, ...], Any, tuple[str, ...], tuple[int, ...]]],
        groups: Mapping[str, Mapping[str, Any]],
    ) -> Store:
        """A new store, whole or not at all; a run that lay there goes when the new one is ready.

        arrays: name -> (shape without rows, dtype, dimension names, chunk); groups: name -> attributes.
        """
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec

        part, old = path.with_suffix(".part"), path.with_suffix(".old")
        for left in (part, old):  # of a run that was killed here
            shutil.rmtree(left, ignore_errors=True)
        try:
            group = zarr.open_group(part, mode="w", zarr_format=3, attributes=dict(attributes))
            for name, attrs in groups.items():
                group.create_group(name, attributes=dict(attrs))
            for name, (rest, dtype, dimensions, chunk) in arrays.items():
                group.create_array(
                    name,
                    shape=(0, *rest),
                    chunks=chunk,
                    dtype=dtype,
                    dimension_names=dimensions,
                    compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec()],
                    fill_value=0,
                )
            metadata = {name: metadata_of(part / name / "zarr.json") for name in ("", *groups, *arrays)}
            index_of(path).unlink(missing_ok=True)
            shutil.rmtree(folder_of(path), ignore_errors=True)
            if path.exists():
                path.rename(old)
            part.rename(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)
        sync_folder(path.parent)
        group = zarr.open_group(path, mode="r+", zarr_format=3)
        return cls(path, group, {"lengths": dict.fromkeys(arrays, 0), "tick": -1, "finished": False}, metadata)

    @classmethod
    def reopen(cls, path: Path) -> Store:
        """Go on writing after the last indexed frame. Raises DataError where the store is not what was written."""
        import zarr

        records = read_index(path)
        if not records:
            raise DataError(str(path), "its index is missing or damaged from the first line on.")
        rows = Rows(path, records)
        try:
            for name in rows.metadata:
                rows.verify(name)
            for name in rows:  # what the next flush reads, to write it again with more rows
                array = rows[name]
                array[len(array) - len(array) % array.array.chunks[0] :]
        except DataError as error:
            said = error.problem
            raise DataError(
                said.where, said.message, "It cannot be written on.", CONTINUE.format(path.parent)
            ) from None
        store = cls(path, zarr.open_group(path, mode="r+", zarr_format=3), _carried(records[-1]))
        store.rows = rows
        part = index_of(path).with_suffix(".part")
        part.write_text("".join(line_of(r) for r in records), encoding="utf-8")
        part.replace(index_of(path))
        for name, length in rows.lengths.items():
            array = store._array(name)
            if array.shape[0] != length:
                array.resize((length, *array.shape[1:]))
        return store

    def _array(self, name: str) -> Any:
        if name not in self.arrays:
            self.arrays[name] = self.group[name]
        return self.arrays[name]

    def note(self, notes: Mapping[str, Any]) -> None:
        """What every index line says from now on, besides how much is there."""
        self.record = {**self.record, **notes}

    def add(self, name: str, rows: np.ndarray) -> None:
        """Rows to be appended at the next flush."""
        self.waiting.setdefault(name, []).append(np.array(rows, self._array(name).dtype, order="C"))

    @property
    def bytes_waiting(self) -> int:
        """Bytes of the rows that the next flush writes."""
        return sum(a.nbytes for rows in self.waiting.values() for a in rows)

    def length(self, name: str) -> int:
        """Indexed and waiting rows of an array."""
        return self.record["lengths"][name] + sum(len(a) for a in self.waiting.get(name, ()))

    def flush(self, tick: int, finished: bool = False) -> None:
        """Write what waits, then the index line that makes it exist. Raises DataError where that fails."""
        if not self.waiting and self.record["tick"] == tick and self.record["finished"] == finished:
            return
        try:
            self._flush(tick, finished)
        except OSError as error:
            raise stopped(
                error, self.path, "writing failed", f"Everything up to tick {self.record['tick']} is kept."
            ) from None
        except Exception as error:  # whatever zarr raises where somebody else changes the store meanwhile
            raise DataError(
                str(self.path), f"writing failed: {type(error).__name__}: {error}.", remedy="Run the model again."
            ) from None

    def _flush(self, tick: int, finished: bool) -> None:
        start = time.time() - 2.0
        lengths, sums = dict(self.record["lengths"]), {}
        for name, rows in self.waiting.items():
            data = rows[0] if len(rows) == 1 else np.concatenate(rows)
            if not len(data):
                continue
            array = self._array(name)
            first = lengths[name]
            array.resize((first + len(data), *array.shape[1:]))
            array[first:] = data
            sums[name] = sums_of(rows, first, array.chunks[0])
            lengths[name] = first + len(data)
        self._sync(start)
        record = {**self.record, "lengths": lengths, "rows": sums, "tick": tick, "finished": finished}
        if not finished:
            record.pop("digest", None)  # a finished run that goes on
        if self.metadata is not None:
            record["metadata"] = self.metadata
        with index_of(self.path).open("a", encoding="utf-8") as file:
            at = file.tell()
            try:
                file.write(line_of(record))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(at)
                raise
        sync_folder(self.path.parent)
        self.record = _carried(record)
        self.metadata = None
        self.waiting = {}

    def _sync(self, since: float) -> None:
        """Push to disk every file written since then."""
        for name in self.waiting:
            for folder, _, files in os.walk(self.path / name):
                for file in files:
                    path = os.path.join(folder, file)
                    if os.stat(path).st_mtime >= since:
                        handle = os.open(path, os.O_RDONLY)
                        try:
                            os.fsync(handle)
                        finally:
                            os.close(handle)
