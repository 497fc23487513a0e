"""Checkpoints: the exact state of a simulation, in one verified file; the two newest are kept.

A file is a header line (format, SHA-256 of what follows, digest of the tissue) and an uncompressed .npz without pickles.
It is written beside its final name, synced and renamed, so a crash at any moment leaves the older ones intact.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError

FORMAT = "oncarium-checkpoint-1"
KEEP = 2


def folder_of(store: Path) -> Path:
    """Where the checkpoints of a store lie."""
    return store.with_suffix(".checkpoints")


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write(store: Path, state: Mapping[str, Any], digest: str) -> Path:
    """Write a checkpoint and drop all but the newest; returns its path. Raises OSError."""
    folder = folder_of(store)
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{k: np.asarray(v) for k, v in state.items()})
    data = buffer.getvalue()
    path = folder / f"{int(state['tick']):012d}.checkpoint"
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(f"{FORMAT} {hashlib.sha256(data).hexdigest()} {digest}\n".encode())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(folder)
    for old in sorted(folder.glob("*.checkpoint"))[:-KEEP]:
        old.unlink(missing_ok=True)
    return path


def read(path: Path) -> tuple[dict[str, Any], str]:
    """State and tissue digest of one checkpoint. Raises DataError when it is damaged or of another format."""
    try:
        head, _, data = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}.") from None
    words = head[:300].decode("ascii", "replace").split(" ")
    if words[0].startswith("oncarium-checkpoint-") and words[0] != FORMAT:
        raise DataError(str(path), f"its format is {words[0]};", f"this version reads {FORMAT}.", "Resume with the version that wrote it.")
    if len(words) != 3 or words[0] != FORMAT or hashlib.sha256(data).hexdigest() != words[1]:
        raise DataError(str(path), "this checkpoint is damaged: its checksum does not fit.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        state = {k: arrays[k] if arrays[k].ndim else arrays[k].item() for k in arrays.files}
    return state, words[2]


def newest(store: Path) -> tuple[dict[str, Any], str, Path]:
    """State, digest and path of the newest checkpoint that verifies. Raises DataError when there is none."""
    damaged = []
    for path in sorted(folder_of(store).glob("*.checkpoint"), reverse=True):
        try:
            state, digest = read(path)
        except DataError as error:
            damaged.append(str(error))
            continue
        for said in damaged:
            print(f"notice: {said}\n  The one before it is used.", file=sys.stderr)
        return state, digest, path
    raise DataError(str(store), "it has no checkpoint to go on from." if not damaged else "none of its checkpoints can be read: " + " ".join(damaged))


def latest(store: Path) -> dict[str, Any]:
    """State of the newest checkpoint that verifies. Raises DataError."""
    return newest(store)[0]
