"""Files that belong together: all of them are written, or none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as xml

from ...writing import whole


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write these files into a folder. The first one takes its place last: where it lies, the others do.

    >>> write(Path("settings"), {"settings.xml": b"<settings/>", "cells.csv": b"x,y"})
    >>> sorted(p.name for p in Path("settings").iterdir())
    ['cells.csv', 'settings.xml']
    """
    with ExitStack() as parts:
        for name, content in files.items():
            parts.enter_context(whole(folder / name)).write_bytes(content)


def document(root: xml.Element, indent: str) -> bytes:
    """An XML document, one element per line."""
    xml.indent(root, indent)
    return xml.tostring(root, encoding="utf-8", xml_declaration=True)
