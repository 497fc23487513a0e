"""Models as PhysiCell's settings: what is written reads back as the same model, and what cannot be said is told."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

import oncarium as oc
from oncarium.exchange.physicell import settings

from .world import TEXT


def meaning(model: oc.Model) -> dict:
    """What a model says, in numbers, however it was written."""
    columns = model.names.columns
    said: dict = {
        k: getattr(model, k)
        for k in ("domain", "clock", "until", "record", "seed", "numerics", "compat", "internalise", "conserved")
    }
    said["factors"] = [
        (f.name, f.unit, f.diffusion, f.decay, f.initial, f.boundary, f.initial_content) for f in model.factors
    ]
    for t in model.types:
        for entry in columns.values():
            for label in model.names.labels(entry) if entry.axis else [None]:
                said[t.name, entry.name, label] = t.value(entry, label)
        said[t.name] = (t.cycle, t.exit, t.fixed, t.normalized, t.distributions)
    said["rules"] = [(n, r.signal, r.increases, r.behavior, r.value, r.half, r.hill, r.dead) for n, r in model.rules]
    said["cells"] = [
        (p.type, p.region, p.count, p.rows, {k: list(map(repr, v)) for k, v in p.values.items()})
        for p in model.placements
    ]
    return said


def again(model: oc.Model, folder: Path) -> tuple[oc.Model, list[str]]:
    """The model after being written and read."""
    notices = settings.write(model, folder)
    return oc.Model.load(folder / settings.FILES[0], numerics="physicell"), notices


def test_every_collected_file_survives(cases, tmp_path):
    """Load, save, load: the same meaning; and once more: the same text."""
    survived = 0
    for k, file in enumerate(sorted(cases.rglob("*.xml"))):
        try:
            model = oc.Model.load(file, numerics="physicell")
        except oc.ModelError:
            continue  # a damaged one
        once, _ = again(model, tmp_path / f"{k}" / "first" / "model")
        twice, _ = again(once, tmp_path / f"{k}" / "second" / "model")
        assert meaning(once) == meaning(model), file
        assert twice == once, (file, once.diff(twice))
        survived += 1
    assert survived >= 30


EVERYTHING = """<PhysiCell_settings version="1.14.2">
  <domain><x_min>-100</x_min><x_max>100</x_max><y_min>-60</y_min><y_max>60</y_max><z_min>-40</z_min><z_max>40</z_max>
    <dx>20</dx><dy>20</dy><dz>20</dz><use_2D>false</use_2D></domain>
  <overall><max_time>60</max_time><dt_diffusion>0.02</dt_diffusion><dt_mechanics>0.2</dt_mechanics>
    <dt_phenotype>4</dt_phenotype></overall>
  <save><folder>output</folder><full_data><interval>20</interval><enable>true</enable></full_data></save>
  <options><virtual_wall_at_domain_edge>true</virtual_wall_at_domain_edge><random_seed>7</random_seed></options>
  <microenvironment_setup>
    <variable name="oxygen" units="mmHg" ID="0"><physical_parameter_set>
      <diffusion_coefficient>100000</diffusion_coefficient><decay_rate>0.1</decay_rate>
      </physical_parameter_set><initial_condition>38</initial_condition>
        <Dirichlet_boundary_condition enabled="true">38</Dirichlet_boundary_condition>
      <Dirichlet_options><boundary_value ID="xmin" enabled="true">30</boundary_value>
        <boundary_value ID="zmax" enabled="false">0</boundary_value>
      </Dirichlet_options></variable>
    <variable name="drug" units="dimensionless" ID="1"><physical_parameter_set>
      <diffusion_coefficient>1e3</diffusion_coefficient><decay_rate>0</decay_rate>
      </physical_parameter_set><initial_condition>0.5</initial_condition>
      <Dirichlet_boundary_condition enabled="false">0</Dirichlet_boundary_condition></variable>
    <options><calculate_gradients>true</calculate_gradients>
      <track_internalized_substrates_in_each_agent>true</track_internalized_substrates_in_each_agent>
    </options></microenvironment_setup>
  <cell_definitions>
    <cell_definition name="default" ID="0"><phenotype>
      <cycle code="2" name="Flow cytometry model (basic)"><phase_durations>
        <duration index="0" fixed_duration="false">300</duration>
        <duration index="1" fixed_duration="true">480</duration>
          <duration index="2" fixed_duration="false">240</duration></phase_durations>
        <standard_asymmetric_division enabled="true">
          <asymmetric_division_probability name="t cell">0.25</asymmetric_division_probability>
        </standard_asymmetric_division></cycle>
      <death><model code="100" name="apoptosis"><death_rate>1e-5</death_rate></model>
        <model code="101" name="necrosis"><death_rate>2e-5</death_rate>
        <parameters><calcification_rate>7e-5</calcification_rate></parameters></model></death>
      <volume><total>2000</total><fluid_fraction>0.7</fluid_fraction><nuclear>400</nuclear></volume>
      <mechanics><cell_cell_adhesion_strength>0.3</cell_cell_adhesion_strength><attachment_rate>0.1</attachment_rate>
        <maximum_number_of_attachments>5</maximum_number_of_attachments>
        <cell_adhesion_affinities><cell_adhesion_affinity name="t cell">0.5</cell_adhesion_affinity>
          </cell_adhesion_affinities></mechanics>
      <secretion><substrate name="oxygen"><uptake_rate>10</uptake_rate></substrate><substrate name="drug">
        <secretion_rate>2</secretion_rate>
        <secretion_target>3</secretion_target><net_export_rate>-4</net_export_rate></substrate></secretion>
      <cell_integrity><damage_rate>0.01</damage_rate><damage_repair_rate>0.02</damage_repair_rate></cell_integrity>
        </phenotype>
      <custom_data><load conserved="true" units="dimensionless" description="what it carries">1.5</load>
        <heading conserved="false" units="dimensionless" description="a vector">1,2.5,-3</heading></custom_data>
      <initial_parameter_distributions enabled="true"><distribution enabled="true" type="Normal" check_base="false">
        <behavior>volume</behavior>
        <mu>2000</mu><sigma>100</sigma><lower_bound>1500</lower_bound></distribution>
          </initial_parameter_distributions></cell_definition>
    <cell_definition name="t cell" ID="1"><phenotype>
      <cycle code="5" name="Live"/>
      <motility><speed>2</speed><persistence_time>15</persistence_time><migration_bias>0.25</migration_bias><options>
        <enabled>true</enabled>
        <use_2D>false</use_2D><chemotaxis><enabled>true</enabled><substrate>drug</substrate><direction>-1</direction>
          </chemotaxis></options></motility>
      <cell_interactions><apoptotic_phagocytosis_rate>0.1</apoptotic_phagocytosis_rate>
        <other_dead_phagocytosis_rate>0.2</other_dead_phagocytosis_rate>
        <attack_rates><attack_rate name="default">0.05</attack_rate></attack_rates>
          <attack_damage_rate>0.7</attack_damage_rate>
        <attack_duration>0.3</attack_duration><fusion_rates><fusion_rate name="default">0.001</fusion_rate>
          </fusion_rates></cell_interactions>
      <cell_transformations><transformation_rates><transformation_rate name="default">0.0001</transformation_rate>
        </transformation_rates>
      </cell_transformations></phenotype>
      <custom_data><load conserved="true" units="dimensionless" description="what it carries">0</load>
        <heading conserved="false" units="dimensionless" description="a vector">0,0,1</heading></custom_data>
          </cell_definition>
  </cell_definitions>
  <initial_conditions><cell_positions type="csv" enabled="true"><folder>.</folder><filename>cells.csv</filename>
    </cell_positions></initial_conditions>
  <cell_rules><rulesets><ruleset protocol="CBHG" version="3.0" format="csv" enabled="true"><folder>.</folder>
    <filename>rules.csv</filename></ruleset></rulesets>
  </cell_rules>
  <user_parameters/>
