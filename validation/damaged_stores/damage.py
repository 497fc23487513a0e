"""Damage a store in every way that a disk, a copy or an editor does, and see what a reader is told:

    python validation/damaged_stores/damage.py [damages] [seed]

A run of a small model is copied and damaged once per trial; everything in the copy is then read, and the run goes on
for an hour. A damage is `told` (a DataError, or a warning, names the place), or `harmless` (everything that can be read
is what was written). Whatever else happens is a fault: `silent`
(something else was read without a word) or `traceback` (an error that is not ours). log.csv has a line per damage.
"""

from __future__ import annotations

import csv
import json
import logging
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import oncarium as oc
from oncarium.errors import DataError

HERE = Path(__file__).parent
MODEL = """
oncarium: 1
title: A small run
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 6 h
record: {cells: 30 min, fields: 1 h, checkpoint: 2 h}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
  signal: {unit: nM, diffusion: 1000 um^2/min assumed, decay: 0.01 1/min assumed, initial: 0.5 nM assumed}
cells:
  tumor: {cycle: {model: live, exit: 0.1 1/h assumed}, death: {apoptosis: 0.0005 1/min assumed},
          motility: {speed: 0.5 um/min assumed}}
initial:
  - {cells: tumor, disc: {radius: 50 um}, count: 20}
"""


class Listener(logging.Handler):
    """Gathers what is said while a store is read."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def make(folder: Path) -> Path:
    """The run that is damaged: frames in several flushes, finished."""
    from oncarium.run import recorder

    seconds, recorder.SECONDS = recorder.SECONDS, 0.0
    try:
        oc.run(oc.Model.from_text(MODEL), seed=1, out=folder, threads=1)
    finally:
        recorder.SECONDS = seconds
    return folder


def questions(result: Any) -> dict[str, Callable[[], Any]]:
    """Everything that may be asked of a result, by name."""
    asked: dict[str, Callable[[], Any]] = {
        "attributes": lambda: json.dumps(result.attrs, sort_keys=True),
        "model": lambda: result.model_yaml,
        "times": lambda: result.times,
        "field times": lambda: result.field_times,
        "summary": lambda: result.summary,
        "events": lambda: result.events,
        "words": lambda: str(result),
        "digest": lambda: result.digest,
    }
    for k in range(13):
        asked[f"cells {k}"] = lambda k=k: result.cells(30.0 * k)
        for column in ("position", "radius", "type"):
            asked[f"{column} {k}"] = lambda k=k, column=column: result.array(column, 30.0 * k)
    for k in range(7):
        for name in ("oxygen", "signal"):
            asked[f"{name} {k}"] = lambda k=k, name=name: field(result, name, k)
    return asked


def field(result: Any, name: str, k: int) -> np.ndarray:
    """One frame of a factor."""
    if k >= len(result.field_times):
        raise oc.InputError("t", "there is no such frame.")
    return result.fields[name].isel(time=k).values


def same(a: Any, b: Any) -> bool:
    """Alike, whatever they are."""
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and np.array_equal(a, b)
    return a.equals(b) if hasattr(a, "equals") else a == b


def read_all(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """(answers, what was told instead of an answer). Errors that are not ours are raised."""
    try:
        result = oc.open(folder)
    except DataError as error:
        return {}, {"open": str(error)}
    answers, told = {}, {}
    for name, ask in questions(result).items():
        try:
            answers[name] = ask()
        except (DataError, oc.InputError) as error:  # a frame that is not counted any more is outside the run
            told[name] = str(error)
    if not result.finished:  # as every table of the run says
        told["finished"] = f"not finished: {told.pop('words', answers.pop('words', ''))}"
    return answers, told


def go_on(folder: Path) -> str:
    """Digest of the run an hour later. Raises DataError where it cannot go on."""
    return oc.resume(folder, "7 h", threads=1).digest


def verdict(folder: Path, truth: dict[str, Any]) -> tuple[str, str]:
    """What came of a damage, and what was said or read."""
    listener, logger = Listener(), logging.getLogger("oncarium")
    logger.addHandler(listener)
    try:
        answers, told = read_all(folder)
        try:
            answers["resumed"] = go_on(folder)
        except DataError as error:
            told["resumed"] = str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    finally:
        logger.removeHandler(listener)
    wrong = [name for name, answer in answers.items() if not same(answer, truth[name])]
    said = [*told.values(), *listener.said]
    if wrong and not listener.said:  # an error about one array does not excuse another one that reads wrong
        return "silent", ", ".join(wrong)
    return ("told" if said else "harmless"), (" ".join(said[0].split()) if said else "")


def chunks(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / "run.zarr").rglob("*") if p.is_file() and p.name != "zarr.json")


def metadata(folder: Path) -> list[Path]:
    return sorted((folder / "run.zarr").rglob("zarr.json"))


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def edit(path: Path, chance: random.Random) -> str:
    """Change, drop or add one value of a JSON file; the file stays valid JSON."""
    tree = json.loads(path.read_text())
    places = [(at, key) for at in _groups(tree) for key in (at if isinstance(at, dict) else range(len(at)))]
    at, key = chance.choice(places)
    before = at[key]
    other = [
        v
        for v in (None, 0, 1, -1, 7, True, "x", "", [], {}, [1], 1e300, "<f8", "oxygen")
        if v != before or type(v) is not type(before)
    ]
    if chance.random() < 0.2:
        del at[key]
    elif isinstance(before, int | float) and not isinstance(before, bool) and chance.random() < 0.5:
        at[key] = before + 1
    else:
        at[key] = chance.choice(other)
    path.write_text(json.dumps(tree))
    return f"{key}"


def _groups(tree: Any) -> list[Any]:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return ([tree] if isinstance(tree, dict | list) and tree else []) + [g for v in inner for g in _groups(v)]


def damage(folder: Path, chance: random.Random) -> str:
    """One damage of a run's folder; returns what was done."""
    kind = chance.choice(
        ("missing", "truncated", "flipped", "swapped", "replaced", "emptied", "edited", "folder", "index", "grown")
    )
    if kind == "edited":
        path = chance.choice(metadata(folder))
        return f"edited {path.relative_to(folder)}: {edit(path, chance)}"
    if kind == "folder":
        path = chance.choice(sorted(p for p in folder.rglob("*") if p.is_dir()))
        shutil.rmtree(path)
        return f"folder deleted {path.relative_to(folder)}"
    if kind == "index":
        path = folder / "run.index"
        lines = path.read_bytes().splitlines(keepends=True)
        k = chance.randrange(len(lines))
        way = chance.choice(("cut off", "left out", "doubled", "moved"))
        moved = [*lines[:k], *lines[k + 1 :], lines[k]]
        lines = {
            "cut off": lines[:k],
            "left out": lines[:k] + lines[k + 1 :],
            "doubled": lines[: k + 1] + lines[k:],
            "moved": moved,
        }[way]
        path.write_bytes(b"".join(lines))
        return f"index, line {k + 1} {way}"
    if kind in ("swapped", "replaced"):
        alike = chance.choice((chunks, metadata, lambda f: sorted((f / "run.checkpoints").iterdir())))(folder)
        one, other = chance.sample(alike, 2)
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        if kind == "swapped":
            other.write_bytes(kept)
        return f"{kind} {one.relative_to(folder)} by {other.relative_to(folder)}"
    path = chance.choice(files(folder) if chance.random() < 0.7 else chunks(folder))
    if kind == "missing":
        path.unlink()
    elif kind == "emptied":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])
    elif kind == "grown":
        path.write_bytes(path.read_bytes() + chance.randbytes(chance.randrange(1, 64)))
    else:
        flip(path, chance)
    return f"{kind} {path.relative_to(folder)}"


