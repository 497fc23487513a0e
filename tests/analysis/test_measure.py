"""Measures, each against a tissue whose answer is known."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError
from oncarium.model.model import Model
from oncarium.run.recorder import Recorder
from oncarium.run.simulation import Simulation

PLANE = "{x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}"
SPACE = "{x: [-100 um, 100 um], y: [-100 um, 100 um], z: [-100 um, 100 um], voxel: 20 um}"
MODEL = """
oncarium: 1
domain: {domain}
factors: {{oxygen: {{unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, initial: 5 mmHg}}}}
cells:
  tumor: {{cycle: {{model: flow_cytometry}}}}
  cd8: {{}}
initial:
  - {{cells: tumor, everywhere: , count: {tumor}}}
  - {{cells: cd8, everywhere: , count: {cd8}}}
"""


@pytest.fixture
def seen(tmp_path):
    """Make a result of one frame: places, and whatever else is set on the tissue."""

    def make(position, cd8=0, domain=PLANE, set_up=lambda tissue: None):
        position = np.atleast_2d(np.asarray(position, float))
        simulation = Simulation(
            Model.from_text(MODEL.format(domain=domain, tumor=len(position) - cd8, cd8=cd8)), seed=1
        )
        simulation.tissue.cells.position[:, : position.shape[1]] = position
        set_up(simulation.tissue)
        recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=1, fields_every=1, checkpoint_every=1)
        recorder.see(simulation)
        recorder.close(simulation)
        return oc.open(tmp_path)

    return make


def dead(rows, kind=2):
    def set_up(tissue):
        tissue.cells["vital"][rows] = kind

    return set_up


SQUARE = [[10, 10], [10, -10], [-10, 10], [-10, -10]]


def test_radius_of_gyration(seen):
    result = seen([*SQUARE, [40, 0]], cd8=1)
    assert oc.measure.radius_of_gyration(result, type="tumor") == pytest.approx(np.sqrt(200.0), rel=1e-15)
    assert oc.measure.radius_of_gyration(result, type="cd8") == 0.0
    assert oc.measure.radius_of_gyration(result) == pytest.approx(
        np.sqrt((4 * 200.0 + 40.0**2) / 5 - 8.0**2), rel=1e-14
    )


def even(radius, flat):
    """Points whose share within r is r^2 or r^3 of that within the radius, evenly around."""
    n, d = 4000, 2 if flat else 3
    r = radius * ((np.arange(n) + 0.5) / n) ** (1.0 / d)
    angle, z = (
        np.arange(n) * 2.399963229728653,
        np.zeros(n) if flat else 2.0 * ((np.arange(n) * 0.6180339887498949) % 1.0) - 1.0,
    )
    return r[:, None] * np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


@pytest.mark.parametrize("domain, radius", [(PLANE, 150.0), (SPACE, 90.0)], ids=["2-D", "3-D"])
def test_equivalent_radius_of_an_even_disc_or_ball_is_its_radius(seen, domain, radius):
    result = seen(even(radius, domain == PLANE), domain=domain)
    for share in (0.5, 0.95):
        assert oc.measure.equivalent_radius(result, share=share) == pytest.approx(radius, rel=0.02)


def test_equivalent_radius_does_not_care_for_strays(seen):
    position = even(100.0, True)
    position[:20] = [190.0, 190.0, 0.0]  # 0.5 %
    assert oc.measure.equivalent_radius(seen(position)) == pytest.approx(100.0, rel=0.03)


def test_necrotic_radius_of_a_dead_core(seen):
    position = even(150.0, True)
    result = seen(position, set_up=dead(np.linalg.norm(position, axis=1) < 60.0))
    assert oc.measure.necrotic_radius(result) == 60.0


def test_necrotic_radius_counts_the_majority_of_each_shell(seen):
    position = even(150.0, True)
    distance = np.linalg.norm(position, axis=1)
    result = seen(position, set_up=dead((distance < 40.0) & (np.arange(4000) % 4 > 0) | (distance > 120.0)))
    assert oc.measure.necrotic_radius(result) == 40.0


def test_no_core_no_necrotic_radius(seen):
    assert oc.measure.necrotic_radius(seen(even(150.0, True))) == 0.0


def test_a_hole_without_cells_is_no_core(seen):
    angle = np.arange(100) * 2.0 * np.pi / 100
    ring = 100.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert oc.measure.necrotic_radius(seen(ring)) == 0.0


def test_a_core_may_have_a_hole(seen):
    """Dead cells dissolve: the core reaches as far as its outermost shell of dead."""
    position = even(150.0, True)
    position = position[np.linalg.norm(position, axis=1) > 45.0]
    result = seen(position, set_up=dead(np.linalg.norm(position, axis=1) < 80.0))
    assert oc.measure.necrotic_radius(result) == 80.0


@pytest.mark.parametrize("place", [0.0, 40.0])
def test_all_cells_dead_is_core_to_the_edge(seen, place):
    result = seen([[0.0, 0.0], [0.0, 0.0], [place, 0.0]], set_up=dead(slice(None)))
    assert oc.measure.necrotic_radius(result) == place // 20 * 20 + 20.0


def test_live_fraction(seen):
    result = seen([*SQUARE, [40, 0]], cd8=1, set_up=dead([0, 4], 1))
    assert oc.measure.live_fraction(result) == 0.6
    assert oc.measure.live_fraction(result, type="tumor") == 0.75
    assert oc.measure.live_fraction(result, type="cd8") == 0.0


def test_phase_fractions_of_the_live(seen):
    def set_up(tissue):
        tissue.cells["cycle.phase"][:] = [0, 0, 1, 2, 2]
        tissue.cells["vital"][4] = 2

    result = seen([*SQUARE, [40, 0]], set_up=set_up)
    assert oc.measure.phase_fractions(result, "tumor") == {"G0G1": 0.5, "S": 0.25, "G2M": 0.25}
    assert oc.measure.phase_fractions(result, "cd8") == {}


def test_radial_profile(seen):
    """A cone 38 mmHg at the middle, falling by 0.1 mmHg/um."""

    def set_up(tissue):
        x = tissue.fields.grid.centers("x")
        tissue.fields.value[0, 0] = 38.0 - 0.1 * np.hypot(x[:, None], x[None, :])

    distance, mean = oc.measure.radial_profile(seen(SQUARE, set_up=set_up), "oxygen", width=40.0)
    assert distance.tolist() == [20.0, 60.0, 100.0, 140.0, 180.0, 220.0, 260.0]
    x = np.arange(-190.0, 191.0, 20.0)
    r = np.hypot(x[:, None], x[None, :])
    wanted = [38.0 - 0.1 * r[(r >= d - 20.0) & (r < d + 20.0)].mean() for d in distance]
    np.testing.assert_allclose(mean, wanted, rtol=1e-6)


def test_radial_profile_of_space_is_even_where_the_field_is(seen):
    _, mean = oc.measure.radial_profile(seen([[0, 0, 0]], domain=SPACE), "oxygen")
    assert (mean == 5.0).all() and len(mean) > 5


ALL = ("radius_of_gyration", "equivalent_radius", "necrotic_radius", "live_fraction")


@pytest.mark.parametrize("name", ALL)
def test_no_cells_measure_nothing(seen, name):
    assert getattr(oc.measure, name)(seen(SQUARE), type="cd8") == 0.0


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_type_is_answered_with_the_nearest(seen, name):
    with pytest.raises(
        InputError, match=r"no cell type is called 'tumour'. Did you mean 'tumor'\? This run has: tumor, cd8"
    ):
        getattr(oc.measure, name)(seen(SQUARE), type="tumour")


def test_phases_of_an_unknown_type_are_refused(seen):
    with pytest.raises(InputError, match="Did you mean 'tumor'"):
        oc.measure.phase_fractions(seen(SQUARE), "tumour")


@pytest.mark.parametrize("name", ALL)
def test_a_time_outside_the_run_is_refused(seen, name):
    with pytest.raises(InputError, match="outside the run"):
        getattr(oc.measure, name)(seen(SQUARE), "1 h")
