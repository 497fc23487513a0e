"""Is a model whole? Factors that are asked for and made by nobody, sections whose mechanism lacks what it works on,
nuclei larger than their cells, mechanisms that the chosen numerics do not have, more than this machine can hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .catalog import mechanisms, served
from .reader import Reader

if TYPE_CHECKING:
    from .model import Model

EXAMPLES = {"matrix": "matrix: {density: 0.3}"}
# of a crawling cell within a step of mechanics, in the mean; more bring contacts that shorter steps lack
MOST_TURNS = 3
SURROUNDINGS = ("matrix", "supply", "body", "entry", "exit", "metastasis")


def check_whole(reader: Reader, model: Model) -> None:
    """Complain about what does not fit between the parts of a model."""
    _check_volumes(reader, model)
    _check_served(reader, model)
    _check_parts(reader, model)
    _check_clock(reader, model)
    if not any(p.path.startswith("domain") and p.severity == "error" for p in reader.problems):
        _check_memory(reader, model)


def _check_volumes(reader: Reader, model: Model) -> None:
    columns = model.names.columns
    for t in model.types:
        total, nuclear = t.value(columns["volume.total"]), t.value(columns["volume.nuclear"])
        if not 0.0 < nuclear < total:
            # PhysiCell takes a nucleus larger than its cell, with a cytoplasm below zero, and some of its models have
            # one
            reader.complain(
                f"cells.{t.name}.volume",
                f"a nucleus of {nuclear:g} um^3 in a cell of {total:g} um^3;",
                "expected 0 < nuclear < total.",
                severity="warning" if model.numerics == "physicell" and nuclear > 0.0 and total > 0.0 else "error",
            )


def _check_clock(reader: Reader, model: Model) -> None:
    """Cells that turn several times within a step of mechanics meet others at its end only."""
    if model.numerics == "physicell":
        return
    columns, step = model.names.columns, model.clock.mechanics
    fast: dict[str, float] = {}
    for t in model.types:
        persistence = t.value(columns["motility.persistence"])
        if t.value(columns["motility.speed"]) > 0.0 and 0.0 < persistence < step / MOST_TURNS:
            fast[t.name] = persistence
    if fast:
        told = ", ".join(f"{name} ({minutes:g} min)" for name, minutes in fast.items())
        reader.complain(
            "clock.mechanics",
            f"a step of {step:g} min holds many turns of {told}; they meet other cells at its end only.",
            remedy=f"For contacts that do not depend on the step, use at most {MOST_TURNS * min(fast.values()):g} min.",
            severity="notice",
        )


def _check_served(reader: Reader, model: Model) -> None:
    """A section that no mechanism of the chosen numerics answers for would be read and never act."""
    own = {c.name.partition(".")[0] for p in model.processes for c in p.columns()}
    known = served(model.numerics) | own | {"custom"}
    said = [(key, key) for key in SURROUNDINGS if model.document.tree.get(key)]
    if model.domain.open and model.numerics == "physicell":
        reader.complain(
            "domain.open",
            "PhysiCell's numerics have no open faces;",
            remedy="Remove it, or the line  numerics: physicell.",
        )
    said += [(f"cells.{t.name}.{section}", section) for t in model.types for section in sorted(t.sections)]
    for t in model.types:
        if t.varies and model.numerics == "physicell":
            reader.complain(
                f"cells.{t.name}.varies",
                "in PhysiCell's numerics cells of a type have one base;",
                remedy="Use distributions, or remove the line  numerics: physicell.",
            )
    for path, section in said:
        if section in known:
            continue
        if model.numerics == "physicell":
            reader.complain(
                path, f"PhysiCell's numerics have no {section};", remedy="Remove it, or the line  numerics: physicell."
            )
        else:
            reader.complain(
                path,
                f"no mechanism answers for {section};",
                remedy="Add the mechanism to the order (biology/order.py), or remove the section.",
            )


def _check_memory(reader: Reader, model: Model) -> None:
    need, have = model.bytes_needed, memory_here()
    if need > 0.8 * have:
        reader.complain(
            "domain",
            f"{model.domain.voxels:,} voxels with {len(model.factors)} factors and {model.cells_at_start:,} cells "
            f"need about {need / 1e9:.1f} GB; this machine has {have / 1e9:.1f} GB.",
            remedy="Use larger voxels or a smaller domain.",
        )


def memory_here() -> float:
    """Bytes of memory of this machine, or of the container it runs in."""
    try:
        have = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not every system tells
        have = 8e9
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        return have if limit == "max" else min(have, float(limit))
    except (OSError, ValueError):
        return have


def _check_parts(reader: Reader, model: Model) -> None:
    factors = {f.name for f in model.factors}
    for t in model.types:
        spoken = {*t.values, *t.sections, *(r.behavior[0] for r in t.rules)}
        for m in mechanisms():
            words = [w for w in m.words if w in spoken] if model.numerics in m.numerics else []
            lacking = [f for f in m.needs if f not in factors]
            for word in words[:1] if lacking else ():
                reader.complain(
                    f"cells.{t.name}.{word}",
                    f"its mechanism works on {', '.join(lacking)}, which the model does not have;",
                    remedy=f"Add  factors: {{{lacking[0]}: {{library: {lacking[0]}}}}}.",
                )  # fmt: skip
            for word in words[:1] if m.part and not getattr(model, m.part) else ():
                reader.complain(
                    f"cells.{t.name}.{word}",
                    f"the model has no {m.part};",
                    f"expected a section {m.part}, e.g. {EXAMPLES[m.part]}.",
                )
        taken = t.values.get("metabolism.consumption")
        for f in model.factors:
            if isinstance(taken, dict) and taken.get(f.name) and f.michaelis is None:
                reader.complain(
                    f"cells.{t.name}.metabolism.consumption.{f.name}",
                    f"consumption saturates, and {f.name} has no concentration of half of it;",
                    remedy=f"Add  factors.{f.name}.michaelis, or use secretion.uptake.",
                )  # fmt: skip
    known = made(model)
    for name, path in asked(model).items():
        if name not in known:
            reader.complain(
                path, f"nobody makes {name}: no cell, vessel or face supplies it, no voxel or start holds it.",
                remedy="Let a cell type or a face supply it.", severity="warning",
            )  # fmt: skip


def asked(model: Model) -> dict[str, str]:
    """Factors that somebody senses, follows or takes up -> where that is said first."""
    out: dict[str, str] = {}
    for t in model.types:
        for r in t.rules:
            if r.signal[0] in ("sense.factor", "sense.gradient") and r.signal[1]:
                out.setdefault(r.signal[1], f"cells.{t.name}.rules")
        for column in ("motility.sensitivity", "motility.cue", "metabolism.consumption"):
            given = t.values.get(column)
            for name, value in given.items() if isinstance(given, dict) else ():
                if value:
                    out.setdefault(name, f"cells.{t.name}.{column}.{name}")
    for k, way in enumerate(model.patient.entries):
        if way.factor:
            out.setdefault(way.factor, f"entry.{k}.signal")
    return out


def made(model: Model) -> set[str]:
    """Factors that come from somewhere."""
    out = {f for m in mechanisms() if any(w in model.groups or model.place_of(w) for w in m.words) for f in m.makes}
    out |= set(model.therapy.adds if model.therapy else ())
    for f in model.factors:
        if (
            f.initial > 0.0
            or (model.vessels and f.blood > 0.0)
            or f.initial_table
            or f.held
            or any(b.condition != "no-flux" and b.value > 0.0 for b in f.boundary.values())
        ):
            out.add(f.name)
    for t in model.types:
        for column in ("secretion.rate", "secretion.approach"):
            given = t.values.get(column)
            out |= {name for name, value in given.items() if value > 0.0} if isinstance(given, dict) else set()
        out |= {
            r.behavior[1]
            for r in t.rules
            if r.behavior[0] in ("secretion.rate", "secretion.approach") and r.behavior[1] and r.value > 0.0
        }
    if model.therapy:
        out |= {d.name for d in model.therapy.drugs}
    for supplied in model.patient.supply:
        out |= {name for name, _, outside in supplied.factors if outside > 0.0}
    for process in model.processes:
        out |= {w.removeprefix("supply_") for w in getattr(process, "writes", ()) if str(w).startswith("supply_")}
    return out
