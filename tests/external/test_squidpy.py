"""scanpy, squidpy and spatialdata, as they are now, read our exports without a line of glue, and agree with our
statistics. In an environment of their own:  pip install -e ".[scverse,spatialdata]" squidpy pytest, then
python -m pytest tests/external/test_squidpy.py"""

import numpy as np
import pytest

import oncarium as oc

sq = pytest.importorskip("squidpy", reason="squidpy has an environment of its own, see .ci/run")
sc = pytest.importorskip("scanpy")
sd = pytest.importorskip("spatialdata")
import anndata  # noqa: E402

MODEL = """
oncarium: 1
title: For squidpy
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}
record: {cells: 30 min, fields: 30 min}
factors: {oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}}
cells: {tumor: {death: {apoptosis: 0.001 1/min}}, unused: {}, tam: {}, cd8: {}}
initial:
  - {cells: tumor, disc: {radius: 120 um}, count: 200}
  - {cells: tam, everywhere: , count: 60}
  - {cells: cd8, everywhere: , count: 40}
"""
DISTANCE = [20.0, 50.0, 100.0]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return oc.run(oc.Model.from_text(MODEL), "1 h", seed=5, out=tmp_path_factory.mktemp("squidpy") / "run")


@pytest.fixture(scope="module")
def data(result, tmp_path_factory):
    """All times, as they come back from the file."""
    path = tmp_path_factory.mktemp("h5ad") / "cells.h5ad"
    oc.export(result, path)
    return anndata.read_h5ad(path)


@pytest.fixture
def last(data):
    return data[data.obs["time"] == 60.0].copy()


def test_enrichment_counts_the_same_and_z_within_the_error_of_permutations(result, last):
    theirs = sq.gr.nhood_enrichment(
        last, "cell_type", copy=True, seed=1, n_perms=1000, n_jobs=1, show_progress_bar=False
    )
    ours = oc.spatial.enrichment(result, dead=True)
    assert ours["source"].drop_duplicates().tolist() == list(last.obs["cell_type"].cat.categories)
    assert np.array_equal(ours["count"], theirs.counts.ravel())
    z = theirs.zscore.ravel()
    error = np.sqrt(1 + z**2 / 2) * np.sqrt(2 / 1000)  # of the mean and of the deviation, of both
    assert (np.abs(ours["z"] - z) < 4 * error).all()


def test_enrichment_of_all_times_at_once(data):
    sq.gr.nhood_enrichment(
        data, "cell_type", library_key="frame", n_perms=50, seed=1, n_jobs=1, show_progress_bar=False
    )
    assert np.isfinite(data.uns["cell_type_nhood_enrichment"]["zscore"]).all()


def test_neighbors_are_those_that_squidpy_finds(data):
    again = data.copy()
    sq.gr.spatial_neighbors(again, coord_type="generic", delaunay=True, library_key="frame")
    for key in ("spatial_connectivities", "spatial_distances"):
        assert abs(again.obsp[key] - data.obsp[key]).max() < 1e-12


def test_interactions(result, last):
    theirs = sq.gr.interaction_matrix(last, "cell_type", copy=True)
    assert np.array_equal(oc.spatial.interactions(result, dead=True)["count"], theirs.ravel())
    shares = sq.gr.interaction_matrix(last, "cell_type", copy=True, normalized=True)
    assert np.allclose(oc.spatial.interactions(last, dead=True)["share"], shares.ravel(), rtol=1e-14)


def test_cooccurrence(result, last):
    theirs, _ = sq.gr.co_occurrence(last, "cell_type", interval=np.array([0.0, *DISTANCE]), copy=True)
    ours = oc.spatial.cooccurrence(result, distance=DISTANCE, dead=True)
    assert np.allclose(ours["ratio"], theirs.ravel(), rtol=1e-12, atol=0)


def test_ripley(last):
    steps = np.linspace(0, 100, 11)
    theirs = sq.gr.ripley(last, "cell_type", mode="L", copy=True, n_simulations=1, max_dist=100.0, n_steps=11)["L_stat"]
    ours = oc.spatial.ripley(last, "L", distance=steps, dead=True, simulations=0)
    for name, n in last.obs["cell_type"].value_counts().items():
        want = theirs.loc[theirs["cell_type"] == name, "stats"].to_numpy()
        assert np.allclose(ours.loc[ours["type"] == name, "value"] * n / last.n_obs, want, rtol=1e-10)


def test_other_functions_run_as_they_are(last):
    found = sq.gr.centrality_scores(last, "cell_type", copy=True, n_jobs=1)
    assert found.shape == (3, 3) and np.isfinite(found).all(axis=None)
    sq.gr.spatial_autocorr(last, mode="moran", genes=["sense.factor.oxygen"], n_jobs=1)
    assert last.uns["moranI"]["I"].item() > 0.5


def test_pictures_have_our_colors(last, result):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_hex

    axis = sc.pl.embedding(last, "spatial", color="cell_type", show=False)
    shown = {to_hex(c).upper() for c in axis.collections[0].get_facecolors()}
    assert shown == {oc.plot.color_of(result, name) for name in ("tumor", "tam", "cd8")}
    sq.pl.spatial_scatter(last, shape=None, color="cell_type")
    plt.close("all")


def test_spatialdata_opens_with_everything_in_its_place(result, tmp_path):
    oc.export(result, tmp_path / "one.zarr", at="1 h")
    back, cells = sd.read_zarr(tmp_path / "one.zarr"), result.cells("1 h")
    shapes, table = back["cells"], back["table"]
    assert np.array_equal(np.column_stack([shapes.geometry.x, shapes.geometry.y]), cells[["x", "y"]])
    assert (
        np.array_equal(shapes["radius"], cells["radius"]) and table.obs["cell_type"].tolist() == cells["type"].tolist()
    )
    box = sd.get_extent(back["fields"], coordinate_system="global")
    assert box["x"] == (-200.0, 200.0) and box["y"] == (-200.0, 200.0)
    assert np.array_equal(back["fields"].values[0], result.fields["oxygen"].sel(time=60.0).values[0].astype(np.float32))
    joined, rows = sd.join_spatialelement_table(sdata=back, spatial_element_names="cells", table_name="table")
    assert len(joined["cells"]) == len(rows) == len(cells)


def test_spatialdata_of_all_times(result, tmp_path):
    oc.export(result, tmp_path, "spatialdata")
    back = sd.read_zarr(tmp_path / "result.zarr")
    assert set(back.shapes) == {"cells_0000", "cells_0001", "cells_0002"} and len(back.images) == 3
    assert len(back["table"]) == sum(len(result.cells(t)) for t in result.times)
