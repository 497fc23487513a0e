"""A model in English."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from ..errors import shown
from ..units import say_time
from .catalog import groups
from .cell import CellType
from .environment import Factor
from .initial import Placement
from .regions import Region
from .rule import Names, Rule
from .therapy import say_therapy
from .vessels import NUMBERS

if TYPE_CHECKING:
    from .model import Model

WAYS_SAID = {
    "columns": "Vessels cross the slice",
    "mesh": "Arterioles and venules with a mesh of capillaries between them",
    "random": "A random network of vessels",
}


def say_rule(kind: str, rule: Rule) -> str:
    """One rule as a sentence about its cell type."""
    verb = "increases" if rule.increases else "decreases"
    signal = _say_signal(rule)
    behavior = ".".join(x for x in rule.behavior if x)
    tail = f", in a pathway of its own ({rule.pathway}) that multiplies with others" if rule.pathway else ""
    tail += ", also after death" if rule.dead else ""
    source = f" [{', '.join(rule.sources)}]" if rule.sources else ""
    return (
        f"In {kind}, {signal} {verb} {behavior} toward {rule.value:.4g} {_unit(rule.unit)}with a Hill response, "
        f"half-maximum {rule.half:.4g} {_unit(rule.half_unit)}and Hill power {rule.hill:g}{tail}.{source}"
    )


def _say_signal(rule: Rule) -> str:
    column, label = rule.signal
    if column == "sense.factor":
        return str(label)
    if column == "sense.contact":
        return f"contact with {label}"
    if column == "sense.gradient":
        return f"the gradient of {label}"
    return column.removeprefix("sense.").replace("_", " ") + (f" {label}" if label else "")


def _number(value: float) -> str:
    """Four digits, without an exponent where a person would write none.

    >>> _number(100000.0), _number(1.25e-05)
    ('100,000', '1.25e-05')
    """
    return f"{value:,.0f}" if value == round(value) and 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def _unit(unit: str) -> str:
    return "" if unit == "1" else f"{unit} "


def say_factor(f: Factor) -> str:
    """One factor as a paragraph."""
    reach = f", so it reaches about {(f.diffusion / f.decay) ** 0.5:.3g} um" if f.decay > 0 else ""
    text = f"{f.name} ({f.unit}) diffuses with {_number(f.diffusion)} um^2/min, decays with {f.decay:.4g} 1/min{reach}"
    text += f", and starts {f'as {f.initial_table} says' if f.initial_table else f'at {f.initial:.4g}'}."
    if f.michaelis:
        text += f" Its consumption saturates; half of it is reached at {f.michaelis:.4g}."
    by_condition: dict[str, list[str]] = {}
    for face, b in f.boundary.items():
        said = (
            f"held at {b.value:.4g}"
            if b.condition == "value"
            else f"held at {b.value:.4g} in the outermost voxels"
            if b.condition == "voxels"
            else f"exchanging with {b.value:.4g} at {b.permeability:.4g} um/min"
            if b.condition == "exchange"
            else "closed"
        )
        by_condition.setdefault(said, []).append(face)
    text += " " + (
        "Faces " + "; ".join(f"{', '.join(v)} {k}" for k, v in by_condition.items()) + "."
        if by_condition
        else "All faces are closed."
    )
    if f.held:
        text += f" {len(f.held)} region{'s are' if len(f.held) > 1 else ' is'} held at a fixed value."
    return text


def say_cell(cell: CellType, names: Names) -> list[str]:
    """One cell type: a heading line, its cycle, and every value the model gives it."""
    lines = [f"{cell.name}{': ' + cell.doc if cell.doc else ''}"]
    if cell.cycle.phases:
        phases = ", ".join(
            f"{p} ({'fixed' if fixed else 'mean'} {say_time(1 / r) if r > 0 else 'forever'})"
            for p, r, fixed in zip(cell.cycle.phases, cell.exit, cell.fixed)
        )
        lines.append(f"  cycle {cell.cycle.name}: {phases}")
    else:
        lines.append("  does not divide")
    from .catalog import columns

    for name, value in cell.values.items():
        entry = columns().get(name)
        doc = f"  ({entry.doc})" if entry and entry.doc else ""
        if isinstance(value, dict):
            lines.append(
                f"  {name}: "
                + ", ".join(f"{k} {_number(v)} {_unit(names.unit(name, k))}".rstrip() for k, v in value.items())
                + doc
            )
        else:
            lines.append(f"  {name}: {_number(value)} {_unit(names.unit(name, None))}".rstrip() + doc)
    for v in cell.varies:
        lines.append(f"  {v.name} differs between cells: log-normal around its mean, sigma {v.sigma:.4g}")
    for x in cell.distributions:
        name = ".".join(p for p in (x.column, x.label) if p)
        within = f", within {x.low:.4g} and {x.high:.4g}" if x.low > -math.inf or x.high < math.inf else ""
        lines.append(
            f"  at the start {name} is drawn: {x.kind} with {x.parameters[0]:.4g} and {x.parameters[1]:.4g}{within}"
        )
    return lines


def say_placement(p: Placement, is_2d: bool) -> str:
    """One placement as a sentence."""
    if p.table:
        own = f", each with its own {', '.join(dict.fromkeys(c for c, _ in p.values))}" if p.values else ""
        apart = "; those that overlap are pushed apart before time 0" if p.relax else ""
        return f"{len(p.rows)} cells stand where {p.table} says{own}{apart}."
    region = p.region
    assert region is not None
    where = {"everywhere": "everywhere", "box": "in a box"}.get(region.kind)
    if where is None:
        size = f"radius {region.outer:g} um" if region.inner == 0 else f"radii {region.inner:g} to {region.outer:g} um"
        where = (
            f"in a {region.kind} of {size} around ({', '.join(f'{c:g}' for c in region.center[: 2 if is_2d else 3])})"
        )
    if p.count is not None:
        return f"{p.count} {p.type} cells lie at random {where}."
    return f"{p.type} cells are packed hexagonally, {p.spacing:.3g} um apart, {where}."


def _where(region: Region | None) -> str:
    return "" if region is None else " everywhere" if region.kind == "everywhere" else f" in a {region.kind}"


def say_vessels(model: Model) -> list[str]:
    """Vessels, fluid and lymph, a sentence each."""
    out: list[str] = []
    if model.vessels:
        v = model.vessels
        for lot in v.lots:
            told = ", ".join(
                f"{name} {_number(value)} {_unit(NUMBERS[lot.way][name][0])}".rstrip()
                for name, value in lot.numbers.items()
                if value
            )
            out.append(f"{WAYS_SAID[lot.way]}{_where(lot.region)}: {told}.")
        out += ["A network of vessels is given."] if v.given else []
        parting = "divide by the law of phase separation" if v.split == "separated" else "are everywhere the same share"
        out.append(
            f"Blood enters with a haematocrit of {v.haematocrit:g} and {v.oxygen:g} mmHg of oxygen ({v.species}); red "
            f"cells {parting}; flow and walls are looked at every {say_time(v.period)}."
        )
    if model.fluid:
        f = model.fluid
        dense = ", ".join(f"{d.density:g}{_where(d.region) or ' everywhere'}" for d in f.lymph)
        beyond = f", and {f.margin:g} um of the same tumor lie beyond each face" if f.margin else ""
        out.append(f"Lymph vessels: {dense or 'none'} (1 is as in normal tissue){beyond}.")
    for path, numbers in model.groups.items():
        outer, _, inner = path.partition(".")
        if inner and outer in ("vessels", "fluid"):
            units = {n.name: n.unit for n in groups()[path]}
            said = ", ".join(f"{n} {_number(value)} {_unit(units[n])}".rstrip() for n, value in numbers.items())
            out.append(f"{inner}{f': {said}' if said else ''}.")
    return out


def describe(model: Model) -> str:
    """The whole model."""
    d = model.domain
    size = " x ".join(f"{n * h:g}" for n, h in zip(d.shape[: 2 if d.is_2d else 3], d.voxel))
    lines = [model.title, "=" * len(model.title)]
    if model.description:
        lines += [model.description, ""]
    if model.look:
        lines += [f"What to look at: {model.look}", ""]
    lines.append(
        f"A {'2-D slab' if d.is_2d else '3-D box'} of {size} um{f', {d.voxel[2]:g} um thick' if d.is_2d else ''}, "
        f"{d.voxels:,} voxels, for {say_time(model.until)}"
        f"{''.join(f', or until {rule.text}' for rule in model.stop_when)}."
    )
    if d.open:
        lines.append(f"Cells that are pushed out leave by {', '.join(d.open)}.")
    c = model.clock
    if model.numerics == "physicell":
        version = f", with the known bugs of {model.compat}" if model.compat else ""
        lines.append(f"Solvers, time steps and order of operations are those of PhysiCell{version}.")
    lines.append(
        f"Factors are updated every {c.transport:g} min, mechanics every {c.mechanics:g} min, cells decide every "
        f"{c.phenotype:g} min."
    )
    if model.factors:
        lines += ["", "Factors"] + [f"- {say_factor(f)}" for f in model.factors]
    if model.vessels or model.fluid:
        lines += ["", "Vessels and fluid"] + [f"- {sentence}" for sentence in say_vessels(model)]
    if model.therapy:
        lines += ["", "Therapy"] + [f"- {sentence}" for sentence in say_therapy(model)]
    if model.types:
        lines += ["", "Cell types"]
        for t in model.types:
            first, *rest = say_cell(t, model.names)
            lines += [f"- {first}", *rest]
            lines += [f"  * {say_rule(t.name, r)}" for r in t.rules]
    if model.placements:
        lines += ["", "At the start"] + [f"- {say_placement(p, d.is_2d)}" for p in model.placements]
    if model.processes:
        lines += ["", "Mechanisms of your own: " + ", ".join(p.name for p in model.processes)]
    sourced = [q for p, q in model.numbers.items() if p.startswith(("factors", "cells"))]
    assumed = sum(q.grade == "A" or not q.sources for q in sourced)
    lines += [
        "",
        f"{len(sourced)} numbers describe factors and cells; {assumed} of them are assumed or carry no source.",
    ]
    return shown("\n".join(lines).expandtabs(2))


def page(model: Model) -> str:
    """The model as HTML: what a notebook shows of it."""
    d = model.domain
    size = " x ".join(f"{n * h:g}" for n, h in zip(d.shape[: 2 if d.is_2d else 3], d.voxel))

    def listed(head: str, items: Iterable[str]) -> str:
        rows = "".join(f"<li>{escape(shown(x))}</li>" for x in items)
        return f"<details open><summary>{head}</summary><ul>{rows}</ul></details>" if rows else ""

    types = (
        f"{t.name}{': ' + t.doc if t.doc else ''} "
        f"({f'cycle {t.cycle.name}' if t.cycle.phases else 'does not divide'}, {len(t.rules)} rules)"
        for t in model.types
    )
    rules = (say_rule(t.name, r) for t in model.types for r in t.rules)
    parts = (
        f"<b>{escape(shown(model.title))}</b>",
        f"<p>{escape(shown(model.description))}</p>" if model.description else "",
        f"<p>{size} um, {d.voxels:,} voxels, {say_time(model.until)}, {model.cells_at_start:,} cells at the start</p>",
        listed("Factors", (say_factor(f) for f in model.factors)),
        listed("Vessels and fluid", say_vessels(model)),
        listed("Therapy", say_therapy(model)),
        listed("Cell types", types),
        listed("Rules", rules),
        listed("At the start", (say_placement(p, d.is_2d) for p in model.placements)),
        listed("Warnings", (str(p) for p in model.problems if p.severity == "warning")),
    )
    return f"<div class='oncarium-model'>{''.join(parts)}</div>"
