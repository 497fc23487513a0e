"""The rows of PhysiCell's table of cells: label, size and unit of each, and how it follows from our columns.

Labels, sizes, units and their order are those of its snapshots (version 1.14.2); some labels stand for what Oncarium
holds in another way (cycle and death are one `vital` and one `phase` here), so a row is a column's name or a function
of the moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...biology.secretion import concentration_per_amount
from ...biology.vital import APOPTOTIC, LIVE, LYSED, SWELLING, radius_of
from .moment import Moment

CYCLES = {  # code of each cycle model, and of its phases
    "live": (5, (14,)),
    "ki67_basic": (1, (3, 2)),
    "ki67_advanced": (0, (3, 0, 1)),
    "flow_cytometry": (2, (4, 10, 11)),
    "flow_cytometry_separated": (6, (4, 10, 12, 13)),
    "cycling_quiescent": (7, (18, 17)),
    "none": (5, (14,)),
}
DEATHS = {APOPTOTIC: (100, 100), SWELLING: (101, 101), LYSED: (101, 102)}  # code of the death model, and of its phase
DYING = {APOPTOTIC: "apoptosis.duration", SWELLING: "necrosis.swelling_duration", LYSED: "necrosis.duration"}
AT_ONCE = 1e16  # 1/min: exit rate of a phase whose duration is written as 0
CHANGES = ("fluid_change", "cytoplasm_change", "nucleus_change", "calcification")
PLACE = re.compile(r"\[\d+\]$")  # of a number within a vector
SIZES = {"": 1, "xyz": 3, "death": 2}
Get = Callable[[Moment], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One label. axis "": one number; "xyz", "death" (2), "factor", "type" or "own" (width): a vector. source: a
    column, or a function."""

    label: str
    axis: str
    unit: str
    source: str | Get
    width: int = 0

    def size(self, factors: int, types: int) -> int:
        """Numbers per cell in a model of so many factors and cell types."""
        return {"factor": factors, "type": types, "own": self.width}.get(self.axis) or SIZES.get(self.axis, 0)

    def values(self, moment: Moment) -> np.ndarray:
        """(cell, size)."""
        found = moment[self.source] if isinstance(self.source, str) else self.source(moment)
        return found.reshape(moment.n, self.size(len(moment.factors), len(moment.types)))


def _number(value: float, width: int = 1) -> Get:
    return lambda m: np.full((m.n, width), value)


def _when_known(column: str, otherwise: float, axis: str = "") -> Get:
    """A column, or a number in models that lack it."""

    def get(m: Moment) -> np.ndarray:
        if m.has(column):
            return m[column]
        return np.full((m.n, {"factor": len(m.factors), "type": len(m.types)}.get(axis, SIZES.get(axis, 1))), otherwise)

    return get


def _code(which: int) -> Get:
    def get(m: Moment) -> np.ndarray:
        vital, phase = m["vital"], m["cycle.phase"].astype(int)
        out = np.zeros(m.n)
        for k, t in enumerate(m.model.types):
            code, phases = CYCLES[t.cycle.name]
            mine = m.kind == k
            out[mine] = code if which == 0 else np.array(phases)[np.minimum(phase[mine], len(phases) - 1)]
        for state, codes in DEATHS.items():
            out[vital == state] = codes[which]
        return out

    return get


def _exit_rate(m: Moment) -> np.ndarray:
    """Of the present phase; the dead are in a phase of their death."""
    exit, phase = m["cycle.exit"], m["cycle.phase"].astype(int)
    out = exit[np.arange(m.n), phase] if exit.shape[1] else np.zeros(m.n)
    for state, duration in DYING.items():
        out = np.where(m["vital"] == state, 1.0 / np.maximum(m[duration], 1.0 / AT_ONCE), out)
    return out


def _change(part: str) -> Get:
    """Rate at which a part of the volume changes: the type's (of the type it grew as, after a transformation), or its
    death's."""

    def get(m: Moment) -> np.ndarray:
        vital, grown_as = m["vital"], m.read("volume.grown_as")
        live = m.base(f"volume.{part}")[m.kind if grown_as is None else np.asarray(grown_as, int)]
        swelling = "necrosis.swelling" if part == "fluid_change" else f"necrosis.{part}"
        return np.choose(vital.astype(int), [live, m[f"apoptosis.{part}"], m[swelling], m[f"necrosis.{part}"]])

    return get


def _target_fluid(m: Moment) -> np.ndarray:
    vital = m["vital"]
    return np.where(vital == LIVE, m["volume.fluid_fraction"], np.where(vital == SWELLING, 1.0, 0.0))


def _target_cytoplasm(m: Moment) -> np.ndarray:
    held = m.read("volume.target_cytoplasm")
    if held is not None:
        return np.asarray(held, float)
    total, nuclear = m.base("volume.total"), m.base("volume.nuclear")
    ratio = (total - nuclear) / np.maximum(nuclear, 1e-16)
    return np.where(m["vital"] == LIVE, ratio[m.kind] * m["volume.target_nuclear"], 0.0)


