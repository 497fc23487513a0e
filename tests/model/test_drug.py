"""Drugs as data: what a file says is read, every number of the library is answered for, slips are told at once."""

import subprocess
import sys

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.plasma import levels
from oncarium.biology.drugs.pharmacokinetics import Pharmacokinetics
from oncarium.errors import InputError, ModelError
from oncarium.model.catalog import columns
from oncarium.model.doses import read_doses
from oncarium.model.drug import drug_from_text, drugs, load_drug, read_drug
from oncarium.model.files import parse
from oncarium.model.library import on_shelf
from oncarium.model.reader import Reader
from oncarium.model.rule import SENTENCE

FACTOR = "factor: {unit: nM, diffusion: 600 um^2/min, mass: 150 kDa}\n"


@pytest.mark.parametrize("name", drugs())
def test_every_number_of_a_drug_has_a_grade_and_a_range(name):
    drug = load_drug(name)
    naked = [k for k, q in drug.numbers.items() if q.value and (not q.grade or q.low is None or q.high is None)]
    assert naked == [] and drug.doc and drug.usual and drug.cross and drug.mass
    assert drug.effects or drug.neutralises, "it does nothing"
    regimen = read_doses(f"{name} {drug.usual}", drugs=[name])
    given = regimen.doses(30 * 1440.0).resolved({name: 1000.0 * drug.mass}, 70.0, 1.8)
    assert given[0].amount > 0.0
    for plasma in drug.plasma.values():
        assert plasma.route in plasma.routes and Pharmacokinetics(plasma).half_life > 1.0


@pytest.mark.parametrize("name", drugs())
def test_effects_speak_of_behaviors_and_cell_types_that_there_are(name):
    """Names of the library, besides those that a therapy brings: the drug itself, its binding, what cells hear."""
    drug, types, factors = load_drug(name), on_shelf("cells"), on_shelf("factors")
    for who, sentences in drug.effects.items():
        assert who in ("*", "vessels", "matrix", "body", *types)
        for said in sentences:
            found = SENTENCE.match(said)
            behavior = found["behavior"]
            own = found["signal"] in (name, f"{name}.binding", f"{name}_active")
            follows = {f"drug.response.{name}", f"sense.response.{name}", f"sense.response.{name}_active"}
            assert own or behavior in follows  # how far a cell follows it is a rule, too
            if behavior in follows:
                continue
            if behavior.startswith("sense.response."):
                assert behavior.removeprefix("sense.response.") in factors
            elif own and who not in ("matrix", "body"):
                entry = columns().get(behavior) or columns()[behavior.rpartition(".")[0]]
                assert entry.kind == "behavior"
    assert set(drug.neutralises) <= set(factors)
    assert {b for b in drug.binds if b.startswith("surface.")} <= set(columns())


def test_amounts_and_volumes_in_the_units_that_people_use():
    text = FACTOR + (
        "plasma: {human: {weight: 60 kg, area: 1.7 m^2, central: 0.05 L/kg, clearance: 10 mL/h/m^2, bound: 0.2,\n"
        "  peripheral: [{volume: 3000 mL, flow: 1 L/day}], saturable: {most: 1.5 mg/day, half: 3 ug/mL},\n"
        "  subcutaneous: {rate: 0.24 1/day, bioavailable: 0.6, lag: 1 h}, route: subcutaneous}}\n"
    )
    p = drug_from_text(text).plasma["human"]
    assert p.central == pytest.approx(3.0) and p.clearance == pytest.approx(0.017 / 60.0)
    assert p.peripheral[0].volume == pytest.approx(3.0) and p.peripheral[0].flow == pytest.approx(1.0 / 1440.0)
    assert p.saturable.most == pytest.approx(10.0 / 1440.0) and p.saturable.half == pytest.approx(20.0)
    way = p.absorption["subcutaneous"]
    assert (way.rate, way.bioavailable, way.lag) == pytest.approx((0.24 / 1440.0, 0.6, 60.0))
    assert p.routes == ("intravenous", "subcutaneous") and p.route == "subcutaneous"
    other = p.of(weight=120.0, area=3.4)
    assert (other.central, other.clearance) == pytest.approx((6.0, 0.034 / 60.0))
    assert other.peripheral == p.peripheral  # said in L, it stays


