"""Checkpoints: the exact state of a simulation, in one verified file; the two newest are kept.

A file is a header line (format, SHA-256 of all that follows, digest of the tissue) and an uncompressed .npz without
pickles. It is written beside its final name, synced and renamed, so a crash at any moment leaves the older ones intact.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError

FORMAT = "oncarium-checkpoint-2"
KEEP = 2
log = logging.getLogger(__name__)


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


def _sum(digest: str, data: bytes) -> str:
    return hashlib.sha256(digest.encode() + b"\n" + data).hexdigest()


def newest_tick(store: Path) -> int:
    """Tick of the newest checkpoint by its name, damaged or not; -1 without one."""
    return max((int(p.stem) for p in folder_of(store).glob("*.checkpoint") if p.stem.isdigit()), default=-1)


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
            file.write(f"{FORMAT} {_sum(digest, data)} {digest}\n".encode())
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
        raise DataError(
            str(path),
            f"its format is {words[0]};",
            f"this version reads {FORMAT}.",
            "Resume with the version that wrote it.",
        )
    if len(words) != 3 or words[0] != FORMAT or _sum(words[2], data) != words[1]:
        raise DataError(str(path), "this checkpoint is damaged: its checksum does not fit.")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        state = {k: arrays[k] if arrays[k].ndim else arrays[k].item() for k in arrays.files}
    if int(state["tick"]) != int(path.stem):
        raise DataError(str(path), f"this checkpoint is of tick {state['tick']}, not of the one it is named after.")
    return state, words[2]


def newest(store: Path, tick: float = math.inf) -> tuple[dict[str, Any], str, Path]:
    """State, digest and path of the newest checkpoint that verifies, up to a tick. Raises DataError when there is
    none."""
    damaged = []
    for path in sorted(
        (p for p in folder_of(store).glob("*.checkpoint") if p.stem.isdigit() and int(p.stem) <= tick), reverse=True
    ):
        try:
            state, digest = read(path)
        except DataError as error:
            damaged.append(str(error))
            continue
        for said in damaged:
            log.warning("%s\n  The one before it is used.", said)
        return state, digest, path
    raise DataError(
        str(store),
        "it has no checkpoint to go on from."
        if not damaged
        else "none of its checkpoints can be read: " + " ".join(damaged),
    )


def latest(store: Path, tick: float = math.inf) -> dict[str, Any]:
    """State of the newest checkpoint that verifies, up to a tick. Raises DataError."""
    return newest(store, tick)[0]
