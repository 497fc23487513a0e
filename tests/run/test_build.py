"""A model becomes a tissue: every placement puts the right cells into the right place, again and again."""

import numpy as np
import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model
from oncarium.run.build import build

PLANE = "{x: [-200 um, 200 um], y: [-150 um, 150 um], voxel: 10 um}"
BOX = "{x: [-100 um, 100 um], y: [-100 um, 100 um], z: [-100 um, 100 um], voxel: 20 um}"


def model_of(*placements, domain=PLANE, folder="."):
    lines = "\n".join(f"  - {{{p}}}" for p in placements)
    return Model.from_text(
        f"oncarium: 1\ndomain: {domain}\ncells: {{tumor: {{}}, cd8: {{}}}}\ninitial:\n{lines}\n", folder=folder
    )


def cells_of(*placements, seed=1, **options):
    return build(model_of(*placements, **options), seed)[0].cells


def test_cells_at_random_lie_in_their_disc_and_fill_it_evenly():
    cells = cells_of("cells: tumor, disc: {radius: 100 um, center: [50 um, 20 um]}, count: 4000")
    away = cells.position - [50.0, 20.0, 0.0]
    squared = (away**2).sum(axis=1)
    assert cells.n == 4000 and squared.max() <= 100.0**2
    assert (cells.position[:, 2] == 0.0).all()
    quarters = np.histogram(squared, 4, (0.0, 1e4))[0]  # rings of equal area
    assert (np.abs(quarters - 1000) < 4 * np.sqrt(750)).all()
    assert np.abs(away.mean(axis=0)).max() < 4 * 50.0 / np.sqrt(4000)


def test_cells_at_random_lie_in_their_ring():
    distance = np.linalg.norm(
        cells_of("cells: tumor, ring: {inner: 80 um, outer: 100 um}, count: 500").position, axis=1
    )
    assert len(distance) == 500 and distance.min() >= 80.0 and distance.max() <= 100.0


@pytest.mark.parametrize(
    "region, inner", [("ball: {radius: 80 um}", 0.0), ("shell: {inner: 60 um, outer: 80 um}", 60.0)]
)
def test_cells_at_random_lie_in_their_ball_or_shell(region, inner):
    cells = cells_of(f"cells: tumor, {region}, count: 2000", domain=BOX)
    distance = np.linalg.norm(cells.position, axis=1)
    assert cells.n == 2000 and distance.min() >= inner and distance.max() <= 80.0
    eighths = np.histogramdd(cells.position, (2, 2, 2))[0]
    assert (np.abs(eighths - 250) < 4 * np.sqrt(250 * 7 / 8)).all()
    halves = np.histogram(distance**3, 2, (inner**3, 80.0**3))[0]  # of equal volume
    assert abs(halves[0] - 1000) < 4 * np.sqrt(500)


def test_a_disc_in_space_is_a_cylinder():
    position = cells_of("cells: tumor, disc: {radius: 50 um}, count: 800", domain=BOX).position
    assert np.linalg.norm(position[:, :2], axis=1).max() <= 50.0
    assert position[:, 2].min() < -90.0 and position[:, 2].max() > 90.0


@pytest.mark.parametrize("how", ["count: 500", "packing: hexagonal, spacing: 16 um"])
def test_cells_lie_in_their_box(how):
    position = cells_of(f"cells: tumor, box: {{x: [-150 um, -20 um], y: [10 um, 90 um]}}, {how}").position
    assert position[:, 0].min() >= -150.0 and position[:, 0].max() <= -20.0
    assert position[:, 1].min() >= 10.0 and position[:, 1].max() <= 90.0
    # no row more would fit
    assert np.ptp(position[:, 0]) > 130.0 - 2 * 16.0 and np.ptp(position[:, 1]) > 80.0 - 2 * 13.9


def test_an_open_side_of_a_box_is_that_of_the_domain():
    position = cells_of("cells: tumor, box: {x: [0 um, 50 um]}, count: 500").position
    assert position[:, 0].min() >= 0.0 and position[:, 0].max() <= 50.0
    assert position[:, 1].min() < -140.0 and position[:, 1].max() > 140.0


@pytest.mark.parametrize("how", ["count: 500", "packing: hexagonal, spacing: 16 um"])
def test_a_disc_that_the_domain_cuts_keeps_its_cells_inside(how):
    position = cells_of(f"cells: tumor, disc: {{radius: 100 um, center: [200 um, 0 um]}}, {how}").position
    assert position[:, 0].max() <= 200.0 and np.linalg.norm(position - [200.0, 0.0, 0.0], axis=1).max() <= 100.0
    assert position[:, 0].min() < 110.0


@pytest.mark.parametrize("how", ["count: 5", "packing: hexagonal"])
def test_a_region_beyond_the_domain_is_refused(how):
    far = ("disc: {radius: 50 um, center: [300 um, 0 um]}", "box: {x: [300 um, 400 um]}")
    for where in (*far, "ring: {inner: 1 um, outer: 1.0000001 um, center: [30 um, 0 um]}"):
        with pytest.raises(ModelError, match="must lie in the domain"):
            cells_of(f"cells: tumor, {where}, {how}")


def test_a_thin_ring_holds_cells_that_find_their_place():
    """As little of its box is ring as cells can find."""
    cells = cells_of("cells: tumor, ring: {inner: 49.8 um, outer: 50 um}, count: 100")
    r = np.linalg.norm(cells.position[:, :2], axis=1)
    assert cells.n == 100 and r.min() >= 49.8 and r.max() <= 50.0


