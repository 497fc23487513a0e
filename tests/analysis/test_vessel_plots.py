"""Figures of vessels: what is drawn is what is there, distances and densities by hand, clear words without vessels."""

import math

import numpy as np
import pytest
from typer.testing import CliRunner

import oncarium as oc
from oncarium.analysis.canvas import axes
from oncarium.analysis.vessel_plots import distance_from_blood, length_density
from oncarium.analysis.vessel_shapes import BLOOD, Network, add_vessels, box_of, numbers_of, within
from oncarium.cli import app
from oncarium.errors import InputError

SLICE = """
domain: {x: [0 um, 300 um], y: [0 um, 300 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 1 h
factors:
  oxygen: {library: oxygen, decay: 0 1/min, initial: 20 mmHg assumed, michaelis: 2.5 mmHg assumed, boundary: no-flux}
cells: {tumor: {library: tumor_simple, metabolism: {consumption: {oxygen: 900 mmHg/min assumed}}}}
initial: [{cells: tumor, disc: {center: [150 um, 150 um], radius: 60 um}, packing: hexagonal, spacing: 16 um}]
vessels: {columns: {density: 70 1/mm^2, diameter: 10 um, spread: 0}}
fluid: {lymph: {density: 1}, drainage: {}}
"""
BLOCK = """
domain: {x: [0 um, 200 um], y: [0 um, 200 um], z: [0 um, 200 um], voxel: 25 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 6 min
factors: {oxygen: {library: oxygen, boundary: no-flux}}
cells: {tumor: {library: tumor_simple}}
initial: [{cells: tumor, ball: {center: [100 um, 100 um, 100 um], radius: 30 um}, packing: hexagonal, spacing: 16 um}]
vessels: {mesh: {spacing: 80 um, feeders: 150 um}}
"""


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    return oc.run(oc.Model.from_text(SLICE), out=tmp_path_factory.mktemp("flat") / "run")


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    return oc.run(oc.Model.from_text(BLOCK), out=tmp_path_factory.mktemp("block") / "run")


def test_the_part_in_a_box():
    places = np.array([
        [[-10, 5, 5], [30, 5, 5]], [[2, 2, -90], [2, 2, 110]], [[3, 3, 3], [4, 4, 4]], [[-5, 5, 5], [-1, 5, 5]],
        [[0, 30, 5], [30, 0, 5]], [[5, 50, 5], [15, 50, 5]],
    ], float)  # fmt: skip
    ends, share = within(places, np.zeros(3), np.array([20.0, 10.0, 10.0]))
    assert share == pytest.approx([0.5, 0.05, 1.0, 0.0, 0.0, 0.0])
    assert ends[0].tolist() == [[0, 5, 5], [20, 5, 5]] and ends[1].tolist() == [[2, 2, 0], [2, 2, 10]]


def test_a_slice_shows_each_column_as_a_disc_of_its_width(flat):
    columns = round(70 * 0.09)
    seen = Network.of(flat)
    assert len(flat.vessels()) == 2 * columns and len(seen.rows) == 2 * columns and seen.flows.all()
    ax = oc.plot.vessels(flat, color="diameter", field=None)
    drawn = ax.collections[1]
    assert len(drawn.get_paths()) == 2 * columns
    np.testing.assert_allclose(drawn.get_array(), 2 * seen.radius)
    width = drawn.get_paths()[0].get_extents().width
    assert width == pytest.approx(2 * seen.radius[0], rel=1e-3)
    assert ax.child_axes[0].get_ylabel() == "diameter of vessels (µm)"


def test_oxygen_of_blood_and_tissue_share_a_scale(flat):
    ax = oc.plot.vessels(flat)
    assert ax.images[0].get_clim() == ax.collections[1].get_clim() and len(ax.child_axes) == 1
    assert ax.collections[1].get_clim()[1] >= flat.vessels()["oxygen"].max()
    assert len(oc.plot.vessels(flat, color="flow").child_axes) == 2
    for draw in (oc.plot.vessels, oc.plot.perfusion):
        ax = axes(None, (3, 3))
        assert draw(flat, ax=ax) is ax
    assert (numbers_of(flat.vessels(), "flow")[0] > 0.0).all()


def test_distance_and_density_by_hand(flat):
    table = flat.vessels()
    crossing = np.unique(table[["ax", "ay"]].to_numpy(), axis=0)
    centers = 10.0 + 20.0 * np.arange(15)
    x, y = np.meshgrid(centers, centers)
    told = np.min(np.hypot(x[..., None] - crossing[:, 0], y[..., None] - crossing[:, 1]), axis=-1)
    assert distance_from_blood(flat) == pytest.approx(told, abs=1e-9)
    assert length_density(flat) == pytest.approx(len(crossing) / 0.09, rel=1e-7)  # mm/mm^3: of columns, those per mm^2
    assert "farther than 100 µm" in oc.plot.perfusion(flat).get_title(loc="left")


