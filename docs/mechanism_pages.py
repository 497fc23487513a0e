"""A page per mechanism, written from the docstrings of src/oncarium/biology."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

GROUPS = {  # heading -> modules below the biology; what is named nowhere comes last
    "Cells' insides": (
        "metabolism", "acidity", "hypoxia", "stat3", "smad", "emt", "amoeboid", "p53", "drive", "stemness",
        "senescence", "evolution", "variation", "networks", "score",
    ),
    "Immune cells and stroma": (
        "surface", "polarization", "antigen", "activation", "exhaustion", "maturation", "checkpoint", "trapping", "caf",
        "inflammation",
    ),
    "Matrix": (
        "matrix/remodeling", "matrix/sensing", "matrix/guidance", "matrix/membrane", "matrix/proteolysis",
        "matrix/reservoir",
    ),
    "Blood vessels, fluid and lymph": (
        "vessels/perfusion", "vessels/exchange", "vessels/adaptation", "vessels/sprouting", "vessels/tips",
        "vessels/maturation", "vessels/secretion", "vessels/regression", "vessels/compression", "fluid/stress",
        "fluid/pressure", "fluid/lymph", "fluid/lymphangiogenesis",
    ),
    "Metastasis": ("metastasis/intravasation", "metastasis/cascade"),
    "Therapy": (
        "drugs/levels", "drugs/binding", "drugs/neutralising", "drugs/prodrug", "radiation", "operations",
    ),
    "Body and supply": ("supply", "body/passages", "body/circulation"),
    "Factors and decisions": ("transport", "secretion", "internalisation", "sensing", "rules"),
    "Mechanics and life cycle": (
        "motility", "mechanics", "springs", "contacts", "damage", "cycle", "phases", "death", "volume", "division",
        "transformation", "outside", "outflow",
    ),
    "PhysiCell's numerics": ("physicell/transport", "physicell/mechanics", "physicell/contacts"),
}  # fmt: skip
OTHER = "Others"
TITLES = {
    "emt": "EMT",
    "caf": "CAF",
    "stat3": "STAT3",
    "smad": "SMAD",
    "p53": "p53",
    "matrix/sensing": "Sensing the matrix",
    "matrix/guidance": "Guidance by the matrix",
    "matrix/membrane": "Basement membrane",
    "matrix/reservoir": "What the matrix stores",
    "vessels/perfusion": "Flow of blood",
    "vessels/exchange": "Exchange through walls",
    "vessels/adaptation": "Adaptation of radii",
    "vessels/tips": "Tips of sprouts",
    "vessels/maturation": "Walls of vessels",
    "vessels/secretion": "What walls release",
    "vessels/regression": "Regression of vessels",
    "vessels/compression": "Compression of vessels",
    "fluid/stress": "Solid stress",
    "fluid/pressure": "Pressure of the fluid",
    "fluid/lymph": "Lymph",
    "fluid/lymphangiogenesis": "Growth of lymph vessels",
    "metastasis/intravasation": "Ways into blood and lymph",
    "metastasis/cascade": "The cascade of metastasis",
    "body/circulation": "Body compartments",
    "internalisation": "What cells hold",
    "outside": "Outside the domain",
    "physicell/transport": "Exchange by PhysiCell's numerics",
    "physicell/mechanics": "Mechanics by PhysiCell's numerics",
    "physicell/contacts": "Contacts by PhysiCell's numerics",
}
LABEL = re.compile(r"^([A-Z][A-Za-z]*(?: to)?) {2,}(\S.*)$")
DOI = re.compile(r"\bDOI (10\.[^\s)]*[^\s).,;:])")


def module(name: str) -> ModuleType:
    """The module that a page is about: `matrix/guidance` is oncarium.biology.matrix.guidance."""
    return importlib.import_module(f"oncarium.biology.{name.replace('/', '.')}")


def mechanisms() -> dict[str, list[Any]]:
    """Module of the biology, folders before it -> the processes and loops that it declares."""
    from oncarium import biology
    from oncarium.engine.loop import Maker
    from oncarium.engine.process import Process

    out: dict[str, list[Any]] = {}
    prefix = f"{biology.__name__}."
    for full in sorted(m.name for m in pkgutil.walk_packages(biology.__path__, prefix)):
        name = full.removeprefix(prefix).replace(".", "/")
        for thing in vars(module(name)).values():
            own = isinstance(thing, type) and issubclass(thing, Process) and thing.__module__ == full
            own |= isinstance(thing, Maker) and thing.function.__module__ == full
            if own and thing not in out.setdefault(name, []):
                out[name].append(thing)
    return {name: things for name, things in out.items() if things}


def grouped() -> dict[str, list[str]]:
    """Heading -> modules, each of them once."""
    found = mechanisms()
    out = {head: [m for m in names if m in found] for head, names in GROUPS.items()}
    left = [m for m in found if not any(m in names for names in out.values())]
    return out | ({OTHER: left} if left else {})


def title(name: str) -> str:
    return TITLES.get(name, name.rpartition("/")[2].replace("_", " ").capitalize())


def escaped(text: str) -> str:
    """Plain text as Markdown; what stands in backquotes stays code, a DOI becomes a link."""
    parts = text.split("`")
    for k in range(0, len(parts), 2):
        parts[k] = re.sub(r"([*|\\<\[])", r"\\\1", parts[k])
    return DOI.sub(r"[DOI \1](https://doi.org/\1)", "`".join(parts))


def body(text: str) -> str:
    """A docstring as Markdown: prose, equations as they stand, tables as tables, labelled lines as paragraphs."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines = block.split("\n")
        if lines[0].startswith("Column "):
            whole = re.sub(r"\n +", " ", block).split("\n")  # an indented line goes on with the row above it
            rows = [re.split(r" {2,}", line) for line in whole]
            width = len(rows[0])
            rows = [[*r[: width - 1], " ".join(r[width - 1 :])] for r in rows]
            cells = [[f"`{r[0]}`", *map(escaped, r[1:])] for r in rows[1:]]
            out.append("\n".join("| " + " | ".join(r) + " |" for r in [rows[0], ["---"] * width, *cells]))
        elif any(LABEL.match(line) for line in lines):
            out += labelled(lines)
        elif (all(re.match(r"\S+ {2,}\S| {4}", line) for line in lines) and len(lines) > 1) or re.match(
            r"\S+ {3,}\S", lines[0]
        ):
            out.append(code(lines))
        else:
            out.append(escaped(" ".join(lines)))
    return "\n\n".join(out)


