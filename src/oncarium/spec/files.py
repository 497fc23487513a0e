"""Model files: YAML in, with file and line of every value; YAML out.

Scalars stay the texts that the author wrote; only the schema turns them into numbers, so that a message can show them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError, Problem

LIBRARY = Path(__file__).resolve().parent.parent / "library"
SHELF = LIBRARY / "scenarios"
LARGEST = 20_000_000  # bytes of one model file
DEEPEST = 30  # levels of nesting
MOST = 500_000  # values in one file
SHORT = 64  # characters of a group that is written in one line
PLAIN = re.compile(r"(?:-(?=\d))?[A-Za-z0-9_./(µ][A-Za-z0-9_./@()*+^%µ ,;-]*")


@dataclass
class Document:
    """A tree of dicts, lists and texts, and where each dotted path stands.

    places   path -> (file, line, column)
    """

    tree: dict[str, Any]
    places: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def where(self, path: str) -> str:
        """ "file:line" of a path, or of the nearest thing that holds it."""
        while path not in self.places and path:
            path = path.rpartition(".")[0]
        if path not in self.places:
            return ""
        file, line, _ = self.places[path]
        return f"{file}:{line}" if line else file

    def copy(self) -> Document:
        """A document that shares nothing that could be changed with this one."""
        return Document(_copied(self.tree), dict(self.places), list(self.problems))


def _copied(tree: Any) -> Any:
    """A tree of dicts and lists of its own; copy.deepcopy, which keeps account of shared parts, takes three times as long."""
    if isinstance(tree, dict):
        return {k: _copied(v) for k, v in tree.items()}
    return [_copied(v) for v in tree] if isinstance(tree, list) else tree


def decode(data: bytes, name: str) -> str:
    """Text of a file: UTF-8 with or without byte-order mark, or UTF-16 with one.

    >>> decode(b"\\xef\\xbb\\xbfa: 1", "x")
    'a: 1'
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ModelError(
            Problem(
                name,
                "",
                f"byte {error.start} (0x{data[error.start]:02x}) is not valid {encoding.removesuffix('-sig')}.",
                remedy="Save the file as UTF-8.",
            )
        ) from None
    if "\0" in text:
        raise ModelError(Problem(name, "", f"a NUL byte stands at character {text.index(chr(0))}; this is no text file."))
    return text.replace("\r\n", "\n")


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Content of a regular file that is not too large; a helpful ModelError otherwise."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise ModelError(Problem(str(path), "", "is a folder; expected a file."))
        if size > largest:
            raise ModelError(Problem(str(path), "", f"has {size:,} bytes; at most {largest:,} are read."))
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(Problem(str(path), "", f"no such file: {path.resolve()}")) from None
    except OSError as error:
        raise ModelError(Problem(str(path), "", f"cannot be read: {error.strerror}")) from None


