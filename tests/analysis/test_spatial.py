"""Spatial statistics against closed forms, cases worked by hand, and slow twins."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import oncarium as oc
from oncarium.errors import InputError


def table(position, kind, **more):
    return pd.DataFrame({**dict(zip("xyz", np.asarray(position, float).T)), "type": kind, **more})


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(4)
    return table(rng.uniform(0, 500, (400, 2)), rng.choice(["tumor", "cd8", "tam"], 400, p=[0.6, 0.3, 0.1]))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    model = oc.Model.from_text(oc.EXAMPLE)
    return oc.run(model, "1 h", seed=2, out=tmp_path_factory.mktemp("spatial"))


def places(cloud, name=None):
    rows = cloud if name is None else cloud[cloud["type"] == name]
    return rows[["x", "y"]].to_numpy()


# -- values ------------------------------------------------------------------------------------------------------------


def test_composition_counts_per_square_millimeter():
    square = table([[0, 0], [1000, 0], [0, 1000], [1000, 1000], [500, 500]], list("aaabb"))
    found = oc.spatial.composition(square)
    assert found["cells"].tolist() == [3, 2] and found["per_mm2"].tolist() == pytest.approx([3.0, 2.0])
    assert found["share"].tolist() == [0.6, 0.4]


def test_composition_of_a_result_is_of_its_domain(result):
    grid = result.attrs["grid"]
    area = np.prod(grid["spacing"][:2]) * np.prod(grid["shape"][1:])
    found = oc.spatial.composition(result, 0)
    assert found["per_mm2"].tolist() == [20 / area * 1e6] and found["time"].tolist() == [0.0]


def test_nearest_distances_are_the_least_of_all(cloud):
    far = cdist(places(cloud, "cd8"), places(cloud, "tumor")).min(axis=1)
    found = oc.spatial.distances(cloud, "cd8", "tumor")["distance"].to_numpy()
    assert np.allclose(found, far, rtol=1e-14, atol=0)
    own = cdist(places(cloud, "tam"), places(cloud, "tam")) + np.diag(np.full(len(places(cloud, "tam")), np.inf))
    row = oc.spatial.nearest(cloud).query("source == 'tam' and target == 'tam'").iloc[0]
    assert row["median"] == pytest.approx(np.median(own.min(axis=1))) and row["cells"] == len(own)


def test_interactions_and_enrichment_of_a_worked_case():
    # a chain a a b b with neighbors at 10 um: links aa, ab, bb
    chain = table([[0, 0], [10, 0], [20, 0], [30, 0]], list("aabb"))
    assert oc.spatial.interactions(chain, neighbors=10)["count"].tolist() == [2, 1, 1, 2]
    assert oc.spatial.interactions(chain, neighbors=10)["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3, 2 / 3])
    # of the six arrangements of two a and two b, aa links: 1 in aabb, bbaa, baab; 0 in abab, baba, abba
    found = oc.spatial.enrichment(chain, neighbors=10, permutations=4000, seed=1).iloc[0]
    assert found["count"] == 2
    assert found["expected"] == pytest.approx(1.0, abs=0.05) and found["sd"] == pytest.approx(1.0, abs=0.01)
    assert found["z"] == pytest.approx(1.0, abs=0.06)


def test_assortativity_of_worked_cases():
    apart = table([[0, 0], [10, 0], [100, 0], [110, 0]], list("aabb"))
    assert oc.spatial.assortativity(apart, neighbors=10)["assortativity"].item() == pytest.approx(1.0)
    turns = table([[0, 0], [10, 0], [20, 0], [30, 0]], list("abab"))
    assert oc.spatial.assortativity(turns, neighbors=10)["assortativity"].item() == pytest.approx(-1.0)


def test_mixing_counts_pairs_once():
    line = table([[0, 0], [10, 0], [20, 0], [30, 0], [40, 0]], ["tumor", "cd8", "cd8", "tam", "tumor"])
    found = oc.spatial.mixing(line, neighbors=10).iloc[0]
    assert (found["tumor_immune"], found["immune_immune"], found["mixing"]) == (2, 2, 1.0)
    assert np.isnan(oc.spatial.mixing(line, immune="tam", neighbors=10)["mixing"].item())


def test_cooccurrence_is_its_definition(cloud):
    names, reach = sorted(set(cloud["type"])), [30.0, 80.0]
    found = oc.spatial.cooccurrence(cloud, distance=reach)
    for step in reach:
        count = np.array(
            [[(cdist(places(cloud, a), places(cloud, b)) <= step).sum() for b in names] for a in names], float
        )
        count -= np.diag([(cloud["type"] == a).sum() for a in names])
        ratio = (count / count.sum(axis=0)) / (count.sum(axis=1) / count.sum())[:, None]
        rows = found[found["distance"] == step]
        assert np.allclose(rows["ratio"].to_numpy().reshape(3, 3), ratio, rtol=1e-13, atol=0)


def test_k_g_and_f_of_a_lattice():
    x, y = np.meshgrid(np.arange(40) * 10.0, np.arange(40) * 10.0)
    lattice = table(np.column_stack([x.ravel(), y.ravel()]), ["a"] * 1600)
    steps = [9.9, 10.1, 14.2]
    pairs = 2 * 2 * 40 * 39  # neighbors across and along, both ways
    k = oc.spatial.ripley(lattice, "K", distance=steps, simulations=0)["value"].to_numpy()
    assert k[:2] == pytest.approx([0.0, pairs * 390.0**2 / 1600**2])
    assert k[2] == pytest.approx((pairs + 4 * 39 * 39) * 390.0**2 / 1600**2)
    assert oc.spatial.ripley(lattice, "G", distance=steps, simulations=0)["value"].tolist() == [0.0, 1.0, 1.0]
    f = oc.spatial.ripley(lattice, "F", distance=[5.0, 7.1], simulations=0)["value"].to_numpy()
    assert f[0] == pytest.approx(np.pi / 4, abs=0.04) and f[1] == 1.0


def test_points_by_chance_stay_within_the_band_and_clumps_do_not():
    rng = np.random.default_rng(8)
    even = rng.uniform(0, 1000, (600, 2))
    clumps = (rng.uniform(200, 800, (20, 1, 2)) + rng.normal(0, 15, (20, 30, 2))).reshape(-1, 2)
    both = pd.concat([table(even, "even"), table(clumps, "clumped")], ignore_index=True)
    found = oc.spatial.ripley(both, "L", distance=[20.0, 40.0, 60.0], seed=3)
    inside = (found["value"] <= found["high"]) & (found["value"] >= found["low"])
    assert inside[found["type"] == "even"].all()
    assert (found["value"] > 2 * found["high"])[found["type"] == "clumped"].all()


def test_infiltration_of_a_disc():
    rng = np.random.default_rng(1)
    angle, radius = rng.uniform(0, 2 * np.pi, 4000), 200 * np.sqrt(rng.uniform(0, 1, 4000))
    disc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    ring = np.column_stack([300 * np.cos(np.arange(72)), 300 * np.sin(np.arange(72))])
    corners = [[-500, -500], [500, 500], [-500, 500], [500, -500]]
    cells = pd.concat([table(disc, "tumor"), table(ring, "cd8"), table(corners, "other")], ignore_index=True)
    found = oc.spatial.infiltration(cells, width=50.0)
    inside = found.query("type == 'tumor'")
    assert inside.loc[inside["distance"] < 0, "area_mm2"].sum() == pytest.approx(np.pi * 0.2**2, rel=0.02)
    middle = inside.query("-150 < distance < -40")["per_mm2"]
    assert np.allclose(middle, 4000 / (np.pi * 0.2**2), rtol=0.08)
    where = found.query("type == 'cd8' and cells > 0")["distance"]
    assert set(where) <= {75.0, 125.0}  # 100 um outside


def test_infiltration_fills_a_necrotic_core_and_leaves_single_cells_out():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    shell = [r * np.column_stack([np.cos(angle), np.sin(angle)]) for r in (150, 160, 170)]
    cells = pd.concat(
        [table(np.concatenate(shell), "tumor"), table([[0, 0]], "cd8"), table([[400, 400]], "tumor")], ignore_index=True
    )
    found = oc.spatial.infiltration(cells, width=20.0)
    assert found.query("type == 'cd8' and cells == 1")["distance"].item() < -140
    assert found.query("type == 'tumor' and distance > 300")["cells"].sum() == 1


def test_space_has_three_dimensions():
    rng = np.random.default_rng(2)
    ball = rng.normal(size=(900, 3))
    ball *= 100 * rng.uniform(0, 1, (900, 1)) ** (1 / 3) / np.linalg.norm(ball, axis=1, keepdims=True)
    cells = table(ball, ["tumor"] * 800 + ["cd8"] * 100)
    assert "per_mm3" in oc.spatial.composition(cells)
    volume = oc.spatial.infiltration(cells, width=50.0).query("type == 'tumor' and distance < 0")["volume_mm3"].sum()
    # the border runs through the centres of the outer cells, which lie 5 to 10 um below the surface
    assert 4 / 3 * np.pi * 0.09**3 < volume < 4 / 3 * np.pi * 0.1**3
    k = oc.spatial.ripley(cells, "L", distance=[20.0], simulations=0)
    assert k.loc[k["type"] == "tumor", "value"].item() == pytest.approx(20.0, rel=0.15)
    assert oc.spatial.enrichment(cells, permutations=50)["z"].abs().max() < 4


# -- what it is given --------------------------------------------------------------------------------------------------


def test_tables_under_other_names_and_anndata_are_alike(cloud):
    anndata = pytest.importorskip("anndata")
    other = cloud.rename(columns={"x": "X_centroid", "y": "Y_centroid", "type": "phenotype"})
    names = {"x": "X_centroid", "y": "Y_centroid", "type": "phenotype"}
    want = oc.spatial.interactions(cloud)
    assert oc.spatial.interactions(other, columns=names).equals(want)
    data = anndata.AnnData(obs=pd.DataFrame({"leiden": cloud["type"].astype("category").to_numpy()}))
    data.obsm["spatial"] = cloud[["x", "y"]].to_numpy()
    assert oc.spatial.interactions(data, columns={"type": "leiden"}).equals(want)


def test_a_result_its_table_and_its_anndata_are_alike(result):
    pytest.importorskip("anndata")
    want = oc.spatial.cooccurrence(result, "1 h", distance=[20, 50])
    data = result.to_anndata("all")
    assert oc.spatial.cooccurrence(data, "1 h", distance=[20, 50]).equals(want)
    assert oc.spatial.cooccurrence(result, "all", distance=[20])["time"].tolist() == [0.0, 60.0]
    assert oc.spatial.cooccurrence(data, "all", distance=[20]).equals(
        oc.spatial.cooccurrence(result, "all", distance=[20])
    )


def test_the_dead_are_counted_when_asked(cloud):
    marked = cloud.assign(dead=np.arange(len(cloud)) < 100)
    assert oc.spatial.composition(marked)["cells"].sum() == 300
    assert oc.spatial.composition(marked, dead=True)["cells"].sum() == 400


def test_the_same_seed_gives_the_same_numbers(cloud):
    one, two = (oc.spatial.enrichment(cloud, permutations=20, seed=5) for _ in range(2))
    other = oc.spatial.enrichment(cloud, permutations=20, seed=6)
    assert one.equals(two) and not one["z"].equals(other["z"]) and one["count"].equals(other["count"])


SMALL = table([[0, 0], [10, 0], [0, 10]], ["a", "a", "b"])


@pytest.mark.parametrize(
    "ask, said",
    [
        (lambda: oc.spatial.composition(SMALL.drop(columns="x").rename(columns={"y": "Y"})), "no column 'x'"),
        (
            lambda: oc.spatial.composition(SMALL.assign(x=[0, np.nan, np.nan])),
            r"in 2 of 3 rows \(first: row 1, 'nan'\)",
        ),
        (lambda: oc.spatial.composition(SMALL.assign(x=["1", "a", "2"])), "'a'"),
        (lambda: oc.spatial.composition(SMALL.assign(type=[None, "a", "b"])), "type is missing in 1 of 3"),
        (lambda: oc.spatial.composition(SMALL[:0]), "no cell"),
        (lambda: oc.spatial.composition([1, 2]), "list holds no cells"),
        (lambda: oc.spatial.composition(SMALL, "1 h"), "no column of times"),
        (lambda: oc.spatial.composition(SMALL.assign(time=60.0), "2 h"), "nearest time is 60 min"),
        (lambda: oc.spatial.composition(SMALL, columns={"typ": "type"}), "Did you mean 'type'"),
        (lambda: oc.spatial.composition(SMALL, columns={"type": "phenotype"}), "'phenotype' for type"),
        (lambda: oc.spatial.distances(SMALL, "a", "bb"), "no cell type is called 'bb'"),
        (lambda: oc.spatial.enrichment(SMALL[:2]), "all cells are a"),
        (lambda: oc.spatial.enrichment(SMALL, permutations=1), "too few"),
        (lambda: oc.spatial.interactions(SMALL[:1]), "1 cell is too few"),
        (lambda: oc.spatial.cooccurrence(SMALL[:1]), "1 cell is too few"),
        (lambda: oc.spatial.cooccurrence(SMALL, distance=[-1]), "expected distances"),
        (lambda: oc.spatial.interactions(SMALL, neighbors="delauney"), "Did you mean 'delaunay'"),
        (lambda: oc.spatial.interactions(SMALL, neighbors=0), "0 is none"),
        (lambda: oc.spatial.interactions(SMALL, neighbors="contact"), "needs the radius"),
        (lambda: oc.spatial.ripley(SMALL, "Q"), "Known: K, L, G, F"),
        (lambda: oc.spatial.ripley(SMALL[:2]), "one line or are too few"),
        (lambda: oc.spatial.ripley(SMALL, simulations=-1), "negative"),
        (lambda: oc.spatial.infiltration(SMALL), "called 'tumor'"),
        (lambda: oc.spatial.infiltration(SMALL, "a", reach=1), "form no mass"),
        (lambda: oc.spatial.infiltration(SMALL, "a", width=0), "more than 0 um"),
        (lambda: oc.spatial.mixing(SMALL, "a", ["a", "b"]), "as tumor and as immune"),
        (lambda: oc.plot.cooccurrence(SMALL, "c"), "no c cell"),
        (lambda: oc.plot.enrichment(SMALL, "all"), "shows one time"),
    ],
)
def test_bad_input_is_answered(ask, said):
    with pytest.raises(InputError, match=said):
        ask()


def test_all_problems_of_a_table_at_once():
    bad = table([[0, np.nan], [np.inf, 1], [2, 2]], ["a", None, "b"])
    with pytest.raises(InputError) as told:
        oc.spatial.composition(bad)
    assert all(word in str(told.value) for word in ("x is no finite", "y is no finite", "type is missing"))


# -- figures -----------------------------------------------------------------------------------------------------------


def test_figures_show_what_was_measured(cloud):
    ax = oc.plot.enrichment(cloud, permutations=50)
    z = oc.spatial.enrichment(cloud, permutations=50)["z"].to_numpy().reshape(3, 3)
    assert np.array_equal(ax.images[0].get_array(), z) and len(ax.texts) == 9
    ax = oc.plot.cooccurrence(cloud, "tumor", distance=[10, 20, 30])
    assert [line.get_label() for line in ax.lines[:3]] == ["cd8", "tam", "tumor"]
    assert ax.lines[0].get_xdata().tolist() == [10, 20, 30]
    ax = oc.plot.infiltration(cloud)
    assert {line.get_label().split()[0] for line in ax.lines[:2]} == {"cd8", "tam"}


def test_a_section_shows_what_it_cuts():
    """Balls at random in a thick block of known density: a section cuts those within (t + d) / 2 of its middle."""
    rng, n, side, depth, d, t = np.random.default_rng(1), 200_000, 2000.0, 400.0, 13.0, 5.0
    z = rng.uniform(0.0, depth, n)
    cut = (np.abs(z - 200.0) <= 0.5 * t + 0.5 * d).sum() / (side * side * 1e-6)
    slab = ((z >= 180.0) & (z < 192.0)).sum() / (side * side * 1e-6)
    assert oc.spatial.section(slab, d, 12.0) == pytest.approx(cut, rel=0.03)
    assert oc.spatial.section(100.0, 0.0, 10.0, 10.0) == 100.0, "points in a section of the same thickness"


@pytest.mark.parametrize("wrong", [{"slab": 0.0}, {"diameter": -1.0}, {"per_mm2": float("nan")}, {"thickness": -5.0}])
def test_a_section_of_nothing_is_refused(wrong):
    with pytest.raises(InputError):
        oc.spatial.section(**{"per_mm2": 5000.0, "diameter": 17.0, "slab": 12.0, **wrong})