def neighbors_of(position, spacing):
    gap = np.linalg.norm(position[:, None] - position[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    return gap.min(axis=1), (gap < spacing * 1.001).sum(axis=1)


def test_hexagonal_packing_of_the_plane():
    spacing = 14.0
    position = cells_of(f"cells: tumor, disc: {{radius: 140 um}}, packing: hexagonal, spacing: {spacing} um").position
    nearest, count = neighbors_of(position, spacing)
    np.testing.assert_allclose(nearest, spacing, rtol=1e-12)
    inside = np.linalg.norm(position, axis=1) < 140.0 - spacing
    assert (count[inside] == 6).all() and inside.sum() > 200
    assert len(position) == pytest.approx(np.pi * 140.0**2 / (np.sqrt(0.75) * spacing**2), rel=0.02)
    assert (np.linalg.norm(position, axis=1) == 0.0).sum() == 1


def test_hexagonal_packing_of_space():
    spacing = 16.0
    position = cells_of(
        f"cells: tumor, ball: {{radius: 80 um}}, packing: hexagonal, spacing: {spacing} um", domain=BOX
    ).position
    nearest, count = neighbors_of(position, spacing)
    np.testing.assert_allclose(nearest, spacing, rtol=1e-12)
    inside = np.linalg.norm(position, axis=1) < 80.0 - spacing
    assert (count[inside] == 12).all() and inside.sum() > 200
    assert len(position) == pytest.approx(4.0 / 3.0 * np.pi * 80.0**3 * np.sqrt(2.0) / spacing**3, rel=0.03)


def test_cells_of_hexagonal_packing_touch_where_no_spacing_is_given():
    cells = cells_of("cells: tumor, disc: {radius: 100 um}, packing: hexagonal")
    np.testing.assert_allclose(neighbors_of(cells.position, 17.0)[0], 1.9 * cells["radius"], rtol=1e-12)


def test_tables_keep_every_row_in_its_place_and_order(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y,z,type\n1,2,3,cd8\n-4.5,5,6,tumor\n\n7e1,8,9,cd8\n")
    (tmp_path / "more.csv").write_text("y,x\n1,2\n")
    cells = cells_of("table: cells.csv", "cells: tumor, table: more.csv", domain=BOX, folder=tmp_path)
    assert cells.position.tolist() == [[1, 2, 3], [-4.5, 5, 6], [70, 8, 9], [2, 1, 0]]
    assert [cells.types[k] for k in cells.type] == ["cd8", "tumor", "cd8", "tumor"]
    assert cells.id.tolist() == [0, 1, 2, 3]


def test_cells_of_a_table_lie_in_the_plane(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y,z,type\n1,2,30,cd8\n")
    assert cells_of("table: cells.csv", folder=tmp_path).position.tolist() == [[1, 2, 0]]


def test_equal_seeds_place_alike_and_other_seeds_otherwise():
    disc = "cells: tumor, disc: {radius: 100 um}, count: 200"
    first, again, other = (cells_of(disc, seed=s).position for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not (first == other)[:, :2].any()


def test_a_later_placement_leaves_the_earlier_ones_in_place():
    disc = "cells: tumor, disc: {radius: 100 um}, count: 200"
    alone = cells_of(disc)
    for later in (
        "cells: cd8, disc: {radius: 50 um}, count: 70",
        "cells: tumor, box: {x: [0 um, 50 um]}, packing: hexagonal",
    ):
        both = cells_of(disc, later)
        assert np.array_equal(both.position[:200], alone.position) and both.n > 200


def test_no_two_cells_at_random_share_a_place():
    cells = cells_of(*["cells: tumor, disc: {radius: 100 um}, count: 100"] * 3)
    assert len(np.unique(cells.position, axis=0)) == 300


def test_no_cells_are_a_tissue_too():
    cells = cells_of("cells: tumor, disc: {radius: 100 um}, count: 0")
    assert cells.n == 0 and cells.position.shape == (0, 3)


def test_types_and_fields_start_as_the_model_says():
    model = Model.from_text("""
oncarium: 1
domain: {x: [0 um, 100 um], y: [0 um, 60 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, initial: 30 mmHg, boundary: {xmin: 38 mmHg}}
cells:
  tumor: {volume: {total: 1000 um^3, nuclear: 200 um^3}}
  cd8: {motility: {speed: 2 um/min, sensitivity: {oxygen: 0.5}}}
initial:
  - {cells: tumor, everywhere: , count: 3}
  - {cells: cd8, everywhere: , count: 2}
""")
    tissue = build(model, 1)[0]
    cells, fields = tissue.cells, tissue.fields
    assert cells.types == ("tumor", "cd8") and cells.type.tolist() == [0, 0, 0, 1, 1]
    assert cells["volume.total"].tolist() == [1000.0] * 3 + [2494.0] * 2
    assert cells["motility.speed"].tolist() == [0.0] * 3 + [2.0] * 2
    assert cells["motility.sensitivity"][:, 0].tolist() == [0.0] * 3 + [0.5] * 2
    assert fields.shape == (1, 1, 3, 5) and (fields.value == 30.0).all() and fields.units == ("mmHg",)
    assert fields.outside[0, 0] == 38.0 and fields.kind[0].tolist() == [1, 0, 0, 0, 0, 0]