def campaign(count: int, seed: int, place: Path) -> list[tuple[str, str, str]]:
    """(damage, verdict, what was said) of so many damages."""
    base = make(place / "base")
    truth, told = read_all(base)
    assert not told and len(truth) == len(questions(None))
    truth["resumed"] = oc.run(oc.Model.from_text(MODEL), "7 h", seed=1, out=place / "later", threads=1).digest
    chance, out = random.Random(seed), []
    copy = place / "copy"
    for _ in range(count):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(base, copy)
        done = damage(copy, chance)
        out.append((done, *verdict(copy, truth)))
    return out


def main(count: int = 200, seed: int = 2026) -> None:
    with tempfile.TemporaryDirectory() as place:
        found = campaign(count, seed, Path(place))
    with (HERE / "log.csv").open("w", newline="") as file:
        log = csv.writer(file)
        log.writerow(["damage", "verdict", "said"])
        log.writerows((a, b, c.replace(place, "")[:300]) for a, b, c in found)
    text = ", ".join(f"{n} {what}" for what, n in sorted(Counter(v for _, v, _ in found).items()))
    (HERE / "result.txt").write_text(f"{count} damages, seed {seed}: {text}\n")
    print(text)
    for done, what, said in found:
        if what in ("silent", "traceback"):
            print(f"{what}: {done}: {said[:200]}")
    sys.exit(any(what in ("silent", "traceback") for _, what, _ in found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
