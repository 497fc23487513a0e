"""A Model as PhysiCell's settings: PhysiCell_settings.xml, cell_rules.csv and cells.csv, for what these files can
say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import numpy as np

from ...biology.secretion import concentration_per_amount
from ...errors import DataError, InputError
from ...model.cell import CellType
from ...model.environment import FACES
from ...model.initial import Placement, Row
from ...model.model import Model
from ...model.physicell.dictionary import Dictionary
from ...model.physicell.phenotype import Key
from ...model.physicell.tags import DEAD_PARTS, MECHANICS, MOTILITY, SECRETION, VOLUME
from ...run.build import pack, scatter
from .csv import cell_text
from .labels import CYCLES, custom_variables

FILES = ("PhysiCell_settings.xml", "cell_rules.csv", "cells.csv")
CYCLE_NAMES = {0: "Ki67 (advanced)", 1: "Ki67 (basic)", 2: "Flow cytometry model (basic)", 5: "Live", 6: "Flow cytometry model (separated)",
               7: "Cycling-Quiescent model"}  # fmt: skip
STEPS = (0.01, 0.1)  # min: steps of diffusion and mechanics for models that have clocks of their own
KINDS = {"uniform": ("Uniform", ("min", "max")), "loguniform": ("LogUniform", ("min", "max")), "normal": ("Normal", ("mu", "sigma")),
         "lognormal": ("LogNormal", ("mu", "sigma")), "log10normal": ("Log10Normal", ("mu", "sigma"))}  # fmt: skip
LIVE_RATES = (("live_phagocytosis_rates", "phagocytosis_rate", "phagocytosis.live"), ("attack_rates", "attack_rate", "attack.rate"),
              ("fusion_rates", "fusion_rate", "fusion.rate"))  # fmt: skip
# columns the files have no place for, and what a reader of them takes instead
FIXED = {
    "attack.immunogenicity": 1.0,
    "secretion.released": 0.0,
    "secretion.transferred": 1.0,
    "mechanics.movable": 1.0,
    "metabolism.consumption": 0.0,
}


def write(model: Model, folder: str | Path, placed: Sequence[Row] | None = None) -> list[str]:
    """Write the files into a folder; returns what they cannot say. Raises InputError where settings lie already.

    placed   (type, x, y, z) um of the cells at the start, where they are known better than from the model

    >>> import oncarium as oc
    >>> notices = write(oc.Model.from_text(oc.EXAMPLE), "settings")
    >>> oc.load("settings/PhysiCell_settings.xml").types[0].name
    'tumor'
    """
    folder = Path(folder)
    if (folder / FILES[0]).exists():
        raise InputError(str(folder / FILES[0]), "settings lie here already.", remedy="Choose another folder.")
    writer = _Writer(model, placed)
    root = writer.settings()
    xml.indent(root, "    ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES[0]).write_bytes(xml.tostring(root, encoding="utf-8", xml_declaration=True))
        for name, text in ((FILES[1], writer.rules_text), (FILES[2], writer.cells_text)):
            if text:
                (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(str(folder), f"the settings cannot be written: {error.strerror}.") from None
    return writer.notices


def _put(parent: xml.Element, tag: str, text: Any = None, **attributes: Any) -> xml.Element:
    child = xml.SubElement(parent, tag, {k: _say(v) for k, v in attributes.items()})
    if text is not None:
        child.text = _say(text)
    return child


def _say(value: Any) -> str:
    """A value as text; numbers so that they read back exactly."""
    return (
        str(value).lower()
        if isinstance(value, bool | np.bool_)
        else repr(float(value))
        if isinstance(value, float)
        else str(value)
    )


class _Writer:
    def __init__(self, model: Model, placed: Sequence[Row] | None):
        self.model = model
        self.placed = placed
        self.factors = [f.name for f in model.factors]
        self.types = [t.name for t in model.types]
        self.columns = model.names.columns
        self.custom = [c for c in self.columns if c.startswith("custom.")]
        self.words = Dictionary(self.factors, self.types, [c.removeprefix("custom.") for c in self.custom])
        self.per_amount = {f.name: concentration_per_amount(f.unit) for f in model.factors}
        self.notices: list[str] = []
        self.rules_text = self._rules()
        self.cells_text = self._cells()

    def note(self, text: str) -> None:
        """Say once what is lost on the way."""
        if text not in self.notices:
            self.notices.append(text)

    def value(self, cell: CellType, column: str, label: str | None = None) -> float:
        """A column's value in the units of the files: amounts as concentration times um^3."""
        number = float(cell.value(self.columns[column], label))
        return number * self.per_amount[label] if column == "secretion.rate" and label else number

    # -- the settings -----------------------------------------------------------------------------------------------

    def settings(self) -> xml.Element:
        """The whole document."""
        m = self.model
        root = xml.Element("PhysiCell_settings", version="1.14.2")
        domain = _put(root, "domain")
        for k, axis in enumerate("xyz"):
            _put(domain, f"{axis}_min", float(m.domain.lower[k]))
            _put(domain, f"{axis}_max", float(m.domain.upper[k]))
        for axis, size in zip("xyz", m.domain.voxel):
            _put(domain, f"d{axis}", float(size))
        _put(domain, "use_2D", m.domain.is_2d)
        if len(set(m.domain.voxel)) > 1:
            self.note("voxels are not cubes: PhysiCell's solver takes dx for all three sizes")
        overall = _put(root, "overall")
        _put(overall, "max_time", float(m.until), units="min")
        _put(overall, "time_units", "min")
        _put(overall, "space_units", "micron")
        steps = (m.clock.transport, m.clock.mechanics, m.clock.phenotype)
        if m.numerics != "physicell":
            steps = (*STEPS, m.clock.phenotype)
            self.note(
                f"the clocks of diffusion and mechanics become {STEPS[0]:g} and {STEPS[1]:g} min, which the files' numerics needs"
            )
        for name, step in zip(("diffusion", "mechanics", "phenotype"), steps):
            _put(overall, f"dt_{name}", float(step), units="min")
        _put(_put(root, "parallel"), "omp_num_threads", 4)
        save = _put(root, "save")
        _put(save, "folder", "output")
        full = _put(save, "full_data")
        _put(full, "interval", float(m.record.cells), units="min")
        _put(full, "enable", True)
        picture = _put(save, "SVG")
        _put(picture, "interval", 60.0, units="min")
        _put(picture, "enable", False)
        _put(_put(save, "legacy_data"), "enable", False)
        options = _put(root, "options")
        walls = {self.value(t, "mechanics.wall") for t in m.types}
        if len(walls) > 1 or walls - {0.0, 100.0}:
            self.note("walls are on for all types or for none, with 100 um/min")
        _put(options, "virtual_wall_at_domain_edge", bool(walls - {0.0}))
        bonds = {self.value(t, "springs.active") > 0.5 for t in m.types} if "springs.active" in self.columns else {True}
        if len(bonds) > 1:
            self.note("springs between cells are on for all types or for none")
        _put(options, "disable_automated_spring_adhesions", True not in bonds)
        _put(options, "random_seed", m.seed)
        if m.record.fields != m.record.cells:
            self.note("fields are recorded as often as cells")
        self._environment(root)
        group = _put(root, "cell_definitions")
        for k, cell in enumerate(m.types):
            self._definition(_put(group, "cell_definition", name=cell.name, ID=k), cell)
        if m.processes:
            self.note("mechanisms of your own are not in the files")
        positions = _put(_put(root, "initial_conditions"), "cell_positions", type="csv", enabled=bool(self.cells_text))
        _put(positions, "folder", "./config")
        _put(positions, "filename", FILES[2])
        rules = _put(
            _put(_put(root, "cell_rules"), "rulesets"),
            "ruleset",
            protocol="CBHG",
            version="3.0",
            format="csv",
            enabled=bool(self.rules_text),
        )
        _put(rules, "folder", "./config")
        _put(rules, "filename", FILES[1])
        _put(_put(root, "user_parameters"), "number_of_cells", self.scattered, type="int", units="none")
        return root

    def _environment(self, root: xml.Element) -> None:
        group = _put(root, "microenvironment_setup")
        for k, f in enumerate(self.model.factors):
            unit = "dimensionless" if f.unit == "1" else f.unit
            variable = _put(group, "variable", name=f.name, units=unit, ID=k)
            numbers = _put(variable, "physical_parameter_set")
            _put(numbers, "diffusion_coefficient", float(f.diffusion), units="micron^2/min")
            _put(numbers, "decay_rate", float(f.decay), units="1/min")
            _put(variable, "initial_condition", float(f.initial), units=unit)
            sides = {face: b for face, b in f.boundary.items() if b.condition != "no-flux"}
            _put(variable, "Dirichlet_boundary_condition", 0.0, units=unit, enabled=bool(sides))
            faces = _put(variable, "Dirichlet_options")
            for face in FACES:
                side = sides.get(face)
                _put(faces, "boundary_value", float(side.value) if side else 0.0, ID=face, enabled=bool(side))
            if any(b.condition == "value" for b in sides.values()):
                self.note(f"{f.name}: a value at a face becomes a value held in the outermost voxels")
            if any(b.condition == "exchange" for b in sides.values()):
                self.note(f"{f.name}: exchange through a face becomes its outside value held in the outermost voxels")
            if f.held:
                self.note(f"{f.name}: voxels held inside the domain are left out")
            if f.michaelis is not None:
                self.note(f"{f.name}: saturable consumption is left out")
            if f.unit not in ("1", "mmHg"):
                self.note(f"{f.name}: its unit {f.unit} is a label only, which PhysiCell never converts")
        options = _put(group, "options")
        _put(options, "calculate_gradients", True)
        _put(options, "track_internalized_substrates_in_each_agent", bool(self.model.internalise))
        if any(f.initial_table for f in self.model.factors):
            if self.model.folder is None:
                self.note("the table of initial concentrations does not lie with the run")
            else:
                self._initial_fields(options, self.model.folder)

    def _initial_fields(self, options: xml.Element, folder: Path) -> None:
        """Fields that start from a table keep pointing to it, where one table serves them all."""
        tables = {f.initial_table for f in self.model.factors if f.initial_table}
        if len(tables) > 1:
            self.note(f"the files have room for one table of initial concentrations, not for {len(tables)}")
        table = folder / sorted(tables)[0]
        given = _put(options, "initial_condition", type="matlab" if table.suffix == ".mat" else "csv", enabled=True)
        _put(given, "filename", str(table.resolve()))

    # -- a cell type ------------------------------------------------------------------------------------------------

    def _definition(self, group: xml.Element, cell: CellType) -> None:
        self._check_fixed(cell)
        phenotype = _put(group, "phenotype")
        self._cycle(phenotype, cell)
        death = _put(phenotype, "death")
        for code, kind in ((100, "apoptosis"), (101, "necrosis")):
            model = _put(death, "model", code=code, name=kind)
            _put(model, "death_rate", self.value(cell, f"death.{kind}"), units="1/min")
            durations = _put(model, "phase_durations", units="min")
            if kind == "necrosis":
                _put(
                    durations, "duration", self.value(cell, "necrosis.swelling_duration"), index=0, fixed_duration=True
                )
            fixed = self.value(cell, f"{kind}.fixed") > 0.5
            _put(
                durations,
                "duration",
                self.value(cell, f"{kind}.duration"),
                index=int(kind == "necrosis"),
                fixed_duration=fixed,
            )
            numbers = _put(model, "parameters")
            for tag, column in DEAD_PARTS[kind].items():
                _put(numbers, tag, self.value(cell, column) if column else 0.0)
        self._table(_put(phenotype, "volume"), cell, VOLUME)
        mechanics = _put(phenotype, "mechanics")
        whole = {"maximum_number_of_attachments"}
        for tag, column in MECHANICS.items():
            if column in self.columns:
                number = self.value(cell, column)
                _put(mechanics, tag, int(number) if tag in whole else number)
        self._named(mechanics, cell, "cell_adhesion_affinities", "cell_adhesion_affinity", "mechanics.affinity")
        self._motility(phenotype, cell)
        secretion = _put(phenotype, "secretion")
        for name in self.factors:
            one = _put(secretion, "substrate", name=name)
            for tag, column in SECRETION.items():
                _put(one, tag, self.value(cell, column, name))
        self._contacts(phenotype, cell)
        integrity = _put(phenotype, "cell_integrity")
        self._table(integrity, cell, {"damage_rate": "damage.rate", "damage_repair_rate": "damage.repair"})
        data = _put(group, "custom_data")
        for name, columns in custom_variables(self.custom).items():
            entry, values = self.columns[columns[0]], [self.value(cell, c) for c in columns]
            unit = "dimensionless" if entry.unit == "1" else entry.unit
            _put(data, name, values[0] if len(values) == 1 else ",".join(map(_say, values)), conserved=columns[0] in self.model.conserved,
                 units=unit, description=entry.doc)  # fmt: skip
        self._distributions(group, cell)

    def _check_fixed(self, cell: CellType) -> None:
        for column, taken in FIXED.items():
            if column in self.columns and column in cell.values:
                given = cell.values[column]
                if any(float(v) != taken for v in (given.values() if isinstance(given, Mapping) else [given])):
                    self.note(f"{cell.name}: {column} cannot be said; {taken:g} is what holds")

    def _table(self, group: xml.Element, cell: CellType, table: Mapping[str, str]) -> None:
        for tag, column in table.items():
            _put(group, tag, self.value(cell, column))

    def _named(self, parent: xml.Element, cell: CellType, tag: str, item: str, column: str) -> None:
        group = _put(parent, tag)
        for name in self.types:
            number = self.value(cell, column, name)
            if number or column == "mechanics.affinity":
                _put(group, item, number, name=name)

    def _cycle(self, phenotype: xml.Element, cell: CellType) -> None:
        code = CYCLES[cell.cycle.name][0]
        cycle = _put(phenotype, "cycle", code=code, name=CYCLE_NAMES[code])
        rates = _put(cycle, "phase_transition_rates", units="1/min")
        exits = list(zip(cell.exit, cell.fixed)) or [(0.0, False)]
        for k, (rate, fixed) in enumerate(exits):
            _put(rates, "rate", float(rate), start_index=k, end_index=(k + 1) % len(exits), fixed_duration=bool(fixed))
        shares = {t: self.value(cell, "division.asymmetric", t) for t in self.types}
        if any(shares.values()):
            group = _put(cycle, "standard_asymmetric_division", enabled=True)
            for name, share in shares.items():
                _put(group, "asymmetric_division_probability", share, name=name)

    def _motility(self, phenotype: xml.Element, cell: CellType) -> None:
        motility = _put(phenotype, "motility")
        self._table(motility, cell, MOTILITY)
        options = _put(motility, "options")
        speed = self.value(cell, "motility.speed")
        ruled = any(r.behavior[0] == "motility.speed" for r in cell.rules)
        said = any(c.startswith("motility.") for c in cell.values) or speed > 0.0 or ruled
        _put(options, "enabled", self.value(cell, "motility.active") > 0.5 and said)
        _put(options, "use_2D", self.model.domain.is_2d or self.value(cell, "motility.planar") > 0.5)
        if not self.factors:
            return
        cues = {f: self.value(cell, "motility.cue", f) for f in self.factors}
        cue = next((f for f, sign in cues.items() if sign), None)
        led = self.value(cell, "motility.advanced")
        simple = _put(options, "chemotaxis")
        _put(simple, "enabled", cue is not None and led == 0.0)
        _put(simple, "substrate", cue or self.factors[0])
        _put(simple, "direction", int(np.sign(cues[cue])) if cue else 0)
        weights = {f: self.value(cell, "motility.sensitivity", f) for f in self.factors}
        advanced = _put(options, "advanced_chemotaxis")
        _put(advanced, "enabled", led == 1.0)
        _put(advanced, "normalize_each_gradient", bool(cell.normalized))
        group = _put(advanced, "chemotactic_sensitivities")
        for name, weight in weights.items():
            _put(group, "chemotactic_sensitivity", weight, substrate=name)

    def _contacts(self, phenotype: xml.Element, cell: CellType) -> None:
        group = _put(phenotype, "cell_interactions")
        for kind in ("apoptotic", "necrotic", "other_dead"):
            _put(group, f"{kind}_phagocytosis_rate", self.value(cell, f"phagocytosis.{kind}"), units="1/min")
        for tag, item, column in LIVE_RATES:
            self._named(group, cell, tag, item, column)
        _put(group, "attack_damage_rate", self.value(cell, "attack.damage_rate"), units="1/min")
        _put(group, "attack_duration", self.value(cell, "attack.duration"), units="min")
        self._named(
            _put(phenotype, "cell_transformations"),
            cell,
            "transformation_rates",
            "transformation_rate",
            "transformation.rate",
        )

    def _distributions(self, group: xml.Element, cell: CellType) -> None:
        if not cell.distributions:
            return
        several = _put(group, "initial_parameter_distributions", enabled=True)
        for d in cell.distributions:
            name = "volume" if d.column == "volume.total" else self._behavior(cell, d.column, d.label)
            if name is None:
                self.note(f"{cell.name}: a distribution of {d.column} cannot be said")
                continue
            kind, tags = KINDS[d.kind]
            one = _put(several, "distribution", enabled=True, type=kind, check_base=False)
            _put(one, "behavior", name)
            for tag, number in zip(tags, d.parameters):
                _put(one, tag, float(number))
            for tag, bound in (("lower_bound", d.low), ("upper_bound", d.high)):
                if np.isfinite(bound):
                    _put(one, tag, float(bound))

    # -- rules and cells --------------------------------------------------------------------------------------------

    def _behavior(self, cell: CellType | None, column: str, label: str | None) -> str | None:
        if column == "cycle.exit" and label is not None:
            phases = cell.cycle.phases if cell else ()
            number = phases.index(label) if label in phases else int(label) if label.isdigit() else -1
            return "cycle entry" if number == 0 else f"exit from cycle phase {number}" if number > 0 else None
        return self.words.behavior_name(column, label)

    def _rules(self) -> str:
        lines = []
        for name, rule in self.model.rules:
            cell = self.model.type(name)
            signal, behavior = self.words.signal_name(*rule.signal), self._behavior(cell, *rule.behavior)
            if signal is None or behavior is None:
                word = ".".join(str(w) for w in (rule.signal if signal is None else rule.behavior) if w)
                self.note(f"{name}: '{rule.text}' is left out, since the files have no word for {word}")
                continue
            scale = (
                self.per_amount[rule.behavior[1]] if rule.behavior[0] == "secretion.rate" and rule.behavior[1] else 1.0
            )
            verb = "increases" if rule.increases else "decreases"
            numbers = [_say(float(v)) for v in (rule.value * scale, rule.half, rule.hill)]
            lines.append(
                ",".join([*(cell_text(t) for t in (name, signal, verb, behavior)), *numbers, str(int(rule.dead))])
            )
        return "".join(f"{line}\n" for line in lines)

    def _everywhere(self) -> list[Placement]:
        """Placements at random in the whole domain."""
        return [
            p
            for p in self.model.placements
            if p.count is not None and p.region is not None and p.region.kind == "everywhere"
        ]

    @property
    def scattered(self) -> int:
        """Cells of each type that are placed at random in the whole domain, where the model says the same number for
        every type."""
        counts = {p.type: p.count for p in self._everywhere()}
        same = (
            set(counts.values())
            if len(counts) == len(self.types) == len(self._everywhere()) and self.placed is None
            else set()
        )
        return next(iter(same)) or 0 if len(same) == 1 else 0

    def _cells(self) -> str:
        """The table of cells: rows of tables as they are, regions as the places their cells have with the model's
        seed."""
        placements = (
            self.model.placements if self.placed is None else [Placement("", table="given", rows=tuple(self.placed))]
        )
        names: dict[Key, str] = {}
        for column, label in dict.fromkeys(key for p in placements for key in p.values):
            name = "volume" if column == "volume.total" else self._behavior(None, column, label)
            if name is None:
                self.note(f"values of {column} for single cells cannot be said")
            else:
                names[(column, label)] = name
        skipped, first = self._everywhere() if self.scattered else [], 0
        lines: list[str] = []
        for p in placements:
            if p in skipped:
                first += p.count or 0
                continue
            rows = p.rows if p.table else self._places(p, first)
            for k, (name, *xyz) in enumerate(rows):
                more = [p.values[key][k] if key in p.values else math.nan for key in names]
                lines.append(
                    ",".join(
                        [
                            *(_say(float(v)) for v in xyz),
                            cell_text(name),
                            *("" if math.isnan(v) else _say(float(v)) for v in more),
                        ]
                    )
                )
            first += len(rows)
        head = ",".join(["x,y,z,type", *(cell_text(n) for n in names.values())])
        return "".join(f"{line}\n" for line in (head, *lines)) if lines else ""

    def _places(self, p: Placement, first: int) -> list[Row]:
        """Where the cells of a region lie with the model's seed; first: how many were placed before."""
        position = (
            scatter(p, self.model.domain, self.model.seed, first) if p.count is not None else pack(p, self.model.domain)
        )
        self.note("cells of regions are written where they lie with the model's seed")
        return [(p.type, float(x), float(y), float(z)) for x, y, z in position]
