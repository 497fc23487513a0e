"""One cell in the middle of 27 voxels whose boundary voxels are held: recorded by PhysiCell."""

import os
from pathlib import Path

import numpy as np
import pytest

from oncarium.engine.kernels.lod import exchange, lod_step

CASES = Path(os.environ.get("ONCARIUM_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases"))
SETTINGS = CASES / "obs_unit_tests" / "inputs" / "single_diffusion" / "PhysiCell_settings.xml"
pytestmark = pytest.mark.skipif(
    not SETTINGS.exists(), reason="the case obs_unit_tests lies outside the package and is not here"
)

CENTER = 13
HELD = np.delete(np.arange(27), CENTER)


def march(minutes, uptake=0.0):
    """Center concentration and what the cell took up, after steps of 0.01 min: diffusion, then exchange."""
    value, taken, one = np.zeros((3, 3, 3)), np.zeros(1), np.ones(1)
    value.reshape(-1)[HELD] = 6022.0
    for _ in range(round(minutes / 0.01)):
        lod_step(value, 0.01, 2000.0, 0.0, (20.0, 20.0, 20.0), HELD, np.full(26, 6022.0))
        if uptake:
            exchange(
                value.reshape(-1),
                np.zeros(1, np.int64),
                np.array([CENTER]),
                one,
                0.0 * one,
                uptake * one,
                one,
                0.0 * one,
                taken,
                0.0 * one,
                8000.0,
                0.01,
            )
    return value[1, 1, 1], taken[0]


def test_the_case_is_the_one_recorded():
    text = SETTINGS.read_text()
    assert "6022" in text and "2000" in text and "0.01" in text


@pytest.mark.parametrize(
    "minutes, recorded", [(0.1, 5628.916773), (0.2, 5996.341677), (0.3, 6020.325165), (0.5, 6021.992864)]
)
def test_without_uptake(minutes, recorded):
    assert march(minutes)[0] == pytest.approx(recorded, rel=1e-9)


def test_with_uptake():
    center, taken = march(10.0, 12044.0)
    assert center == pytest.approx(5664.922388, rel=1e-9)
    assert taken == pytest.approx(680237843.202028, rel=1e-9)