ACTIVE = _when_known("motility.active", 1.0)


def _is_motile(m: Moment) -> np.ndarray:
    """The living of types that say how they move, and whoever has a speed."""
    said = np.array([any(c.startswith("motility.") for c in t.values) for t in m.model.types], bool)
    return (ACTIVE(m).reshape(m.n) > 0.5) & (said[m.kind] | (m["motility.speed"] > 0.0)) & (m["vital"] == LIVE)


def _motility(m: Moment) -> np.ndarray:
    """Velocity since the last turn: with the speed of that moment where the numerics keeps it."""
    kept = m.read("motility.vector")
    return (
        m["motility.heading"].reshape(m.n, 3) * m["motility.speed"][:, None]
        if kept is None
        else np.asarray(kept, float)
    )


def _cue(m: Moment) -> np.ndarray:
    return m["motility.cue"].reshape(m.n, len(m.factors)) if m.has("motility.cue") else np.zeros((m.n, len(m.factors)))


def _cue_index(m: Moment) -> np.ndarray:
    cue = _cue(m)
    return np.argmax(cue != 0.0, axis=1) if cue.shape[1] else np.zeros(m.n)


def _cue_direction(m: Moment) -> np.ndarray:
    cue = _cue(m)
    chosen = cue[np.arange(m.n), _cue_index(m).astype(int)] if cue.shape[1] else np.zeros(m.n)
    return np.where(chosen < 0.0, -1.0, 1.0)


def _export(m: Moment) -> np.ndarray:
    """Amounts of molar factors as concentration times um^3."""
    return m["secretion.rate"].reshape(m.n, len(m.factors)) * np.array(
        [concentration_per_amount(u) for u in m.factors.values()]
    )


def _upward(m: Moment) -> np.ndarray:
    return np.tile([0.0, 0.0, 1.0], (m.n, 1))


ROWS = (
    Row("ID", "", "none", "id"),
    Row("position", "xyz", "microns", "position"),
    Row("total_volume", "", "cubic microns", "volume.total"),
    Row("cell_type", "", "none", lambda m: m.kind.astype(float)),
    Row("cycle_model", "", "none", _code(0)),
    Row("current_phase", "", "none", _code(1)),
    Row("elapsed_time_in_phase", "", "min", "elapsed"),
    Row("nuclear_volume", "", "cubic microns", "volume.nuclear"),
    Row("cytoplasmic_volume", "", "cubic microns", lambda m: m["volume.total"] - m["volume.nuclear"]),
    Row("fluid_fraction", "", "none", lambda m: m["volume.fluid"] / (1e-16 + m["volume.total"])),
    Row("calcified_fraction", "", "none", "volume.calcified_fraction"),
    Row("orientation", "xyz", "none", _upward),
    Row("polarity", "", "none", lambda m: np.full(m.n, float(m.grid.is_2d))),
    Row("velocity", "xyz", "micron/min", _number(0.0, 3)),
    Row("pressure", "", "none", "sense.pressure"),
    Row("number_of_nuclei", "", "none", _when_known("fusion.nuclei", 1.0)),
    Row("total_attack_time", "", "min", "sense.attacked"),
    Row("contact_with_basement_membrane", "", "none", _number(0.0)),
    Row("current_cycle_phase_exit_rate", "", "1/min", _exit_rate),
    Row("elapsed_time_in_phase", "", "min", "elapsed"),
    Row("dead", "", "none", lambda m: (m["vital"] != LIVE).astype(float)),
    Row("current_death_model", "", "none", lambda m: (m["vital"] > APOPTOTIC).astype(float)),
    Row("death_rates", "death", "1/min", lambda m: np.stack([m["death.apoptosis"], m["death.necrosis"]], axis=1)),
    Row("cytoplasmic_biomass_change_rate", "", "1/min", _change("cytoplasm_change")),
    Row("nuclear_biomass_change_rate", "", "1/min", _change("nucleus_change")),
    Row("fluid_change_rate", "", "1/min", _change("fluid_change")),
    Row("calcification_rate", "", "1/min", _change("calcification")),
    Row("target_solid_cytoplasmic", "", "cubic microns", _target_cytoplasm),
    Row("target_solid_nuclear", "", "cubic microns", "volume.target_nuclear"),
    Row("target_fluid_fraction", "", "none", _target_fluid),
    Row("radius", "", "microns", "radius"),
    Row("nuclear_radius", "", "microns", lambda m: radius_of(m["volume.nuclear"])),
    Row("surface_area", "", "square microns", lambda m: 4.0 * np.pi * m["radius"] ** 2),
    Row("cell_cell_adhesion_strength", "", "micron/min", "mechanics.adhesion"),
    Row("cell_BM_adhesion_strength", "", "micron/min", _when_known("mechanics.membrane_adhesion", 4.0)),
    Row("cell_cell_repulsion_strength", "", "micron/min", "mechanics.repulsion"),
    Row("cell_BM_repulsion_strength", "", "micron/min", _when_known("mechanics.membrane_repulsion", 100.0)),
    Row("cell_adhesion_affinities", "type", "none", "mechanics.affinity"),
    Row("relative_maximum_adhesion_distance", "", "none", "mechanics.adhesion_distance"),
    Row("maximum_number_of_attachments", "", "none", "springs.maximum"),
    Row("attachment_elastic_constant", "", "1/min", "springs.elastic"),
    Row("attachment_rate", "", "1/min", "springs.attachment"),
    Row("detachment_rate", "", "1/min", "springs.detachment"),
    Row("is_motile", "", "none", lambda m: _is_motile(m).astype(float)),
    Row("persistence_time", "", "min", "motility.persistence"),
    Row("migration_speed", "", "micron/min", "motility.speed"),
    Row("migration_bias_direction", "xyz", "none", _when_known("motility.bias_direction", 0.0, "xyz")),
    Row("migration_bias", "", "none", "motility.bias"),
    Row("motility_vector", "xyz", "micron/min", _motility),
    Row("chemotaxis_index", "", "none", _cue_index),
    Row("chemotaxis_direction", "", "none", _cue_direction),
    Row("chemotactic_sensitivities", "factor", "none", "motility.sensitivity"),
    Row("secretion_rates", "factor", "1/min", "secretion.approach"),
    Row("uptake_rates", "factor", "1/min", "secretion.uptake"),
    Row("saturation_densities", "factor", "stuff/cubic micron", "secretion.target"),
    Row("net_export_rates", "factor", "stuff/min", _export),
    Row("internalized_total_substrates", "factor", "stuff", _when_known("secretion.internalised", 0.0, "factor")),
    Row("fraction_released_at_death", "factor", "none", _when_known("secretion.released", 0.0, "factor")),
    Row("fraction_transferred_when_ingested", "factor", "none", _when_known("secretion.transferred", 1.0, "factor")),
    Row("apoptotic_phagocytosis_rate", "", "1/min", "phagocytosis.apoptotic"),
    Row("necrotic_phagocytosis_rate", "", "1/min", "phagocytosis.necrotic"),
    Row("other_dead_phagocytosis_rate", "", "1/min", _when_known("phagocytosis.other_dead", 0.0)),
    Row("live_phagocytosis_rates", "type", "1/min", "phagocytosis.live"),
    Row("attack_rates", "type", "1/min", "attack.rate"),
    Row("immunogenicities", "type", "none", "attack.immunogenicity"),
    Row("attack_target", "", "none", "attack.target"),
    Row("attack_damage_rate", "", "1/min", "attack.damage_rate"),
    Row("attack_duration", "", "min", "attack.duration"),
    Row("attack_total_damage_delivered", "", "none", _when_known("attack.delivered", 0.0)),
    Row("fusion_rates", "type", "1/min", "fusion.rate"),
    Row("transformation_rates", "type", "1/min", "transformation.rate"),
    Row("asymmetric_division_probabilities", "type", "none", "division.asymmetric"),
    Row("damage", "", "none", "damage.level"),
    Row("damage_rate", "", "1/min", "damage.rate"),
    Row("damage_repair_rate", "", "1/min", "damage.repair"),
)


