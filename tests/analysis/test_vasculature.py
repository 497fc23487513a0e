"""How dense and how far apart vessels are, against straight vessels that can be counted by hand."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.analysis.vasculature import vasculature
from oncarium.errors import InputError

SLICE = """
name: Counted
domain: {x: [0 um, 400 um], y: [0 um, 400 um], thickness: 20 um, voxel: 20 um}
until: 6 min
factors:
  oxygen: {unit: mmHg, diffusion: 120000 um^2/min, decay: 10 1/min, initial: 20 mmHg}
cells: {tumor: {}, other: {}}
initial: [{cells: tumor, disc: {center: [200 um, 200 um], radius: 150 um}, count: 40}]
"""


@pytest.fixture(scope="module")
def columns():
    return oc.run(oc.Model.from_text(SLICE + "vessels: {columns: {density: 75 1/mm^2 assumed}}"), seed=2)


def test_columns_are_counted_by_what_lies_in_the_slice(columns):
    seen = vasculature(columns)
    assert seen.density == pytest.approx(75.0, rel=0.02)  # 12 vessels in 0.16 mm^2
    assert seen.apart == pytest.approx(115.5, rel=0.02) and seen.perfused == 1.0


def test_the_distance_is_that_of_the_nearest_vessel(columns):
    cells = columns.cells()[["x", "y"]].to_numpy()
    crossing = columns.vessels()[["bx", "by"]].to_numpy()[::2]
    far = np.linalg.norm(cells[:, None] - crossing[None], axis=2).min(axis=1)
    assert vasculature(columns, of="tumor").distance == pytest.approx(np.median(far), abs=2.0)
    assert np.isnan(vasculature(columns, of="other").distance)


def test_read_outs_name_what_there_is(columns):
    assert read_out(columns, {"measure": "vessels", "name": "perfused"}) == 1.0
    assert read_out(columns, {"measure": "tissue", "name": "vessels.segments"}) == 24.0
    with pytest.raises(InputError, match="Did you mean 'density'"):
        read_out(columns, {"measure": "vessels", "name": "densty"})
    with pytest.raises(InputError, match="Did you mean 'vessels.perfused'"):
        read_out(columns, {"measure": "tissue", "name": "vessels.perfusd"})
    with pytest.raises(InputError, match="no cell type is called 'tumr'"):
        read_out(columns, {"measure": "vessels", "name": "distance", "of": "tumr"})


def test_a_result_without_vessels_says_so():
    result = oc.run(oc.Model.from_text(SLICE), seed=2)
    with pytest.raises(InputError, match="no vessels"):
        vasculature(result)


def test_parallel_vessels_in_three_dimensions(tmp_path):
    """16 vessels along x in a cube of 400 um: a section across cuts 100 per mm^2; half the length per volume is 50."""
    rows = [(y, z) for y in range(50, 400, 100) for z in range(50, 400, 100)]
    nodes = ["id,x_um,y_um,z_um,boundary,value"]
    segments = ["id,a,b,diameter_um,length_um"]
    for k, (y, z) in enumerate(rows):
        nodes += [f"a{k},0,{y},{z},pressure_mmHg,25", f"b{k},400,{y},{z},pressure_mmHg,{15 if k else 25}"]
        segments.append(f"s{k},a{k},b{k},8,400")
    (tmp_path / "nodes.csv").write_text("\n".join(nodes) + "\n")
    (tmp_path / "segments.csv").write_text("\n".join(segments) + "\n")
    text = SLICE.replace("thickness: 20 um", "z: [0 um, 400 um]").replace("voxel: 20", "voxel: 40")
    text = text.replace("disc: {center: [200 um, 200 um], radius: 150 um}", "everywhere: {}")
    seen = vasculature(oc.run(oc.Model.from_text(text + "vessels: {given: {folder: .}}", folder=tmp_path), seed=1))
    assert seen.density == pytest.approx(50.0)
    assert seen.perfused == pytest.approx(15 / 16) and 20.0 < seen.distance < 60.0
