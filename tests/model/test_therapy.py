"""The section therapy: what it adds to a model, what it leaves out and why, and every way to say it wrong."""

import pytest

import oncarium as oc
from oncarium.errors import ModelError

TEXT = """
domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 60 day
factors:
  csf1: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, boundary: 0.1 nM}
  vegfa: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, boundary: 0.1 nM, mass: 38 kDa}
cells:
  tumor: {cycle: {model: live, exit: 0.0001 1/min}, surface: {pdl1: 20 1/um^2}}
  macrophage:
    death: {apoptosis: 0.001 1/min}
    rules: ["csf1 decreases death.apoptosis to 0.0001 1/min, half 0.05 nM, hill 1"]
initial: [{cells: tumor, disc: {radius: 50 um}, count: 10}]
"""


def read(section):
    return oc.Model.from_text(TEXT + section)


def problems(section):
    with pytest.raises(ModelError) as caught:
        read(section)
    return [str(p) for p in caught.value.problems]


def test_a_model_without_it_has_nothing_of_it():
    model = read("")
    assert model.therapy is None and [f.name for f in model.factors] == ["csf1", "vegfa"]
    simulation = oc.Simulation(model)
    assert simulation.tissue.plasma is None and "drug.occupancy" not in simulation.tissue.cells
    names = {type(p).__name__ for p in simulation.plan.processes}
    assert not names & {"Schedule", "PlasmaLevels", "Binding", "Neutralising", "Radiation", "Operations"}


def test_a_drug_that_is_given_is_a_factor_and_its_effects_are_rules():
    model = read('therapy: {doses: ["atezolizumab 1200 mg every 3 weeks from day 1", "bevacizumab 5 mg/kg on day 2"]}')
    assert [f.name for f in model.factors] == ["csf1", "vegfa", "atezolizumab", "bevacizumab", "bevacizumab_vegfa"]
    held = model.factors[-1]
    assert held.mass == pytest.approx(model.factors[-2].mass + 38.0) and held.diffusion < model.factors[-2].diffusion
    [rule] = model.type("tumor").rules
    assert rule.signal == ("drug.binding", "atezolizumab") and rule.pathway == "atezolizumab"
    assert ("macrophage: atezolizumab.binding on surface.pdl1", "it has no surface.pdl1") in model.therapy.left_out
    assert not [effect for effect, _ in model.therapy.left_out if effect.startswith("tumor")]
    assert "Left out: atezolizumab.binding on surface.pdl1 (macrophage: it has no surface.pdl1)." in model.describe()
    assert "atezolizumab 1200 mg every 21 days" in model.describe()


def test_who_hears_a_factor_takes_up_what_blocks_it():
    model = read('therapy: {doses: ["pexidartinib 400 mg every 12 h from day 1"]}')
    told = {t.name: [r.pair for r in t.rules] for t in model.types}
    assert told["macrophage"][-1] == ("pexidartinib", "sense.response.csf1") and not told["tumor"]


def test_the_library_may_be_changed_and_the_change_is_part_of_the_model():
    a = read('therapy: {doses: ["pembrolizumab 200 mg on day 1"]}')
    b = a.with_({"therapy.drugs.pembrolizumab.plasma.human.clearance": "1 L/d"})
    assert b.therapy.drugs[0].plasma["human"].clearance == pytest.approx(1.0 / 1440.0)
    assert a.digest != b.digest and b.therapy.drugs[0].mass == a.therapy.drugs[0].mass
    assert oc.Model.from_text(b.to_yaml()) == b


def test_everything_wrong_is_told_at_once():
    told = problems("""
therapy:
  species: dog
  weight: -3 kg
  wieght: 3 kg
  doses:
    - pembrolizumob 200 mg on day 1
    - pembrolizumab 200 mg oral on day 1
    - 1e6 tumour cells on day 2
""")
    text = "\n".join(told)
    for said in (
        "no species is called 'dog'",
        "-3 kg is out of range",
        "'wieght' is no part of a therapy",
        "no drug is called 'pembrolizumob'. Did you mean 'pembrolizumab'",
        "Did you mean 'tumor'",
    ):
        assert said in text
    assert len(told) == len(set(told)) and all("model:" in t for t in told)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("therapy: {doses: [x 1 mg on day 1], drugs: {x: {class: protein}}}", "x has no factor"),
        ('therapy: {doses: ["pembrolizumab 200 mg oral on day 1"]}', "cannot be given by the route 'oral'"),
        ('therapy: {species: mouse, doses: ["nivolumab 1 mg on day 1"], '
         'drugs: {nivolumab: {plasma: {mouse: {bound: 2}}}}}',
         "2 is out of range"),
        ("therapy: {}", "it gives nothing"),
        ("therapy: 3", "stands where a group"),
        ('therapy: {doses: ["radiation -2 Gy on day 1"]}', "radiation"),
        ('therapy: {doses: ["pembrolizumab 200 mg on day 1, hold while neutrophils < 1"]}',
         "no reading is called 'neutrophils'"),
        ('therapy: {doses: ["pembrolizumab 200 mg on day 1"], drugs: {pembrolizumab: {effects: {tumour: '
         '["pembrolizumab increases death.apoptosis to 1 1/min, half 1 nM"]}}}}', "no cell type is called 'tumour'"),
        ('therapy: {doses: ["pembrolizumab 200 mg on day 1"], drugs: {pembrolizumab: {binds: {surface.pd11: '
         '{affinity: 1 nM, on: 1 1/nM/min}}}}}', "surface.pd11"),
        ('therapy: {doses: ["radiation 2 Gy on day 1"], radiation: {oer: 0.5}}', "0.5 is out of range"),
        ('numerics: physicell\ntherapy: {doses: ["pembrolizumab 200 mg on day 1"]}', "have no therapy"),
    ],
)  # fmt: skip
def test_one_message_each(section, said):
    told = problems(section)
    assert any(said in t for t in told), told
    assert sum(said in t for t in told) == 1


def test_doses_past_the_end_are_told_and_run_on_may_reach_them():
    model = read('therapy: {doses: ["pembrolizumab 200 mg on day 90"]}')
    [warning] = [p for p in model.problems if p.severity == "warning"]
    assert "begins on day 90, and the run ends on day 60" in str(warning)
