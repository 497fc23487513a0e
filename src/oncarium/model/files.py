"""Model files: YAML in, with file and line of every value; YAML out.

Scalars stay the texts that the author wrote; only the schema turns them into numbers, so that a message can show them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import UNPRINTABLE, ModelError, Problem, shown
from ..writing import cache_folder, write_text
from .nested import moved
from .overlay import below_edits, overlay

LIBRARY = Path(__file__).resolve().parent.parent / "library"
SHELF = LIBRARY / "scenarios"
LARGEST = 5_000_000  # bytes of one model file
DEEPEST = 30  # levels of nesting
MOST = 50_000  # values in one file
MOST_FILES = 100  # that a model includes
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
    """A tree of dicts and lists of its own; copy.deepcopy, which minds shared parts, takes three times as long."""
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
        raise ModelError(
            Problem(name, "", f"a NUL byte stands at character {text.index(chr(0))}; this is no text file.")
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")  # line ends of Windows, and of old spreadsheets


def check_regular(path: Path) -> None:
    """Raise ModelError where a path is a folder, a pipe or a device; OSError where it cannot be looked at."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise ModelError(Problem(str(path), "", "is a folder; expected a file."))
    if not stat.S_ISREG(kind):  # a pipe would block, a device may never end
        remedy = "Copy what it gives into a file."
        raise ModelError(Problem(str(path), "", "is no regular file;", "expected a file on a disk.", remedy))


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Content of a regular file that is not too large; a helpful ModelError otherwise."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise ModelError(Problem(str(path), "", f"no such file: {path.resolve()}")) from None
    except OSError as error:
        raise ModelError(Problem(str(path), "", f"cannot be read: {error.strerror}")) from None
    except ValueError as error:  # a NUL or half a character in its name
        raise ModelError(Problem(shown(str(path)), "", f"no file can have this name: {error}.")) from None
    if len(data) > largest:
        raise ModelError(Problem(str(path), "", f"is larger than the {largest:,} bytes that are read."))
    return data


def parse(text: str, name: str) -> Document:
    """Read YAML text; `name` is what messages call it."""
    from ruamel.yaml.error import YAMLError

    yaml, lines = _composer()
    try:
        root = yaml.compose(text)
    except RecursionError:
        raise ModelError(Problem(name, "", f"values are nested deeper than {DEEPEST} levels.")) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        at = f" (column {mark.column + 1})" if mark else ""
        raise ModelError(Problem(shown(where), "", f"this is not valid YAML: {shown(said)}{at}.")) from None
    except Exception as error:  # the library's own slips over odd texts: ValueError, IndexError, AssertionError, ...
        where, said = f"{name}:{lines[-1] if lines else 1}", shown(str(error)) or type(error).__name__
        raise ModelError(Problem(where, "", f"this is not valid YAML: {said} (in this line or the next).")) from None
    if root is None:
        raise ModelError(
            Problem(name, "", "the file is empty.", "Expected a model.", "See  oncarium new  for one to start from.")
        )
    document = Document({})
    tree = _convert(root, "", name, document, 0, [0])
    if not isinstance(tree, dict):
        raise ModelError(
            Problem(f"{name}:1", "", "this is not a model.", "Expected names and values, e.g. 'title: A tumor'.")
        )
    document.tree = tree
    return document


def _composer() -> tuple[Any, list[int]]:
    """The YAML library's composer, and the lines of its values; it stops at more of them than any model has."""
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.error import MarkedYAMLError

    lines: list[int] = []

    class Counting(Composer):
        def compose_node(self, parent: Any, index: Any) -> Any:
            mark = self.parser.peek_event().start_mark
            lines.append(mark.line + 1)
            if len(lines) > MOST:
                raise MarkedYAMLError(problem=f"more than {MOST:,} values", problem_mark=mark)
            return super().compose_node(parent, index)

    yaml = YAML(typ="safe", pure=True)  # the one for round trips marks folded lines with a bell
    yaml.Composer = Counting
    return yaml, lines


def _convert(node: Any, path: str, name: str, document: Document, depth: int, count: list[int]) -> Any:
    count[0] += 1
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    document.places.setdefault(path, (name, line, column))
    if depth > DEEPEST or count[0] > MOST:
        raise ModelError(
            Problem(
                f"{name}:{line}",
                path[:80],
                f"more than {DEEPEST} levels or {MOST:,} values, counted wherever they are used.",
            )
        )
    if node.id == "scalar":
        if node.tag.endswith(":null") or (node.style is None and node.value in ("", "~")):
            return None
        if node.tag.endswith(":bool"):
            return node.value.lower() == "true"
        return _text(node.value.strip(), path, f"{name}:{line}", document)
    if node.id == "sequence":
        return [
            _convert(v, f"{path}.{i}" if path else str(i), name, document, depth + 1, count)
            for i, v in enumerate(node.value)
        ]
    out: dict[str, Any] = {}
    for key, value in node.value:
        word = str(key.value)
        inner = f"{path}.{word}" if path else word
        line = key.start_mark.line + 1
        if key.id != "scalar":
            document.problems.append(Problem(f"{name}:{line}", path, "a name must be a word, not a group of values."))
            continue
        word = _text(word, path, f"{name}:{line}", document)
        if word in out:
            first = document.places[inner][1]
            document.problems.append(
                Problem(
                    f"{name}:{line}",
                    inner,
                    f"'{word}' stands twice, here and in line {first}.",
                    remedy="Keep one of them.",
                )
            )
            continue
        document.places[inner] = (name, line, key.start_mark.column + 1)
        out[word] = _convert(value, inner, name, document, depth + 1, count)
    return out


