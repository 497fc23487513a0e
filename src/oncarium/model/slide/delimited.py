"""Tables as text: commas, tabs or semicolons, whatever their header."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections import Counter
from pathlib import Path

from ..files import decode, read_bytes
from ..rows import LARGEST_TABLE, number_in
from .opened import Opened, refuse

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}


def read_text(path: Path) -> Opened:
    """A table with a header; every value stays the text it is. Raises ModelError."""
    import pandas as pd

    text = decode(_bytes(path), str(path))
    head = next((line for line in text.split("\n") if line.strip()), "")
    if not head:
        refuse(path, "the table is empty.", "Expected a header and a row per cell.")
    mark = max(DELIMITERS, key=lambda m: head.count(m))
    header = [name.strip() for name in next(csv.reader([head], delimiter=mark))]
    if len(header) == 1:
        refuse(path, f"the header is '{head[:60]}';", "expected columns separated by commas, tabs or semicolons.")
    if all(number_in(name) is not None for name in header if name):
        refuse(path, f"the first line is '{head[:60]}', no header;", "expected a line with the names of the columns.")
    twice = [name for name, n in Counter(header).items() if name and n > 1]
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):  # rows longer than the header
            frame = pd.read_csv(
                io.BytesIO(text.encode()), sep=mark, dtype=str, keep_default_na=False, index_col=False, header=0,
                names=[name or f"column {k + 1}" for k, name in enumerate(_once(header))], skipinitialspace=True,
            )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        said = str(error).strip().splitlines()[0].removeprefix("Error tokenizing data. C error: ")
        refuse(path, f"the rows do not fit the header: {said[:150]}.", f"Expected {len(header)} values in every row.")
    if not len(frame):
        refuse(path, "the table has a header only.", "Expected a row per cell.")
    lines = text[: text.index(head)].count("\n") + 2
    notes = [f"the column '{twice[0][:60]}' stands twice; the first is taken"] if twice else []
    return Opened(frame.fillna(""), f"a table separated by {DELIMITERS[mark]}", lines, notes=notes)


def _once(header: list[str]) -> list[str]:
    """Names of which none stands twice."""
    first = {name: k for k, name in reversed(list(enumerate(header)))}
    return [name if first[name] == k else f"{name} (column {k + 1})" for k, name in enumerate(header)]


def _bytes(path: Path) -> bytes:
    data = read_bytes(path, LARGEST_TABLE)
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            whole = stream.read(LARGEST_TABLE + 1)
    except (OSError, EOFError, zlib.error) as error:
        refuse(path, f"it cannot be unpacked: {error}.")
    if len(whole) > LARGEST_TABLE:
        refuse(path, f"is larger than the {LARGEST_TABLE:,} bytes that are read.")
    return whole