def test_what_does_not_flow_is_hollow_and_bands_lie_in_the_plane():
    places = np.array([[[0, 50, 0], [100, 50, 0]], [[20, 20, -30], [20, 20, 30]]], float)
    seen = Network.cut(
        places, np.array([4.0, 5.0]), np.array([False, True]), np.array([[100.0, 50, 0], [0, 0, 99]]),
        np.array([0.0, 0, -10]), np.array([100.0, 100, 10]),
    )  # fmt: skip
    ax = axes(None, (3, 3))
    drawn, handles = add_vessels(ax, seen)
    assert len(drawn.get_paths()) == 4, "a band with its two round ends, a disc"
    band = drawn.get_paths()[0].get_extents()
    assert (band.width, band.height) == pytest.approx((100.0, 8.0))
    assert [h.get_label() for h in handles] == ["vessel", "vessel without flow", "tip of a sprout (1)"]
    from matplotlib.colors import to_rgba

    assert drawn.get_facecolor()[3] == pytest.approx(to_rgba(BLOOD)) and drawn.get_facecolor()[0] == pytest.approx(1.0)


def test_maps_of_the_tissue_show_vessels_unless_told_not_to(flat):
    with_vessels = oc.plot.tissue(flat)
    assert "vessel" in [t.get_text() for t in with_vessels.get_legend().get_texts()]
    without = oc.plot.tissue(flat, vessels=False)
    assert len(without.collections) == len(with_vessels.collections) - 2


def test_courses_have_a_panel_for_all_that_was_recorded(flat):
    titles = [ax.get_title(loc="left") for ax in oc.plot.vessel_course(flat).axes]
    assert titles[:3] == ["carries blood", "length in the tissue", "inflow"] and "open lymph vessels" in titles


def test_the_report_has_a_section_and_a_movie_shows_them(flat, tmp_path):
    folder = flat.path.parent
    page = oc.report(flat, folder).read_text()
    assert "<h2>Vessels</h2>" in page and "share of the length that carries blood" in page
    assert (folder / "figures" / "vessels.png").stat().st_size > 5000
    assert oc.movie(flat, tmp_path / "m.gif", frames=2, vessels=False).is_file()


def test_a_block_in_space(block):
    pytest.importorskip("pyvista")
    assert block.is_2d is False and len(Network.of(block).rows) < len(block.vessels())
    assert oc.plot.network(block).get_title(loc="left") == "6 min, box of 200 × 200 × 200 µm"
    legend = oc.plot.network(block, color="perfused").get_legend()
    assert any(t.get_text().startswith("vessel (") for t in legend.get_texts())
    assert "vessel" in [t.get_text() for t in oc.plot.scene(block).get_legend().get_texts()]
    low, high = box_of(block, slab=True)
    assert (low[2], high[2]) == (87.5, 112.5)
    assert np.isfinite(distance_from_blood(block)).all() and math.isfinite(length_density(block))


def test_a_preview_shows_them(tmp_path):
    seen = oc.preview(oc.Model.from_text(SLICE))
    assert len(seen.network.rows) == 12 and "12 segments of vessels" in str(seen)
    assert "vessel" in [t.get_text() for t in seen.figure().get_legend().get_texts()]


@pytest.mark.parametrize(
    "words, said",
    [
        (["vessels", "--color", "flw"], "vessels have no 'flw'. Did you mean 'flow'?"),
        (["perfusion", "--color", "flow"], "a figure of 'perfusion' takes no color."),
        (["oxygen", "--no-vessels"], "a figure of 'oxygen' takes no vessels."),
        (["network"], "this tissue is 2-D."),
        (["vesels"], "Did you mean 'vessels'?"),
    ],
)
def test_slips_are_named(flat, words, said):
    told = CliRunner().invoke(app, ["plot", str(flat.path.parent), *words])
    assert told.exit_code != 0 and said in " ".join(str(told.exception or "").split() + told.output.split())


def test_without_vessels_it_is_said(tmp_path):
    bare = oc.run(oc.Model.from_text(oc.EXAMPLE), "6 min", out=tmp_path / "run")
    for draw in (oc.plot.vessels, oc.plot.perfusion, oc.plot.vessel_course):
        with pytest.raises(InputError, match="this tissue has no vessels"):
            draw(bare)
    assert len(oc.plot.tissue(bare).collections) > 0
