"""A cell type as a cell_definition of PhysiCell's settings."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as xml

import numpy as np

from ...model.cell import CellType
from ...model.physicell.tags import DEAD_PARTS, MECHANICS, MOTILITY, SECRETION, VOLUME
from .labels import CYCLES, custom_variables
from .wording import Wording, put, say

CYCLE_NAMES = {
    0: "Ki67 (advanced)", 1: "Ki67 (basic)", 2: "Flow cytometry model (basic)", 5: "Live",
    6: "Flow cytometry model (separated)", 7: "Cycling-Quiescent model",
}  # fmt: skip
KINDS = {
    "uniform": ("Uniform", ("min", "max")),
    "loguniform": ("LogUniform", ("min", "max")),
    "normal": ("Normal", ("mu", "sigma")),
    "lognormal": ("LogNormal", ("mu", "sigma")),
    "log10normal": ("Log10Normal", ("mu", "sigma")),
}
LIVE_RATES = (
    ("live_phagocytosis_rates", "phagocytosis_rate", "phagocytosis.live"),
    ("attack_rates", "attack_rate", "attack.rate"),
    ("fusion_rates", "fusion_rate", "fusion.rate"),
)
# columns the files have no place for, and what a reader of them takes instead
FIXED = {
    "attack.immunogenicity": 1.0,
    "secretion.released": 0.0,
    "secretion.transferred": 1.0,
    "mechanics.movable": 1.0,
    "metabolism.consumption": 0.0,
}


def define(w: Wording, group: xml.Element, cell: CellType) -> None:
    """Fill a cell_definition."""
    _check_fixed(w, cell)
    phenotype = put(group, "phenotype")
    _cycle(w, phenotype, cell)
    death = put(phenotype, "death")
    for code, kind in ((100, "apoptosis"), (101, "necrosis")):
        model = put(death, "model", code=code, name=kind)
        put(model, "death_rate", w.value(cell, f"death.{kind}"), units="1/min")
        durations = put(model, "phase_durations", units="min")
        if kind == "necrosis":
            swelling = w.value(cell, "necrosis.swelling_duration")
            put(durations, "duration", swelling, index=0, fixed_duration=True)
        duration, fixed = w.value(cell, f"{kind}.duration"), w.value(cell, f"{kind}.fixed") > 0.5
        put(durations, "duration", duration, index=int(kind == "necrosis"), fixed_duration=fixed)
        numbers = put(model, "parameters")
        for tag, column in DEAD_PARTS[kind].items():
            put(numbers, tag, w.value(cell, column) if column else 0.0)
    _table(w, put(phenotype, "volume"), cell, VOLUME)
    mechanics = put(phenotype, "mechanics")
    whole = {"maximum_number_of_attachments"}
    for tag, column in MECHANICS.items():
        if column in w.columns:
            number = w.value(cell, column)
            put(mechanics, tag, int(number) if tag in whole else number)
    _named(w, mechanics, cell, "cell_adhesion_affinities", "cell_adhesion_affinity", "mechanics.affinity")
    _motility(w, phenotype, cell)
    secretion = put(phenotype, "secretion")
    for name in w.factors:
        one = put(secretion, "substrate", name=name)
        for tag, column in SECRETION.items():
            put(one, tag, w.value(cell, column, name))
    _contacts(w, phenotype, cell)
    integrity = put(phenotype, "cell_integrity")
    _table(w, integrity, cell, {"damage_rate": "damage.rate", "damage_repair_rate": "damage.repair"})
    data = put(group, "custom_data")
    for name, columns in custom_variables(w.custom).items():
        entry, values = w.columns[columns[0]], [w.value(cell, c) for c in columns]
        unit = "dimensionless" if entry.unit == "1" else entry.unit
        said, kept = values[0] if len(values) == 1 else ",".join(map(say, values)), columns[0] in w.model.conserved
        put(data, name, said, conserved=kept, units=unit, description=entry.doc)
    _distributions(w, group, cell)


def _check_fixed(w: Wording, cell: CellType) -> None:
    for column, taken in FIXED.items():
        if column in w.columns and column in cell.values:
            given = cell.values[column]
            if any(float(v) != taken for v in (given.values() if isinstance(given, Mapping) else [given])):
                w.note(f"{cell.name}: {column} cannot be said; {taken:g} is what holds")


def _table(w: Wording, group: xml.Element, cell: CellType, table: Mapping[str, str]) -> None:
    for tag, column in table.items():
        put(group, tag, w.value(cell, column))


def _named(w: Wording, parent: xml.Element, cell: CellType, tag: str, item: str, column: str) -> None:
    group = put(parent, tag)
    for name in w.types:
        number = w.value(cell, column, name)
        if number or column == "mechanics.affinity":
            put(group, item, number, name=name)


def _cycle(w: Wording, phenotype: xml.Element, cell: CellType) -> None:
    code = CYCLES[cell.cycle.name][0]
    cycle = put(phenotype, "cycle", code=code, name=CYCLE_NAMES[code])
    rates = put(cycle, "phase_transition_rates", units="1/min")
    exits = list(zip(cell.exit, cell.fixed)) or [(0.0, False)]
    for k, (rate, fixed) in enumerate(exits):
        put(rates, "rate", float(rate), start_index=k, end_index=(k + 1) % len(exits), fixed_duration=bool(fixed))
    shares = {t: w.value(cell, "division.asymmetric", t) for t in w.types}
    if any(shares.values()):
        group = put(cycle, "standard_asymmetric_division", enabled=True)
        for name, share in shares.items():
            put(group, "asymmetric_division_probability", share, name=name)


def _motility(w: Wording, phenotype: xml.Element, cell: CellType) -> None:
    motility = put(phenotype, "motility")
    _table(w, motility, cell, MOTILITY)
    options = put(motility, "options")
    speed = w.value(cell, "motility.speed")
    ruled = any(r.behavior[0] == "motility.speed" for r in cell.rules)
    said = any(c.startswith("motility.") for c in cell.values) or speed > 0.0 or ruled
    put(options, "enabled", w.value(cell, "motility.active") > 0.5 and said)
    put(options, "use_2D", w.model.domain.is_2d or w.value(cell, "motility.planar") > 0.5)
    if not w.factors:
        return
    cues = {f: w.value(cell, "motility.cue", f) for f in w.factors}
    cue = next((f for f, sign in cues.items() if sign), None)
    led = w.value(cell, "motility.advanced")
    simple = put(options, "chemotaxis")
    put(simple, "enabled", cue is not None and led == 0.0)
    put(simple, "substrate", cue or w.factors[0])
    put(simple, "direction", int(np.sign(cues[cue])) if cue else 0)
    weights = {f: w.value(cell, "motility.sensitivity", f) for f in w.factors}
    advanced = put(options, "advanced_chemotaxis")
    put(advanced, "enabled", led == 1.0)
    put(advanced, "normalize_each_gradient", bool(cell.normalized))
    group = put(advanced, "chemotactic_sensitivities")
    for name, weight in weights.items():
        put(group, "chemotactic_sensitivity", weight, substrate=name)


def _contacts(w: Wording, phenotype: xml.Element, cell: CellType) -> None:
    group = put(phenotype, "cell_interactions")
    for kind in ("apoptotic", "necrotic", "other_dead"):
        put(group, f"{kind}_phagocytosis_rate", w.value(cell, f"phagocytosis.{kind}"), units="1/min")
    for tag, item, column in LIVE_RATES:
        _named(w, group, cell, tag, item, column)
    put(group, "attack_damage_rate", w.value(cell, "attack.damage_rate"), units="1/min")
    put(group, "attack_duration", w.value(cell, "attack.duration"), units="min")
    other = put(phenotype, "cell_transformations")
    _named(w, other, cell, "transformation_rates", "transformation_rate", "transformation.rate")


def _distributions(w: Wording, group: xml.Element, cell: CellType) -> None:
    if not cell.distributions:
        return
    several = put(group, "initial_parameter_distributions", enabled=True)
    for d in cell.distributions:
        name = "volume" if d.column == "volume.total" else w.behavior(cell, d.column, d.label)
        if name is None:
            w.note(f"{cell.name}: a distribution of {d.column} cannot be said")
            continue
        kind, tags = KINDS[d.kind]
        one = put(several, "distribution", enabled=True, type=kind, check_base=False)
        put(one, "behavior", name)
        for tag, number in zip(tags, d.parameters):
            put(one, tag, float(number))
        for tag, bound in (("lower_bound", d.low), ("upper_bound", d.high)):
            if np.isfinite(bound):
                put(one, tag, float(bound))
