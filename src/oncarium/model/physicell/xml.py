"""XML that nobody has to trust: no DTD, entity, network or deep nesting; and elements that know what was read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import ModelError, Problem
from ...units import NUMBER, UnitError, factor
from ..files import read_bytes
from .lenient import decode_xml, well_formed

DEEPEST = 100  # levels of elements; settings have about ten
ROOT = "PhysiCell_settings"
SHORTEST, LONGEST = 1e-5, 1e9  # min, of any time
TRUE, FALSE = ("1", "true", "t", "yes", "y"), ("0", "false", "f", "no", "n", "")
FREE = ("", "dimensionless", "none", "1")  # labels that say no unit


def read_xml(path: Path, name: str | None = None) -> Element:
    """The root of a file; a helpful ModelError for everything that is no plain, shallow XML."""
    name = name or str(path)
    return parse_xml(decode_xml(read_bytes(path), name), name)


def parse_xml(text: str, name: str) -> Element:
    """The root element of a text.

    >>> parse_xml("<a><b units='min'>3</b></a>", "x.xml").child("b").number("min")
    3.0
    """
    from lxml import etree

    if not text.strip():
        raise ModelError(Problem(name, "", "the file is empty.", "Expected a PhysiCell settings file."))
    text, problems = well_formed(text, name, ROOT)
    # the text is UTF-8 by now, whatever its first line says
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except ValueError as error:  # half a character
        raise ModelError(Problem(name, "", f"this is no text: {error}.")) from None
    except etree.XMLSyntaxError as error:
        line, column = error.position
        said = str(error.msg or error).split(", line")[0]
        if "xcessive depth" in said:
            raise _too_deep(name, line) from None
        raise ModelError(
            Problem(f"{name}:{line}", "", f"this is not well-formed XML: {said} (column {column}).")
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ModelError(
            Problem(
                name, "", "it declares a DOCTYPE.", "Settings have no DTD and no entities.", "Remove the declaration."
            )
        )
    _check_depth(root, name)
    source = Source(name)
    source.problems += problems
    return Element(root, "", source)


def _check_depth(root: Any, name: str) -> None:
    todo = [(root, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > DEEPEST:
            raise _too_deep(name, node.sourceline)
        todo += [(child, depth + 1) for child in node]


def _too_deep(name: str, line: int) -> ModelError:
    return ModelError(Problem(f"{name}:{line}", "", f"elements are nested deeper than {DEEPEST} levels."))


class Source:
    """A file being read: its name, what is wrong with it, and which elements and attributes have been looked at."""

    def __init__(self, name: str):
        self.name = name
        self.problems: list[Problem] = []
        self.seen: set[Any] = set()


class Element:
    """One element. Looking at a child or an attribute marks it as read; `unread` lists what nobody looked at.

    path   of the element below the root, with the name of named elements:
           "cell_definitions/cell_definition[tumor]/phenotype"
    """

    def __init__(self, node: Any, path: str, source: Source):
        self.node, self.path, self.source = node, path, source
        source.seen.add(node)

    def __repr__(self) -> str:
        return f"<{self.path or self.node.tag} line {self.line}>"

    @property
    def line(self) -> int:
        """Line in the file; 0 where it is not known."""
        return int(self.node.sourceline or 0)

    @property
    def place(self) -> tuple[str, int, int]:
        """(file, line, column) as a Document wants it."""
        return self.source.name, self.line, 0

    def complain(self, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        """Note a problem at this element."""
        self.source.problems.append(
            Problem(f"{self.source.name}:{self.line}", self.path, message, expected, remedy, severity)
        )

    def notice(self, message: str) -> None:
        """Note something worth knowing at this element."""
        self.complain(message, severity="notice")

    # -- walking ----------------------------------------------------------------------------------------------------

    def _path_of(self, node: Any) -> str:
        label = node.get("name") or node.get("ID") or node.get("code") or node.get("index") or node.get("substrate")
        own = f"{node.tag}[{label[:40]}]" if label else str(node.tag)
        return f"{self.path}/{own}" if self.path else own

    def children(self, tag: str | None = None) -> Iterator[Element]:
        """Children, of one tag or all."""
        for node in self.node:
            if isinstance(node.tag, str) and (tag is None or node.tag == tag):
                yield Element(node, self._path_of(node), self.source)

    def child(self, *tags: str) -> Element | None:
        """The first child of that tag (of a tag of a tag ...); further ones of the last tag are said not to count."""
        here: Element | None = self
        for tag in tags:
            if here is None:
                return None
            found = here.node.findall(tag)
            for again in found[1:]:
                if again not in self.source.seen:
                    extra = Element(again, here._path_of(again), self.source).skip()
                    extra.complain(
                        f"<{tag}> stands twice, here and in line {found[0].sourceline}; the first counts.",
                        severity="warning",
                    )
            here = Element(found[0], here._path_of(found[0]), self.source) if found else None
        return here

    def skip(self) -> Element:
        """Mark everything below as read."""
        self.source.seen.update(self.node.iter())
        for node in self.node.iter():
            self.source.seen.update((node, key) for key in node.keys())
        return self

    def unread(self) -> Iterator[Element]:
        """The topmost elements nobody looked at, and elements with attributes nobody looked at."""
        for node in self.node:
            if not isinstance(node.tag, str):
                continue
            if node not in self.source.seen:
                yield Element(node, self._path_of(node), self.source)
            else:
                yield from Element(node, self._path_of(node), self.source).unread()

    # -- values -----------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Text of this element without spaces around it; "" where there is none."""
        return (self.node.text or "").strip()

    def attribute(self, name: str, default: str = "") -> str:
        """Text of an attribute."""
        self.source.seen.add((self.node, name))
        return str(self.node.get(name, default)).strip()

    def truth(self, tag: str = "", default: bool = False) -> bool:
        """Truth of this element's text, or of a child's (default where there is none)."""
        here = self.child(tag) if tag else self
        return default if here is None else here._truth(here.text, "")

    def flag(self, name: str, default: bool = False) -> bool:
        """Truth of an attribute (default where it is absent)."""
        given = self.attribute(name, "true" if default else "false")
        return self._truth(given, f"@{name}")

    def _truth(self, text: str, what: str) -> bool:
        if text.lower() in TRUE:
            return True
        if text.lower() not in FALSE:
            self.complain(
                f"{what}{' ' if what else ''}'{text[:40]}' is neither true nor false.", "Expected true or false."
            )
        return False

    def number(self, unit: str = "", empty: float | None = 0.0) -> float | None:
        """The text as a number; None (and a problem) where it is none.

        unit   what the format means, whatever the label says
        """
        text = self.text
        if unit:
            self.check_label(unit)
        if not text:
            return empty
        if re.fullmatch(r"[-+]?(nan|inf|infinity)", text, re.I):
            self.complain(f"'{text}' is not finite.", "Expected a finite number.")
            return None
        if not NUMBER.fullmatch(text):
            if re.fullmatch(r"[-+]?\d+,\d+", text):
                self.complain(f"'{text[:60]}' has a decimal comma.", "Expected a decimal point.")
            else:
                counted = f" in {unit}" if unit not in ("", "1") else ""
                self.complain(f"'{text[:60]}' is not a number.", f"Expected a number{counted}.")
            return None
        value = float(text)
        if not math.isfinite(value):
            self.complain(f"'{text}' is too large for a number.", "Expected a finite number.")
            return None
        return value

    def minutes(self, what: str = "an interval") -> float | None:
        """The text as a time in minutes that is above 0 and of a usual size."""
        value = self.number("min")
        if value is not None and not SHORTEST <= value <= LONGEST:
            expected = "above 0 min" if value <= 0.0 else f"{SHORTEST:g} to {LONGEST:g} min"
            self.complain(f"{what} of {self.text[:40] or '0'} min;", f"expected {expected}.")
            return None
        return value

    def whole(self, default: int | None = None) -> int | None:
        """The text as a whole number."""
        value = self.number()
        if value is None or not self.text:
            return default
        if value != int(value):
            self.complain(f"'{self.text}' is no whole number.")
            return None
        return int(value)

    def check_label(self, unit: str) -> None:
        """Labels are never converted; one that contradicts what the format means is worth a word."""
        label = self.attribute("units")
        plain = label.replace("microns", "um").replace("micron", "um").replace("µ", "u").replace("minutes", "min")
        if plain.lower() in FREE or plain == unit or unit == "1":
            return
        try:
            wrong = factor(plain, unit) != 1.0
        except UnitError as error:
            wrong = "cannot be converted" in str(error)
        if wrong:
            self.notice(
                f"its label says '{label[:40]}', but the format means {unit}; labels are never converted: {self.text} "
                f"{unit} is what is used."
            )