def custom_variables(columns: Iterable[str]) -> dict[str, list[str]]:
    """Name of each custom variable -> its columns; `custom.x[0]`, `custom.x[1]`, ... are one vector x.

    >>> custom_variables(["custom.load", "custom.x[0]", "custom.x[1]"])
    {'load': ['custom.load'], 'x': ['custom.x[0]', 'custom.x[1]']}
    """
    out: dict[str, list[str]] = {}
    for column in columns:
        if column.startswith("custom."):
            out.setdefault(PLACE.sub("", column.removeprefix("custom.")), []).append(column)
    return out


def rows_of(moment: Moment) -> tuple[Row, ...]:
    """All rows of a model: the common ones, then its own custom variables, numbers before vectors."""
    entries = moment.model.names.columns
    own = custom_variables(entries)
    unit = {
        name: "none" if entries[columns[0]].unit == "1" else entries[columns[0]].unit for name, columns in own.items()
    }
    numbers = [Row(name, "", unit[name], columns[0]) for name, columns in own.items() if len(columns) == 1]
    vectors = [
        Row(name, "own", unit[name], _together(columns), len(columns))
        for name, columns in own.items()
        if len(columns) > 1
    ]
    return (*ROWS, *numbers, *vectors)


def _together(columns: Sequence[str]) -> Get:
    return lambda m: np.stack([m[c] for c in columns], axis=1)


def flat(moment: Moment) -> Iterator[tuple[str, np.ndarray]]:
    """(heading, (cell,) values): vectors as label[0], label[1], ..., one of length 1 and scalars under the bare label,
    no label twice."""
    seen = set()
    for row in rows_of(moment):
        if row.label in seen:
            continue
        seen.add(row.label)
        values = row.values(moment)
        for k in range(values.shape[1]):
            yield row.label if values.shape[1] == 1 else f"{row.label}[{k}]", values[:, k]
