"""Run what the pages show, and write the outputs below it:  python docs/outputs.py [page.md ...]

In a page, a ``python`` block is run, a ``console`` block holds commands after '$ ' with what they print, and a ``yaml``
block whose first line is ``# name.yaml`` is that file (``# name.yaml, continued`` adds to it); so are ``xml`` and
``none`` blocks that begin with ``<!-- name.xml -->`` and ``// name.csv`` (or .bnd, .cfg). A ``text`` block right below
a ``python`` block is what it prints. All blocks of a page share one folder, in which its downloads lie, and one
namespace. ``...`` alone in a line
stands for lines left out."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"^```(python|console|yaml|xml|none|text)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"(?:#|//|<!--) (\S+\.(?:yaml|xml|csv|bnd|cfg))(, continued)?(?: -->)?\n")
DOWNLOAD = re.compile(r"\{download\}`(\S+) <(\S+)>`")
PROMPT = "$ "
GENERATED = "<!-- generated"


def pages() -> list[Path]:
    """Every page that is written by hand."""
    return sorted(
        p
        for p in DOCS.rglob("*.md")
        if "_build" not in p.parts and not p.read_text(encoding="utf-8").startswith(GENERATED)
    )


def blocks(text: str) -> list[tuple[str, str, int, int]]:
    """(language, content, start, end) of every fenced block that is run or shows an output."""
    return [(m[1], m[2], m.start(2), m.end(2)) for m in BLOCK.finditer(text)]


def execute(text: str, commands: bool) -> Iterator[tuple[int, int, str]]:
    """Run the blocks of a page in the present folder; yields start, end and the fresh output of every place that shows
    one."""
    for name, place in DOWNLOAD.findall(text):
        shutil.copy(DOCS / place, name)
    namespace: dict = {"__name__": "page"}
    printed: str | None = None
    for k, (language, content, start, end) in enumerate(blocks(text)):
        if language == "text" and printed is not None:
            yield start, end, printed
        printed = None
        if language in ("yaml", "xml", "none") and (found := FILE.match(content)):
            Path(found[1]).parent.mkdir(parents=True, exist_ok=True)
            with open(found[1], "a" if found[2] else "w", encoding="utf-8") as file:
                file.write(content[found.end() :])
        elif language == "python":
            source = Path(f"block_{k}.py")
            source.write_text(content, encoding="utf-8")
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(content, str(source.resolve()), "exec"), namespace)
            printed = out.getvalue()
        elif language == "console" and commands:
            lines = [line for line in content.splitlines() if line.startswith(PROMPT)]
            yield start, end, "".join(f"{line}\n{shell(line.removeprefix(PROMPT))}" for line in lines)


def shell(command: str) -> str:
    """What a command prints, on both streams."""
    done = subprocess.run(
        command,
        shell=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "150"},
    )
    return "".join(
        line
        for line in done.stdout.splitlines(keepends=True)
        if "simulated min/s" not in line and "preparing (" not in line
    )


def shown(old: str, new: str) -> str:
    """The new output, with the lines left out that the page left out: what stands around each '...' says how many are
    kept."""
    if "..." not in old.split("\n"):
        return new
    kept = [part.count("\n") for part in re.split(r"^\.\.\.\n", old, flags=re.M)]
    lines = new.splitlines(keepends=True)
    return "".join([*lines[: kept[0]], "...\n", *(lines[-kept[1] :] if kept[1] else [])])


def rewrite(page: Path) -> None:
    """Run a page in an empty folder and write its outputs."""
    text, before = page.read_text(encoding="utf-8"), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            fresh = list(execute(text, commands=True))
        finally:
            os.chdir(before)
    for start, end, output in reversed(fresh):
        new = "\n".join(line.rstrip() for line in shown(text[start:end], output).rstrip("\n").splitlines())
        text = f"{text[:start]}{new}\n{text[end:]}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or pages()):
        print(path)
        rewrite(path.resolve())