def test_all_slips_are_told_at_once_with_their_lines():
    with pytest.raises(ModelError) as told:
        drug_from_text(
            "class: antibodi\n" + FACTOR + "plasma:\n"
            "  human: {central: -3 L, clearance: 5, bound: 1.3, orall: {rate: 1 1/h}, peripheral: [{volume: 3 L}]}\n"
            "  humen: {}\n"
            "binds: {surface.pd1: {affinity: 0 nM}}\n"
            "neutralises: {ccl2: 5 nM}\n"
            'effects: {"*": [bla bla, "x.binding decreases surface.pd1 to 0 1/um^2, half 1 @Nobody M, hill 1"]}\n'
        )
    said = str(told.value)
    for words in (
        "12 problems", "mydrug.yaml:1  class", "'antibodi' is no class of drugs. Did you mean 'antibody'?",
        "-3 L is out of range; expected above 0 L.", "'5' has no unit", "1.3 is out of range",
        "'orall' is no setting here. Did you mean 'oral'?", "flow is missing", "Did you mean 'human'?", "on missing",
        "0 nM is out of range; expected above 0 nM", "'5 nM' stands where a group", "'bla bla' is no rule",
        "no source is called 'Nobody'", "mydrug.yaml:8  effects.*.0",
    ):  # fmt: skip
        assert words in said


@pytest.mark.parametrize(
    "text, words",
    [
        ("plasma: {human: {central: 3 L, clearance: 0.2 L/day}}\n", "its mass is missing"),
        (FACTOR + "plasma: {human: {central: 3 L}}\n", "clearance is missing"),
        (FACTOR + "plasma: {human: {central: 3 kg, clearance: 0.2 L/day}}\n", "cannot be converted to L"),
        (FACTOR + "plasma: {human: {central: 3 L, clearance: 1 L/day, route: oral}}\n", "'oral' is no route here"),
        (FACTOR + "plasma: {human: {central: 3 L, clearance: 1 L/day, oral: {rate: 0 1/h}}}\n", "above 0 1/min"),
        (
            FACTOR + "plasma: {human: {central: 3 L, clearance: 1 L/day, oral: {rate: 1 1/h, bioavailable: 50}}}\n",
            "50 is out of range",
        ),
        (
            FACTOR + "plasma: {human: {central: 3 L, clearance: 1 L/day, "
            "peripheral: [{volume: 1 L, flow: 1 L/h}, {volume: 1 L, flow: 1 L/h}, {volume: 1 L, flow: 1 L/h}]}}\n",
            "3 compartments; expected at most 2",
        ),
        (
            FACTOR + "plasma: {human: {central: 3 L, target: {level: 1 nM, loss: 0.1 1/min, affinity: 1 nM}}}\n",
            "on is missing",
        ),
        ("factor: {unit: ng/mL, diffusion: 600 um^2/min}\n", "'ng/mL' is no unit of a factor"),
        ("- a list\n", "this is not a model"),
        (
            FACTOR + "activated: {rate: 1 1/h, oxygen: 0 mmHg, factor: {unit: nM, diffusion: 1 um^2/min}}\n",
            "above 0 mmHg",
        ),
    ],
)
def test_what_cannot_be_is_told(text, words):
    with pytest.raises(ModelError) as told:
        drug_from_text(text)
    assert words in str(told.value)


def test_a_model_lays_its_own_numbers_over_the_library():
    document = parse("therapy: {drugs: {pembrolizumab: {plasma: {human: {clearance: 0.1 L/day}}}}}", "m.yaml")
    reader = Reader(document)
    given = document.tree["therapy"]["drugs"]["pembrolizumab"]
    drug = read_drug(reader, "pembrolizumab", given, "therapy.drugs.pembrolizumab")
    assert reader.problems == []
    assert drug.plasma["human"].clearance == pytest.approx(0.1 / 1440.0)
    assert drug.plasma["human"].central == load_drug("pembrolizumab").plasma["human"].central
    assert reader.numbers["therapy.drugs.pembrolizumab.plasma.human.clearance"].grade == ""
    assert "library/drugs/pembrolizumab.yaml" in drug.places["*.0"][0]


