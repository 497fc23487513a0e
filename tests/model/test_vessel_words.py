"""What a model says of vessels and fluid, in English, in the schema, and in who makes what."""

import pytest

import oncarium as oc
from oncarium.analysis.wiring import MOLECULES, read_wiring
from oncarium.model.consistency import made
from oncarium.model.fluid import read_fluid
from oncarium.model.groups import inner_groups
from oncarium.model.schema import json_schema
from oncarium.model.vessels import BLOOD, NUMBERS, WAYS, read_vessels

MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min}
  glucose: {unit: mM, diffusion: 10000 um^2/min, blood: 5 mM, mass: 0.18 kDa}
  cxcl12: {unit: nM, diffusion: 1000 um^2/min, mass: 8 kDa}
  ccl21: {unit: nM, diffusion: 1000 um^2/min, mass: 12 kDa}
  il6: {unit: nM, diffusion: 1000 um^2/min}
cells:
  tumor:
    motility: {sensitivity: {cxcl12: 1, ccl21: 1, glucose: 1, il6: 1}}
initial: [{cells: tumor, disc: {radius: 50 um}, count: 5}]
"""
VESSELS = """
vessels:
  columns: [{density: 75 1/mm^2, length: 400 um}, {density: 20 1/mm^2, disc: {radius: 50 um}}]
  secretion: {cxcl12: 7 molecules/min}
  oxygen: 50 mmHg
fluid: {lymph: [{density: 1}, {disc: {radius: 50 um}, density: 0}], drainage: {}, margin: 500 um}
"""


def nobody(model):
    return {
        p.message.split(":")[0].removeprefix("nobody makes ") for p in model.problems if "nobody makes" in p.message
    }


def test_in_english():
    text = oc.Model.from_text(MODEL + VESSELS).describe()
    assert "- Vessels cross the slice: density 75 1/mm^2, length 400 um" in text
    assert "- Vessels cross the slice in a disc: density 20 1/mm^2" in text
    assert "haematocrit of 0.45 and 50 mmHg of oxygen (human)" in text
    assert "Lymph vessels: 1 everywhere, 0 in a disc (1 is as in normal tissue), and 500 um of the same tumor" in text
    assert "secretion: ang1 300 molecules/min" in text and "cxcl12 7 molecules/min" in text
    assert "Vessels and fluid" not in oc.Model.from_text(MODEL).describe()


def test_blood_walls_and_lymph_make_factors():
    assert nobody(oc.Model.from_text(MODEL)) == {"cxcl12", "ccl21", "glucose", "il6"}
    full = oc.Model.from_text(MODEL + VESSELS)
    assert nobody(full) == {"il6"} and {"cxcl12", "ccl21", "glucose"} <= made(full)
    still = oc.Model.from_text(MODEL + VESSELS.replace("drainage: {}, ", ""))
    assert "ccl21" in nobody(still), "lymph that drains nothing is not there"


def test_in_the_wiring():
    wiring = read_wiring(oc.Model.from_text(MODEL + VESSELS))
    assert wiring.others == ("vessels", "lymph")
    assert wiring.makes["cxcl12", "vessels"] == pytest.approx((7 / MOLECULES, 7 / MOLECULES))
    assert {("oxygen", "vessels"), ("glucose", "vessels"), ("ccl21", "lymph")} <= set(wiring.makes)
    assert ("cxcl12", "lymph") in wiring.takes and ("cxcl12", "vessels") in wiring.takes
    assert not {("il6", "vessels"), ("il6", "lymph"), ("oxygen", "lymph")} & wiring.takes
    assert read_wiring(oc.Model.from_text(MODEL)).others == ()


def test_the_schema_knows_every_word():
    told = json_schema()["properties"]
    assert set(told["vessels"]["properties"]) == {
        *WAYS, *BLOOD, "split", "species", "adapted", "period", *inner_groups("vessels"),
    }  # fmt: skip
    assert set(told["fluid"]["properties"]) == {"lymph", "period", "margin", *inner_groups("fluid")}
    one = told["vessels"]["properties"]["columns"]["anyOf"][0]["properties"]
    assert set(NUMBERS["columns"]) < set(one) and one["density"]["description"] == "[1/mm^2]"
    assert "represents" in told and callable(read_vessels) and callable(read_fluid)
