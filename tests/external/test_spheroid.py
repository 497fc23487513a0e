"""Melanoma spheroids of 2,500 cells, predicted from a calibration on 5,000 cells (Browning et al. 2021)."""

import importlib.util
import os
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import oncarium

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("ONCARIUM_CASES") or ROOT.parent / "shared" / "cases")
DATA = CASES / "spheroid_browning2021" / "confocal_983b.csv"
FOLDER = ROOT / "validation" / "spheroid_browning2021"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("calibrate_spheroid", FOLDER / "calibrate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def result():
    return YAML(typ="safe").load(FOLDER / "result.yaml")


def test_the_scenario_holds_the_calibrated_numbers(script, result):
    model = oncarium.load("spheroid")
    radius = result["series"][5000]["days"][0]["measured radius"][0]
    assert model.diff(model.with_(script.changes(result["parameters"], radius))) == []


@pytest.mark.skipif(not DATA.exists(), reason="the case spheroid_browning2021 lies outside the package and is not here")
def test_prediction_of_2500_cells(script, result):
    """Days 4 and 7 from the radius on day 3: radius within 10 %, necrotic fraction within 0.10.

    Both as stored, too (within 2 %, 0.05). On day 5 the prediction is 12 % too large, as result.yaml and README say.
    """
    data = script.measured(DATA).loc[2500]
    stored = {row["day"]: row for row in result["series"][2500]["days"]}
    days = [3, 4, 7]
    found = script.simulate(result["parameters"], data["radius"]["mean"][3], days)
    for day, (radius, necrotic) in zip(days, found):
        assert radius == pytest.approx(data["radius"]["mean"][day], rel=0.10)
        assert necrotic == pytest.approx(data["necrotic"]["mean"][day], abs=0.10)
        assert radius == pytest.approx(stored[day]["radius"], rel=0.02)
        assert necrotic == pytest.approx(stored[day]["necrotic fraction"], abs=0.05)
