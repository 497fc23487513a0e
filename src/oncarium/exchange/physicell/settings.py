"""A Model as PhysiCell's settings: PhysiCell_settings.xml, cell_rules.csv and cells.csv, for what these files can
say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as xml

from ...errors import DataError, InputError
from ...model.environment import FACES
from ...model.model import Model
from ...model.rows import Row
from . import files
from .definition import define
from .rules_and_cells import cells_text, rules_text, scattered
from .wording import Wording, put

FILES = ("PhysiCell_settings.xml", "cell_rules.csv", "cells.csv")
STEPS = (0.01, 0.1)  # min: steps of diffusion and mechanics for models that have clocks of their own


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
    wording = Wording(model)
    writer = _Writer(wording, placed)
    texts = {name: text.encode() for name, text in writer.tables.items() if text}
    content = files.document(writer.settings(), "    ")
    try:
        files.write(folder, {FILES[0]: content, **texts})
    except OSError as error:
        raise DataError.of(error, folder, "the settings cannot be written") from None
    return wording.notices


class _Writer:
    """Writes the document; tables, the texts of cell_rules.csv and cells.csv, come first."""

    def __init__(self, wording: Wording, placed: Sequence[Row] | None):
        self.words, self.model, self.note, self.value = wording, wording.model, wording.note, wording.value
        self.tables = {FILES[1]: rules_text(wording), FILES[2]: cells_text(wording, placed)}
        self.scattered = scattered(wording) if placed is None else 0

    def settings(self) -> xml.Element:
        """The whole document."""
        m = self.model
        root = xml.Element("PhysiCell_settings", version="1.14.2")
        domain = put(root, "domain")
        for k, axis in enumerate("xyz"):
            put(domain, f"{axis}_min", float(m.domain.lower[k]))
            put(domain, f"{axis}_max", float(m.domain.upper[k]))
        for axis, size in zip("xyz", m.domain.voxel):
            put(domain, f"d{axis}", float(size))
        put(domain, "use_2D", m.domain.is_2d)
        if len(set(m.domain.voxel)) > 1:
            self.note("voxels are not cubes: PhysiCell's solver takes dx for all three sizes")
        overall = put(root, "overall")
        put(overall, "max_time", float(m.until), units="min")
        put(overall, "time_units", "min")
        put(overall, "space_units", "micron")
        steps = (m.clock.transport, m.clock.mechanics, m.clock.phenotype)
        if m.numerics != "physicell":
            steps = (*STEPS, m.clock.phenotype)
            said = f"{STEPS[0]:g} and {STEPS[1]:g} min, which the files' numerics needs"
            self.note(f"the clocks of diffusion and mechanics become {said}")
        for name, step in zip(("diffusion", "mechanics", "phenotype"), steps):
            put(overall, f"dt_{name}", float(step), units="min")
        put(put(root, "parallel"), "omp_num_threads", 4)
        save = put(root, "save")
        put(save, "folder", "output")
        full = put(save, "full_data")
        put(full, "interval", float(m.record.cells), units="min")
        put(full, "enable", True)
        picture = put(save, "SVG")
        put(picture, "interval", 60.0, units="min")
        put(picture, "enable", False)
        put(put(save, "legacy_data"), "enable", False)
        options = put(root, "options")
        walls = {self.value(t, "mechanics.wall") for t in m.types}
        if len(walls) > 1 or walls - {0.0, 100.0}:
            self.note("walls are on for all types or for none, with 100 um/min")
        put(options, "virtual_wall_at_domain_edge", bool(walls - {0.0}))
        springs = "springs.active" in self.words.columns
        bonds = {self.value(t, "springs.active") > 0.5 for t in m.types} if springs else {True}
        if len(bonds) > 1:
            self.note("springs between cells are on for all types or for none")
        put(options, "disable_automated_spring_adhesions", True not in bonds)
        put(options, "random_seed", m.seed)
        if m.record.fields != m.record.cells:
            self.note("fields are recorded as often as cells")
        self._environment(root)
        group = put(root, "cell_definitions")
        for k, cell in enumerate(m.types):
            define(self.words, put(group, "cell_definition", name=cell.name, ID=k), cell)
        if m.processes:
            self.note("mechanisms of your own are not in the files")
        group, told = put(root, "initial_conditions"), bool(self.tables[FILES[2]])
        positions = put(group, "cell_positions", type="csv", enabled=told)
        put(positions, "folder", "./config")
        put(positions, "filename", FILES[2])
        group, told = put(put(root, "cell_rules"), "rulesets"), bool(self.tables[FILES[1]])
        rules = put(group, "ruleset", protocol="CBHG", version="3.0", format="csv", enabled=told)
        put(rules, "folder", "./config")
        put(rules, "filename", FILES[1])
        put(put(root, "user_parameters"), "number_of_cells", self.scattered, type="int", units="none")
        return root

    def _environment(self, root: xml.Element) -> None:
        group = put(root, "microenvironment_setup")
        for k, f in enumerate(self.model.factors):
            unit = "dimensionless" if f.unit == "1" else f.unit
            variable = put(group, "variable", name=f.name, units=unit, ID=k)
            numbers = put(variable, "physical_parameter_set")
            put(numbers, "diffusion_coefficient", float(f.diffusion), units="micron^2/min")
            put(numbers, "decay_rate", float(f.decay), units="1/min")
            put(variable, "initial_condition", float(f.initial), units=unit)
            sides = {face: b for face, b in f.boundary.items() if b.condition != "no-flux"}
            put(variable, "Dirichlet_boundary_condition", 0.0, units=unit, enabled=bool(sides))
            faces = put(variable, "Dirichlet_options")
            for face in FACES:
                side = sides.get(face)
                put(faces, "boundary_value", float(side.value) if side else 0.0, ID=face, enabled=bool(side))
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
        options = put(group, "options")
        put(options, "calculate_gradients", True)
        put(options, "track_internalized_substrates_in_each_agent", bool(self.model.internalise))
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
        given = put(options, "initial_condition", type="matlab" if table.suffix == ".mat" else "csv", enabled=True)
        put(given, "filename", str(table.resolve()))