</PhysiCell_settings>
"""
CELLS = "x,y,z,type,volume,custom:load\n0,0,0,default,1800,\n30,5,-8,t cell,,2.5\n"
RULES = """default,oxygen,increases,cycle entry,0.005,21.5,4,0
default,custom:load,increases,necrosis,0.1,2,8,0
default,contact with t cell,decreases,exit from cycle phase 1,0,0.5,4,1
t cell,drug gradient,decreases,attack default,0,0.1,2,0
"""


@pytest.fixture
def everything(tmp_path) -> oc.Model:
    for name, text in (("PhysiCell_settings.xml", EVERYTHING), ("cells.csv", CELLS), ("rules.csv", RULES)):
        (tmp_path / name).write_text(text)
    return oc.Model.load(tmp_path / "PhysiCell_settings.xml", numerics="physicell")


def test_every_section_survives(everything, tmp_path):
    once, notices = again(everything, tmp_path / "out")
    assert meaning(once) == meaning(everything) and notices == []
    tumor, killer = once.types
    assert killer.values["motility.cue"] == {"drug": -1.0} and tumor.values["division.asymmetric"]["t cell"] == 0.25
    assert once.placements[0].values[("volume.total", None)][0] == 1800.0 and len(once.rules) == 4
    assert [tumor.values[f"custom.heading[{k}]"] for k in range(3)] == [1.0, 2.5, -3.0]
    assert tumor.distributions[0].low == 1500.0 and math.isinf(tumor.distributions[0].high)


def test_a_table_of_initial_concentrations_is_pointed_to(everything, tmp_path):
    rows = [
        f"{x},{y},{z},{x + 200},{y + 100}"
        for z in range(-30, 40, 20)
        for y in range(-50, 60, 20)
        for x in range(-90, 100, 20)
    ]
    (tmp_path / "fields.csv").write_text("\n".join(["x,y,z,oxygen,drug", *rows]) + "\n")
    given = '<initial_condition type="csv" enabled="true"><filename>fields.csv</filename></initial_condition>'
    (tmp_path / "PhysiCell_settings.xml").write_text(
        EVERYTHING.replace("<options><calculate_gradients>", f"<options>{given}<calculate_gradients>")
    )
    model = oc.Model.load(tmp_path / "PhysiCell_settings.xml", numerics="physicell")
    assert all(f.initial_content for f in model.factors)
    once, _ = again(model, tmp_path / "out")
    assert meaning(once) == meaning(model)


def test_rules_and_cells_are_in_their_own_words(everything, tmp_path):
    settings.write(everything, tmp_path / "out")
    with open(tmp_path / "out" / "cell_rules.csv") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["default", "oxygen", "increases", "cycle entry", "0.005", "21.5", "4.0", "0"],
        ["default", "custom:load", "increases", "necrosis", "0.1", "2.0", "8.0", "0"],
        ["default", "contact with t cell", "decreases", "exit from cycle phase 1", "0.0", "0.5", "4.0", "1"],
        ["t cell", "drug gradient", "decreases", "attack default", "0.0", "0.1", "2.0", "0"],
    ]
    head, *rows = (tmp_path / "out" / "cells.csv").read_text().splitlines()
    assert head == "x,y,z,type,volume,custom:load" and rows == [
        "0.0,0.0,0.0,default,1800.0,",
        "30.0,5.0,-8.0,t cell,,2.5",
    ]


def test_our_own_models_say_what_is_lost(tmp_path):
    text = TEXT.replace("boundary: 38", "michaelis: 1 mmHg assumed, boundary: 38")
    model = oc.Model.from_text(text)
    once, notices = again(model, tmp_path)
    assert (
        any("clocks" in n for n in notices)
        and any("saturable" in n for n in notices)
        and any("outermost voxels" in n for n in notices)
    )
    assert any("seed" in n for n in notices), "regions become places"
    for name in ("tumor", "t cell"):
        assert once.type(name).value(once.names.columns["death.apoptosis"]) == model.type(name).value(
            model.names.columns["death.apoptosis"]
        )
    assert len(once.placements[0].rows) == 37 + 12
    assert [(r.signal, r.behavior, r.value, r.half) for _, r in once.rules] == [
        (r.signal, r.behavior, r.value, r.half) for _, r in model.rules
    ]
    root = xml.parse(tmp_path / "PhysiCell_settings.xml").getroot()
    motile = {d.get("name"): d.findtext("phenotype/motility/options/enabled") for d in root.iter("cell_definition")}
    assert motile == {"tumor": "false", "t cell": "true"}


def test_a_rule_without_a_word_is_left_out_and_told(tmp_path):
    text = TEXT.replace(
        "hill 4 assumed",
        'hill 4 assumed", "oxygen decreases metabolism.consumption.oxygen to 0 mmHg/min, half 3 mmHg, hill 4 assumed',
    )
    _, notices = again(oc.Model.from_text(text), tmp_path)
    assert any("no word for metabolism.consumption.oxygen" in n for n in notices)


def test_amounts_of_molar_factors_are_concentration_times_volume(tmp_path):
    text = TEXT.replace('signal: {unit: "1"', "signal: {unit: nM")
    text = text.replace(
        "approach: {signal: 5 1/min assumed}, target: {signal: 2 assumed}", "rate: {signal: 2 fmol/min assumed}"
    )
    settings.write(oc.Model.from_text(text), tmp_path)
    root = xml.parse(tmp_path / "PhysiCell_settings.xml").getroot()
    given = root.find("cell_definitions/cell_definition[@name='tumor']/phenotype/secretion/substrate[@name='signal']")
    assert float(given.findtext("net_export_rate")) == pytest.approx(2e9)


def test_settings_are_not_overwritten(tmp_path):
    model = oc.Model.from_text(TEXT)
    settings.write(model, tmp_path)
    with pytest.raises(oc.InputError, match="settings lie here already"):
        settings.write(model, tmp_path)


def test_the_same_number_everywhere_stays_a_number(tmp_path):
    region = (
        "  - {cells: tumor, disc: {radius: 50 um}, packing: hexagonal, spacing: 16 um}\n"
        "  - {cells: t cell, disc: {radius: 70 um}, count: 12}\n"
    )
    text = TEXT.replace(
        region, "  - {cells: tumor, everywhere: , count: 9}\n  - {cells: t cell, everywhere: , count: 9}\n"
    )
    once, _ = again(oc.Model.from_text(text), tmp_path)
    assert not (tmp_path / "cells.csv").exists() and [(p.type, p.count) for p in once.placements] == [
        ("tumor", 9),
        ("t cell", 9),
    ]


def test_command_line(tmp_path, monkeypatch, capsys):
    from oncarium import cli

    monkeypatch.setattr("sys.argv", ["oncarium", "export", "hypoxic_tumor", "--to", "physicell", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as done:
        cli.main()
    said = capsys.readouterr()
    assert done.value.code == 0 and "PhysiCell_settings.xml" in said.out and "notice: " in said.err
    assert oc.check(tmp_path / "out" / "PhysiCell_settings.xml") is not None