def parse(text: str, name: str) -> Document:
    """Read YAML text; `name` is what messages call it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        root = YAML(typ="rt").compose(text)
    except RecursionError:
        raise ModelError(Problem(name, "", f"values are nested deeper than {DEEPEST} levels.")) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        at = f" (column {mark.column + 1})" if mark else ""
        raise ModelError(Problem(where, "", f"this is not valid YAML: {said}{at}.")) from None
    if root is None:
        raise ModelError(Problem(name, "", "the file is empty.", "Expected a model.", "See  oncarium new  for one to start from."))
    document = Document({})
    tree = _convert(root, "", name, document, 0, [0])
    if not isinstance(tree, dict):
        raise ModelError(Problem(f"{name}:1", "", "this is not a model.", "Expected names and values, e.g. 'title: A tumor'."))
    document.tree = tree
    return document


def _convert(node: Any, path: str, name: str, document: Document, depth: int, count: list[int]) -> Any:
    count[0] += 1
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    document.places.setdefault(path, (name, line, column))
    if depth > DEEPEST or count[0] > MOST:
        raise ModelError(Problem(f"{name}:{line}", path[:80], f"more than {DEEPEST} levels or {MOST:,} values."))
    if node.id == "scalar":
        if node.tag.endswith(":null") or (node.style is None and node.value in ("", "~")):
            return None
        if node.tag.endswith(":bool"):
            return node.value.lower() == "true"
        return node.value.strip()
    if node.id == "sequence":
        return [_convert(v, f"{path}.{i}" if path else str(i), name, document, depth + 1, count) for i, v in enumerate(node.value)]
    out: dict[str, Any] = {}
    for key, value in node.value:
        word = str(key.value)
        inner = f"{path}.{word}" if path else word
        line = key.start_mark.line + 1
        if key.id != "scalar":
            document.problems.append(Problem(f"{name}:{line}", path, "a name must be a word, not a group of values."))
            continue
        if word in out:
            first = document.places[inner][1]
            document.problems.append(
                Problem(f"{name}:{line}", inner, f"'{word}' stands twice, here and in line {first}.", remedy="Keep one of them.")
            )
            continue
        document.places[inner] = (name, line, key.start_mark.column + 1)
        out[word] = _convert(value, inner, name, document, depth + 1, count)
    return out


def read(path: Path, name: str | None = None) -> Document:
    """Read a model file with everything it includes; its own values come before included ones, those included first before later ones."""
    return _read(path, name or str(path), ())


def _read(path: Path, name: str, chain: tuple[Path, ...]) -> Document:
    here = path.resolve()
    if here in chain:
        raise ModelError(Problem(name, "include", "files include each other: " + " > ".join(p.name for p in (*chain, here))))
    document = _parsed(here, name).copy() if here.is_relative_to(LIBRARY) else parse(decode(read_bytes(path), name), name)
    included = document.tree.pop("include", None)
    for item in [included] if isinstance(included, str) else included or []:
        other = _included(path.parent, str(item))
        merge(document, _read(other, str(other), (*chain, here)))
    return document


@functools.cache
def _parsed(path: Path, name: str) -> Document:
    """A file of the library, which does not change while the program runs: parsed once. Whoever changes it takes a copy."""
    return parse(decode(read_bytes(path), name), name)


def _included(folder: Path, item: str) -> Path:
    """A file beside the one that includes it; a bare name may also be a scenario of the library or a part of one."""
    path = folder / item
    if not path.suffix and not path.exists():
        for shelf in (SHELF, SHELF / "parts"):
            if (shelf / f"{item}.yaml").exists():
                return shelf / f"{item}.yaml"
    return path


def merge(document: Document, other: Document) -> None:
    """Fill what `document` does not say from `other`."""
    document.tree = overlay(other.tree, document.tree)
    for key, place in other.places.items():
        document.places.setdefault(key, place)
    document.problems += other.problems


def overlay(below: Any, above: Any) -> Any:
    """Two trees, the upper one winning; lists are replaced as a whole.

    >>> overlay({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **{k: overlay(below[k], v) if k in below else v for k, v in above.items()}}
    return above


def scalar(value: Any) -> str:
    """One value as YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text and PLAIN.fullmatch(text) and text.lower() not in ("null", "true", "false", "~") and ": " not in text and " #" not in text:
        return text
    import json

    return json.dumps(text, ensure_ascii=False)


def emit(tree: Any, indent: int = 0) -> str:
    """Tree of dicts, lists and texts -> YAML that `parse` reads back as the same tree.

    >>> print(emit({"a": {"b": ["1 um", {"c": {"x": "1"}}]}, "d": ["1 um", "2 um"]}), end="")
    a:
      b:
        - 1 um
        - c: {x: 1}
    d: [1 um, 2 um]
    """
    pad = "  " * indent
    lines = []
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            lines.append(f"{pad}{scalar(key)}:{_block(value, indent)}")
    else:
        for value in tree:
            block = _block(value, indent)
            if isinstance(value, Mapping | list | tuple) and value and not _flow(value):
                inner = emit(value, indent + 1)
                block = " " + inner[2 * (indent + 1) :].rstrip("\n")
            lines.append(f"{pad}-{block}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A short group of single values in one line; "" where it is no such group."""
    single = list(value.values()) if isinstance(value, Mapping) else list(value)
    if any(isinstance(v, Mapping | list | tuple) for v in single):
        return ""
    words = [scalar(v) for v in single]
    names = [scalar(k) for k in value] if isinstance(value, Mapping) else []
    if any(set(w) & set(",[]{}") and w[0] != '"' for w in (*words, *names)):
        return ""
    text = "{" + ", ".join(f"{k}: {w}" for k, w in zip(names, words)) + "}" if names else "[" + ", ".join(words) + "]"
    return text if len(text) <= SHORT else ""


def _block(value: Any, indent: int) -> str:
    if isinstance(value, Mapping | list | tuple):
        if not value:
            return " {}" if isinstance(value, Mapping) else " []"
        flow = _flow(value)
        if flow:
            return f" {flow}"
        return "\n" + emit(value, indent + 1).rstrip("\n")
    return f" {scalar(value)}"