def labelled(lines: list[str]) -> list[str]:
    """`Equation    x' = ...` and its like, each with the indented lines below it."""
    items: list[list[str]] = []
    for line in lines:
        if LABEL.match(line) or not items:
            items.append([line])
        else:
            items[-1].append(line)
    out = []
    for first, *rest in items:
        found = LABEL.match(first)
        if not found:
            out.append(escaped(" ".join([first, *(line.strip() for line in rest)])))
        elif found[1] == "Equation":
            indent = first.index(found[2])
            out.append(code([found[2], *(line[indent:] if not line[:indent].strip() else line for line in rest)]))
        else:
            said = re.sub(
                r" {2,}([A-Z][a-z]+(?: to)?) {2,}", r" **\1** ", " ".join([found[2], *(line.strip() for line in rest)])
            )
            out.append(f"**{found[1]}** " + "**".join(escaped(p) for p in said.split("**")))
    return out


def code(lines: list[str]) -> str:
    return "\n".join(["```none", *lines, "```"])


@functools.cache
def library() -> dict[str, set[str]]:
    """Cell type of the library -> its sections."""
    from oncarium.model.files import LIBRARY, read

    return {p.stem: set(read(p).tree) for p in sorted((LIBRARY / "cells").glob("*.yaml"))}


def facts(thing: Any, name: str) -> str:
    """Where a mechanism stands: slot, section and who uses it."""
    reference = "../" * (1 + name.count("/"))  # from the page up to docs/reference
    options = getattr(thing, "options", None)
    slot = options["slot"] if options else thing.slot
    columns = list(options.get("columns", ())) if options else list(thing.declared.values())
    section = getattr(thing, "section", "") or (columns[0].name.partition(".")[0] if columns else "")
    said = [f"slot `{slot}` of [the tick]({reference}../one_tick.md)", f"file `src/oncarium/biology/{name}.py`"]
    if section and any(c.name.startswith(f"{section}.") for c in columns):
        said.insert(0, f"columns [`{section}`]({reference}columns.md#{section})")
    types = [t for t, sections in library().items() if section in sections]
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "." + (f" In the library's {', '.join(types)}." if types else "")


def page(name: str, head: str) -> str:
    """The page of one module."""
    things = mechanisms()[name]
    _, *more = inspect.cleandoc(module(name).__doc__ or "").split("\n\n", 1)
    parts = [head, f"# {title(name)}\n", escaped(sentence(name)) + "\n", *(body(m) + "\n" for m in more)]
    for thing in things:
        own = thing.options.get("name") or thing.__name__ if hasattr(thing, "options") else thing.__name__
        parts += [f"## {own}\n"] if len(things) > 1 else []
        parts += [body(thing.__doc__ or "") + "\n", facts(thing, name) + "\n"]
    return "\n".join(parts)


def sentence(name: str) -> str:
    """What a module says of itself first."""
    return inspect.cleandoc(module(name).__doc__ or "").split("\n\n")[0].replace("\n", " ")


def index(head: str) -> str:
    """The list of all mechanisms."""
    parts = [
        head,
        "# Mechanisms\n",
        "One file, one mechanism, one page: the equation, the columns and the sources, as they stand in the code.\n",
    ]
    parts += ["How they work together is told in [how the microenvironment is modelled](../microenvironment.md).\n"]
    for heading, names in grouped().items():
        parts.append(f"## {heading}\n")
        for name in names:
            said = sentence(name)
            if said.startswith("A ") or said[1].islower():  # no name of a molecule or a cell: IL-6, T cells
                said = said[0].lower() + said[1:]
            parts.append(f"- [{title(name)}](mechanisms/{name}.md): {escaped(said)}")
        parts.append("\n```{toctree}\n:hidden:\n\n" + "\n".join(f"mechanisms/{name}" for name in names) + "\n```\n")
    return "\n".join(parts)


def pages(head: str) -> dict[str, str]:
    """Path below docs -> text."""
    made = {f"reference/mechanisms/{name}.md": page(name, head) for names in grouped().values() for name in names}
    return {"reference/mechanisms.md": index(head), **made}


def stale(docs: Path, made: dict[str, str]) -> list[Path]:
    """Pages of mechanisms that are no more."""
    return [p for p in (docs / "reference" / "mechanisms").rglob("*.md") if p.relative_to(docs).as_posix() not in made]