def _text(text: str, path: str, where: str, document: Document) -> str:
    """A text that every file and terminal can hold; control characters and halves of characters are problems."""
    bad = UNPRINTABLE.search(text)
    if bad:
        document.problems.append(
            Problem(
                where, shown(path), f"the character {bad[0]!a} cannot be printed;", "expected plain text.", "Remove it."
            )
        )
    return shown(text)


def read(path: Path, name: str | None = None) -> Document:
    """Read a model file with all it includes; its own values come first, then the included ones in their order."""
    return _read(path, name or str(path), (), set())


def _read(path: Path, name: str, chain: tuple[Path, ...], done: set[Path]) -> Document:
    """done: files read so far; what one says that is included again is said already."""
    try:
        here = path.resolve()
    # no name of a file, or links that lead in a circle: told when it is read
    except (OSError, ValueError, RuntimeError):
        here = path
    if here in chain:
        raise ModelError(
            Problem(name, "include", "files include each other: " + " > ".join(p.name for p in (*chain, here)))
        )
    if here in done:
        return Document({})
    if len(done) >= MOST_FILES:
        raise ModelError(Problem(name, "include", f"more than {MOST_FILES} files are included."))
    done.add(here)
    document = (
        _parsed(here, name).copy() if here.is_relative_to(LIBRARY) else parse(decode(read_bytes(path), name), name)
    )
    included = document.tree.pop("include", None)
    if included is not None and not isinstance(included, str | list):
        included = [included]
    for item in [included] if isinstance(included, str) else included or []:
        if not isinstance(item, str):
            document.problems.append(
                Problem(
                    document.where("include"),
                    "include",
                    "a value that is no name of a file;",
                    "expected e.g. include: base.yaml.",
                )
            )
            continue
        other = _included(path.parent, item)
        try:
            base = _read(other, str(other), (*chain, here), done)
            if other.parent != path.parent:  # its tables lie beside it
                base.tree = moved(base.tree, other.parent.resolve(), path.parent.resolve())
            merge(document, base)
        except ModelError as error:
            at = document.where("include")
            told = [
                replace(p, where=at, path="include", message=f"{other} {p.message}")
                if p.where == str(other) and not p.path
                else p
                for p in error.problems
            ]
            raise ModelError(told) from None
    return document


@functools.cache
def _parsed(path: Path, name: str) -> Document:
    """A file of the library, which does not change while the program runs: parsed once, and kept as JSON for the next
    runs (YAML takes ten times as long); to change it, copy it."""
    data = read_bytes(path)
    kept = cache_folder() / f"library/{hashlib.sha256(data + Path(__file__).read_bytes()).hexdigest()[:24]}.json"
    with suppress(OSError, ValueError, KeyError):
        tree, places = json.loads(kept.read_bytes())
        return Document(tree, {path: (name, *place) for path, place in places.items()})
    document = parse(decode(data, name), name)
    if not document.problems:
        with suppress(OSError):  # a disk that may only be read
            places = {path: place[1:] for path, place in document.places.items()}
            write_text(kept, json.dumps([document.tree, places]))
    return document


def _included(folder: Path, item: str) -> Path:
    """A file beside the one that includes it; a bare name may also be a scenario of the library or a part of one."""
    path = folder / item
    if not path.suffix and not is_there(path):
        for shelf in (SHELF, SHELF / "parts"):
            if (shelf / f"{item}.yaml").exists():
                return shelf / f"{item}.yaml"
    return path


def is_there(path: Path) -> bool:
    """Does something lie at a path? False, too, for what can be no path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def merge(document: Document, other: Document) -> None:
    """Fill what `document` does not say from `other`; a name is its own file's."""
    for key, place in other.places.items():
        document.places.setdefault(below_edits(key, document.tree), place)
    below = {key: value for key, value in other.tree.items() if key != "name"}
    document.tree = overlay(below, document.tree)
    document.problems += other.problems


def scalar(value: Any) -> str:
    """One value as YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if (
        text
        and PLAIN.fullmatch(text)
        and text.lower() not in ("null", "true", "false", "~")
        and ": " not in text
        and " #" not in text
    ):
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
