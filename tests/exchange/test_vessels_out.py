"""Vessels in other programs' formats: networkx and pyvista read back what is there, tables carry units."""

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.errors import InputError

MODEL = """
domain: {x: [0 um, 200 um], y: [0 um, 200 um], z: [0 um, 200 um], voxel: 25 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 12 min
record: {cells: 6 min, fields: 6 min}
factors: {oxygen: {library: oxygen, boundary: no-flux}}
cells: {tumor: {library: tumor_simple}}
initial: [{cells: tumor, ball: {center: [100 um, 100 um, 100 um], radius: 30 um}, packing: hexagonal, spacing: 16 um}]
vessels: {mesh: {spacing: 80 um, feeders: 150 um}}
fluid: {lymph: {density: 1}, drainage: {}}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return oc.run(oc.Model.from_text(MODEL), out=tmp_path_factory.mktemp("block") / "run")


def test_networkx_reads_the_graph(result, tmp_path):
    networkx = pytest.importorskip("networkx")
    (file,) = oc.export(result, tmp_path / "v.graphml", at="12 min")
    graph, table = networkx.read_graphml(file, force_multigraph=True), result.vessels()
    assert graph.is_directed() and graph.graph["time"] == 12.0
    assert graph.number_of_edges() == len(table) and graph.number_of_nodes() == len(set(table["a"]) | set(table["b"]))
    for a, b, row in zip(table["a"], table["b"], table.to_dict("records")):
        (told,) = (d for d in graph[f"n{a}"][f"n{b}"].values() if d["length"] == pytest.approx(row["length"]))
        for name in ("radius", "flow", "haematocrit", "oxygen", "coverage", "age", "perfused", "lumen"):
            assert told[name] == pytest.approx(row[name], rel=1e-7), name
        place = [graph.nodes[f"n{a}"][axis] for axis in "xyz"]
        assert place == pytest.approx([row["ax"], row["ay"], row["az"]], rel=1e-7)
    assert "<desc>nl/min</desc>" in file.read_text()


def test_several_times_are_several_graphs(result, tmp_path):
    names = [p.name for p in oc.export(result, tmp_path / "all", to="graphml")]
    assert names == ["vessels_0000.graphml", "vessels_0001.graphml", "vessels_0002.graphml"]


def test_pyvista_reads_the_lines(result, tmp_path):
    pyvista = pytest.importorskip("pyvista")
    oc.export(result, tmp_path, to="vtk")
    mesh, table = pyvista.read(tmp_path / "vessels" / "vessels_0002.vtp"), result.vessels()
    assert mesh.n_cells == mesh.n_lines == len(table)
    ends = mesh.points[mesh.lines.reshape(-1, 3)[:, 1:]]
    assert np.array_equal(ends[:, 0], table[["ax", "ay", "az"]]) and np.array_equal(
        ends[:, 1], table[["bx", "by", "bz"]]
    )
    assert np.array_equal(mesh.cell_data["flow (nl/min)"], table["flow"])
    assert np.array_equal(mesh.cell_data["radius"], table["radius"])
    assert np.array_equal(mesh.cell_data["perfused"], table["perfused"])
    assert {"pressure (mmHg)", "id", "tip"} <= set(mesh.point_data.keys())
    reader = pyvista.get_reader(tmp_path / "vessels.pvd")
    assert reader.time_values == [0.0, 6.0, 12.0]
    image = pyvista.read(tmp_path / "fields" / "fields_0000.vti")
    assert {"oxygen (mmHg)", "fluid.pressure (mmHg)", "fluid.stress (kPa)"} <= set(image.cell_data.keys())


def test_tables_have_nodes_segments_and_their_units(result, tmp_path):
    names = [p.name for p in oc.export(result, tmp_path, to="csv")]
    assert {"nodes.csv", "segments.csv"} <= set(names)
    nodes, segments, about = (pd.read_csv(tmp_path / f"{n}.csv") for n in ("nodes", "segments", "columns"))
    now = segments[segments["time"] == 12.0].reset_index(drop=True)
    told = result.vessels()
    for name in ("a", "b", "radius", "flow", "oxygen", "perfused"):
        np.testing.assert_allclose(now[name], told[name], rtol=1e-7)
    place = nodes[nodes["time"] == 12.0].set_index("id").loc[now["b"], ["x", "y", "z"]]
    np.testing.assert_allclose(place, told[["bx", "by", "bz"]])
    units = about.set_index(["table", "column"])["unit"]
    assert units["segments", "flow"] == "nl/min" and units["nodes", "pressure"] == "mmHg"
    for table, frame in (("nodes", nodes), ("segments", segments)):
        assert list(units[table].index) == list(frame.columns)
    assert "fluid.pressure" in pd.read_csv(tmp_path / "fields.csv", nrows=1).columns


def test_images_carry_what_fluid_does(result, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    oc.export(result, tmp_path, to="ome-tiff", at="12 min")
    with tifffile.TiffFile(next(tmp_path.glob("fields*"))) as image:
        assert image.series[0].shape[image.series[0].axes.index("C")] == len(result.fields)


def test_without_vessels_it_is_said(tmp_path):
    bare = oc.run(oc.Model.from_text(oc.EXAMPLE), "6 min", out=tmp_path / "run")
    with pytest.raises(InputError, match="this tissue has no vessels"):
        oc.export(bare, tmp_path / "out", to="graphml")
    assert not (tmp_path / "out").exists()
    assert "segments.csv" not in [p.name for p in oc.export(bare, tmp_path / "out", to="csv")]
