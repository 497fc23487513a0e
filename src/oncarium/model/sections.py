"""The sections of a model file, and what reads each of them into a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .body import read_patient
from .cell_types import read_types
from .consistency import check_whole
from .effects import check_effects
from .environment import (
    COMPAT,
    LONGEST,
    NUMERICS,
    Domain,
    read_clock,
    read_domain,
    read_factor,
    read_record,
    with_tables,
)
from .fluid import read_fluid
from .groups import read_groups
from .initial import Placement, read_placement
from .library import laid_over
from .matrix import read_matrix
from .metastasis import read_metastasis
from .reader import Reader
from .slide.place import INERT, in_domain, read_slides, remembered
from .slide.words import OTHER, is_slide
from .stop import read_stop_rules
from .therapy import drug_factors, read_therapy, treat
from .vessels import read_vessels

if TYPE_CHECKING:
    from .model import Model

FORMAT = "1"
# what the first decisions see: concentrations after the first step of transport, as they are given, or in balance with
# the cells as they stand at time 0
FIRST_LOOKS = ("solved", "given", "steady")
OF_THE_MATRIX = ("sense.matrix", "sense.stiffness", "sense.alignment")


def read_sections(model: Model, reader: Reader) -> None:
    """Read every section of the model's document, each with what the ones before it gave, and check the whole."""
    tree = reader.group(model.document.tree, "", [name for names, _ in SECTIONS for name in names])
    for _, read in SECTIONS:
        read(model, reader, tree)
    for name in model.record.columns or ():
        reader.word(name, "record.columns", model.names.columns, "column")
    check_whole(reader, model)


def _heading(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    version = reader.text(tree.get("oncarium"), "oncarium", FORMAT)
    if version != FORMAT:
        reader.complain("oncarium", f"format {version[:60]} is not known;", f"expected {FORMAT}.")
    model.name = reader.text(tree.get("name"), "name")
    model.title = reader.text(tree.get("title"), "title", model.name or "A tissue")
    model.description = reader.text(tree.get("description"), "description")
    model.look = reader.text(tree.get("look"), "look")
    for key, said in reader.group(tree.get("sources"), "sources").items():
        reader.own[key] = reader.text(said, f"sources.{key}")


def _choices(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.numerics = reader.word(tree.get("numerics", NUMERICS[0]), "numerics", NUMERICS, "numerics") or NUMERICS[0]
    model.compat = reader.word(tree.get("compat", ""), "compat", COMPAT, "version to be compatible with") or ""
    model.internalise = reader.truth(tree.get("internalise", False), "internalise")
    listed = tree.get("initial")
    usual = "steady" if isinstance(listed, list) and any(is_slide(given) for given in listed) else FIRST_LOOKS[0]
    model.start = reader.word(tree.get("start", usual), "start", FIRST_LOOKS, "start") or usual


def _space_and_time(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    domain = read_domain(reader, tree.get("domain"))
    # so large that nothing else looks wrong for it
    model.domain = domain or Domain((-5e8,) * 3, (2e8,) * 3, (5, 5, 5))
    model.clock = read_clock(reader, tree.get("clock"), model.numerics == "physicell")
    model.record = read_record(reader, tree.get("record"), model.clock.tick)
    until = reader.quantity(tree["until"], "until", "min", ge=0.0, le=LONGEST) if "until" in tree else 7200.0
    model.until = until if until is not None else 0.0
    seed = reader.whole(tree["seed"], "seed", 0, 2**63 - 1) if "seed" in tree else 1
    model.seed = seed if seed is not None else 1


def _therapy(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.therapy = read_therapy(model, reader, tree)


def _factors(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    solver = "lod" if model.numerics == "physicell" else "auto"
    factors = []
    for name, given in reader.named(tree.get("factors"), "factors", "factor").items():
        full = laid_over(reader, given, f"factors.{name}", "factors")
        found = read_factor(reader, name, full, model.domain.is_2d, solver)
        if found:
            factors.append(found)
    factors += drug_factors(reader, model.therapy, factors)
    treat(reader, model.therapy, tree, factors)
    model.factors = with_tables(reader, factors, model.domain, model.folder)


def _slides(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    reader.slides = read_slides(reader, tree, model.folder)
    types = tree.get("cells")
    if any(s.unknown for s in reader.slides.values()) and isinstance(types, dict) and OTHER not in types:
        types[OTHER] = INERT  # a part of the model from here on


def _cells(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    cells = read_types(
        reader, tree, {f.name: f.unit for f in model.factors}, model.processes, model.folder, model.therapy
    )
    model.types, model.names = cells.types, cells.names
    model.networks, model.conserved = cells.networks, cells.conserved


def _placements(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    total = model.names.columns["volume.total"]
    radius = {t.name: (t.value(total) * 0.238732414637843) ** (1 / 3) for t in model.types}
    model.placements = []
    listed = reader.listed(tree.get("initial"), "initial", "placements, each starting with  - cells: <type>.")
    for i, given in enumerate(listed):
        path = f"initial.{i}"
        placement: Placement | None
        if i in reader.slides:
            placement = in_domain(reader, reader.slides[i], path, model.types, model.names, model.domain)
        elif is_slide(given):
            placement = remembered(given)
        else:
            placement = read_placement(reader, given, path, model.names, model.domain, radius, model.folder)
        if placement:
            model.placements.append(placement)
            if placement.outside and model.folder is not None:
                given["outside"] = str(placement.outside)
            if placement.values and model.folder is not None:
                given["gives"] = sorted({c if label is None else f"{c}.{label}" for c, label in placement.values})


def _matrix(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.matrix = read_matrix(reader, tree.get("matrix"), model.clock.tick)
    if model.matrix is None and any(s in OF_THE_MATRIX for s in model.signals):
        reader.complain(
            "cells", "a rule speaks of the matrix, which the model does not have;", "expected a section matrix."
        )


def _vessels(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.vessels = read_vessels(reader, tree.get("vessels"), model.domain, model.clock.tick, model.folder)


def _fluid(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.fluid = read_fluid(reader, tree.get("fluid"), model.clock.tick)
    model.groups = read_groups(reader, tree)


def _patient(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    d, has = model.domain, _ways(model)
    volume = math.prod(d.voxel) * d.voxels
    model.patient = read_patient(reader, tree, model.names, model.factors, has, volume)


def _ways(model: Model) -> dict[str, bool]:
    return {"vessel": model.vessels is not None, "lymph": model.fluid is not None and bool(model.fluid.lymph)}


def _metastasis(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.metastasis = read_metastasis(reader, tree.get("metastasis"), model.names, _ways(model))


def _effects(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    check_effects(reader, model)


def _stop_rules(model: Model, reader: Reader, tree: dict[str, Any]) -> None:
    model.stop_when = read_stop_rules(model, reader, tree.get("stop_when"))


# names of sections and what reads them, in reading order
SECTIONS: tuple[tuple[tuple[str, ...], Callable[[Model, Reader, dict[str, Any]], None]], ...] = (
    (("oncarium", "name", "title", "description", "look", "sources"), _heading),
    (("numerics", "compat", "internalise", "start"), _choices),
    (("domain", "clock", "record", "until", "seed"), _space_and_time),
    (("therapy",), _therapy),
    (("factors",), _factors),
    ((), _slides),
    (("custom", "cells"), _cells),
    (("initial",), _placements),
    (("matrix",), _matrix),
    (("vessels",), _vessels),
    (("fluid",), _fluid),
    (("represents", "supply", "body", "entry", "exit"), _patient),
    (("metastasis",), _metastasis),
    ((), _effects),
    (("stop_when",), _stop_rules),
)
