"""Small settings files to read: a template with holes, and the model or the problems it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

DOMAIN = """<x_min>-100</x_min><x_max>100</x_max><y_min>-60</y_min><y_max>60</y_max><z_min>-10</z_min><z_max>10</z_max>
<dx>20</dx><dy>20</dy><dz>20</dz><use_2D>true</use_2D>"""
OVERALL = """<max_time units="min">60</max_time><time_units>min</time_units><space_units>micron</space_units>
<dt_diffusion>0.01</dt_diffusion><dt_mechanics>0.1</dt_mechanics><dt_phenotype>6</dt_phenotype>"""
OXYGEN = """<variable name="oxygen" units="mmHg" ID="0"><physical_parameter_set>\
<diffusion_coefficient>1000</diffusion_coefficient>
<decay_rate>0.1</decay_rate></physical_parameter_set><initial_condition>38</initial_condition>
<Dirichlet_boundary_condition enabled="false">0</Dirichlet_boundary_condition></variable>"""
OPTIONS = "<random_seed>7</random_seed>"
TWO_CELLS = '<cell_definition name="tumor" ID="0"/><cell_definition name="T cell" ID="1"/>'
ENVIRONMENT = "<track_internalized_substrates_in_each_agent>false</track_internalized_substrates_in_each_agent>"


def settings(
    domain: str = DOMAIN,
    overall: str = OVERALL,
    save: str = '<full_data><interval units="min">30</interval><enable>true</enable></full_data>',
    options: str = OPTIONS,
    substrates: str = OXYGEN,
    environment: str = ENVIRONMENT,
    cells: str = TWO_CELLS,
    rest: str = "",
) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<PhysiCell_settings version="devel-version">
<domain>{domain}</domain>
<overall>{overall}</overall>
<save>{save}</save>
<options>{options}</options>
<microenvironment_setup>{substrates}<options>{environment}</options></microenvironment_setup>
<cell_definitions>{cells}</cell_definitions>
{rest}
</PhysiCell_settings>
"""


def cell(phenotype: str, name: str = "tumor", number: int = 0, rest: str = "", parent: str = "") -> str:
    inherits = f' parent_type="{parent}"' if parent else ""
    return (
        f'<cell_definition name="{name}" '
        f'ID="{number}"{inherits}><phenotype>{phenotype}</phenotype>{rest}</cell_definition>'
    )


def write(folder: Path, text: str, **files: str) -> Path:
    """A settings file and its tables; returns the path of the XML."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("_csv", ".csv")).write_text(content, encoding="utf-8")
    path = folder / "model.xml"
    path.write_text(text, encoding="utf-8")
    return path


def read(
    folder: Path,
    text: str,
    numerics: str | None = None,
    compat: str | None = None,
    ignore: tuple[str, ...] = (),
    **files: str,
) -> Model:
    return Model.load(write(folder, text, **files), (), numerics, compat, ignore)


def refused(folder: Path, text: str, **files: str) -> str:
    """The message of a settings file that must not run."""
    with pytest.raises(ModelError) as error:
        read(folder, text, **files)
    return str(error.value)


def told(model: Model) -> str:
    """All warnings and notices as one text."""
    return "\n".join(f"{p.severity}: {p}" for p in model.problems)


def value(model: Model, kind: str, column: str, label: str | None = None) -> float:
    return model.type(kind).value(model.names.columns[column], label)


CELLS = '<cell_positions type="csv" enabled="true"><folder>.</folder><filename>cells.csv</filename></cell_positions>'
WITH_CELLS = f"<initial_conditions>{CELLS}</initial_conditions>"


def with_rules(version: str = "3.0", file: str = "rules.csv") -> str:
    return (
        f'<cell_rules><rulesets><ruleset protocol="CBHG" version="{version}" format="csv" enabled="true">'
        "<folder>.</folder>"
        f"<filename>{file}</filename></ruleset></rulesets><settings/></cell_rules>"
    )