def test_a_drug_of_ones_own_from_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(FACTOR + "plasma: {human: {central: 3 L, clearance: 0.2 L/day}}\nusual: 100 mg weekly\n")
    assert oc.drug(path).plasma["human"].clearance == pytest.approx(0.2 / 1440.0)
    assert levels(oc.drug(path)).doses.totals[("mine", "nmol")][0] == 8
    with pytest.raises(ModelError, match="neither a file nor a drug of the library"):
        oc.drug(tmp_path / "none.yaml")


# -- what labels say


@pytest.mark.parametrize(
    "name, doses, what, low, high",
    [
        ("pembrolizumab", "200 mg every 3 weeks", "trough", 20.0, 40.0),  # 29 ug/mL
        ("bevacizumab", "5 mg/kg every 2 weeks", "trough", 45.0, 128.0),  # 80, on day 84
        ("tocilizumab", "8 mg/kg over 1 h every 4 weeks", "trough", 5.0, 20.0),  # 9.7
        ("tocilizumab", "8 mg/kg over 1 h every 4 weeks", "peak", 120.0, 240.0),  # 183
        ("pexidartinib", "400 mg twice a day", "peak", 5.4, 13.8),  # 8.6
        ("imatinib", "400 mg daily", "peak", 1.0, 4.2),  # 2.6 with a standard deviation of 0.8
        ("imatinib", "400 mg daily", "trough", 0.0, 2.8),  # 1.2, 0.8
        ("marimastat", "10 mg twice a day", "peak", 0.02, 0.08),  # 0.039
        ("plerixafor", "0.24 mg/kg daily", "peak", 0.55, 1.4),  # 0.9
        ("sunitinib", "50 mg daily", "mean", 0.03, 0.101),  # 63 to 101 ng/mL with its metabolite
    ],
)
def test_levels_of_labels_at_steady_state(name, doses, what, low, high):
    drug = load_drug(name)
    days = max(28.0, 8.0 * Pharmacokinetics(drug.plasma["human"]).half_life / 1440.0)
    found = levels(drug, doses, until=f"{days:.0f} day")
    assert low <= found.mass(getattr(found, what)) <= high


def test_an_area_under_the_curve_is_dose_over_clearance():
    drug = load_drug("doxorubicin")
    found = levels(drug, "60 mg/m^2 once over 10 min", until="60 day")
    area = np.trapezoid(found.course.total, found.times)
    assert area == pytest.approx(found.doses[0].amount / drug.plasma["human"].clearance, rel=5e-3)


def test_levels_refuse_what_makes_no_sense():
    with pytest.raises(InputError, match="not known in 'mouse'; known: human"):
        levels("carlumab", species="mouse")
    with pytest.raises(ModelError, match="cannot be given by the route 'oral'"):
        levels("carlumab", "10 mg/kg oral daily")
    with pytest.raises(ModelError):
        levels("carlumab", "10 parsecs daily")


def oncarium(*words):
    done = subprocess.run([sys.executable, "-m", "oncarium", *words], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_the_command(tmp_path):
    code, out, _ = oncarium("drugs")
    assert code == 0 and all(f"\n{name} " in out for name in drugs())
    picture = tmp_path / "a.png"
    code, out, _ = oncarium("drugs", "pembrolizumab", "--dose", "400 mg every 6 weeks", "-o", str(picture))
    assert code == 0 and "0.195 L/day" in out and "pembro_popPK" in out and "half occupied at 0.029 nM" in out
    assert picture.stat().st_size > 10_000
    code, _, err = oncarium("drugs", "pembrolizumab", "-o", str(picture))
    assert code == 2 and "this file exists" in err
    code, _, err = oncarium("drugs", "pembrolizumob")
    assert code == 2 and "Did you mean 'pembrolizumab'?" in err
    code, _, err = oncarium("drugs", "--dose", "1 mg daily")
    assert code == 2 and "it needs a drug" in err
