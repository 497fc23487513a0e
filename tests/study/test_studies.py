"""Replicates, sweeps and comparisons: what is run, what is kept, what is refused, and numbers worked out otherwise."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.analysis.compare_page import interval, readouts, together
from oncarium.errors import DataError, InputError, ModelError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run.results import Results
from oncarium.study.design import read_seeds, sweep_settings

EXIT = "cells.tumor.cycle.exit"


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def repeated(model, folder):
    return oc.repeat(model, 4, "6 h", out=folder / "repeat", workers=1)


@pytest.fixture(scope="module")
def swept(model, folder):
    values = {EXIT: ["0.02 1/h", "0.5 1/h"], "factors.oxygen.decay": ["0.1 1/min", "1 1/min"]}
    return oc.sweep(
        model,
        values,
        2,
        "4 h",
        out=folder / "sweep",
        workers=2,
        readouts=["live.tumor at end", "mean.oxygen at last 1 h"],
    )


# -- replicates ------------------------------------------------------------------------------------


def test_a_replicate_is_the_run_with_that_seed(model, repeated, tmp_path):
    straight = oc.run(model, "6 h", 3, out=tmp_path / "one", threads=1)
    assert repeated.seeds == [1, 2, 3, 4] and repeated["A small tumor", 3].digest == straight.digest
    assert len({r.digest for r in repeated}) == 4


def test_bands_are_quantiles_over_the_seeds(repeated):
    live = np.array([r.summary["live.tumor"] for r in repeated])
    band = repeated.bands("live.tumor")
    assert np.allclose(band[["low", "median", "high"]].T, np.quantile(live, [0.05, 0.5, 0.95], axis=0))
    assert band["n"].tolist() == [4] * live.shape[1] and band["time"].tolist() == repeated[0].times.tolist()


def test_long_form_holds_every_number(repeated):
    long = repeated.curves(["live.tumor", "mean.oxygen"])
    wide = long.pivot(index="time", columns=["quantity", "seed"], values="value")
    for r in repeated:
        assert np.array_equal(wide["mean.oxygen"][r.seed], r.summary["mean.oxygen"])
    assert set(long["unit"]) == {"1", "mmHg"} and len(long) == 4 * 7 * 2


def test_seeds_that_stopped_earlier_are_counted(model, tmp_path):
    results = oc.repeat(model, 4, "12 h", out=tmp_path, workers=1, stop_when="live.tumor >= 24")
    band, ends = results.bands("live.tumor"), sorted(r.times[-1] for r in results)
    assert (
        len(set(ends)) > 1
        and all(results.table["finished"])
        and set(results.table["stopped"]) <= {"live.tumor >= 24", ""}
    )
    for t, n in zip(band["time"], band["n"]):
        assert n == sum(end >= t for end in ends)


def test_workers_change_nothing_and_what_is_there_is_not_run_again(model, repeated, folder, tmp_path):
    other = oc.repeat(model, 4, "6 h", out=tmp_path, workers=2)
    for name in ("table.csv", "curves.csv"):
        here, there = ((f / name).read_text().replace(str(f), "") for f in (tmp_path, folder / "repeat"))
        assert here == there
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("run.index")}
    (tmp_path / "table.csv").unlink()
    again = oc.repeat(model, 4, "6 h", out=tmp_path, workers=2)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("run.index")} == before and (
        tmp_path / "table.csv"
    ).exists()
    assert [r.digest for r in again] == [r.digest for r in other] == [r.digest for r in repeated]


def test_other_runs_are_refused_unless_they_may_be_replaced(model, tmp_path):
    oc.repeat(model, 1, "1 h", out=tmp_path, workers=1)
    changed = model.with_({EXIT: "0.5 1/h"})
    for what, said in (((changed, 1, "1 h"), "the model of arm"), ((model, 2, "1 h"), "seeds 1 instead of 1, 2"),
                       ((model, 1, "2 h"), "until 1 h instead of 2 h")):  # fmt: skip
        with pytest.raises(InputError, match=said):
            oc.repeat(*what, out=tmp_path, workers=1)
    replaced = oc.repeat(changed, 1, "1 h", out=tmp_path, workers=1, overwrite=True)
    assert replaced[0].attrs["model_digest"] == changed.digest
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("mine")
    with pytest.raises(InputError, match="something else lies here"):
        oc.repeat(model, 1, "1 h", out=tmp_path / "other", workers=1)


def test_a_set_that_was_cut_off_is_opened_and_gone_on_with(model, repeated, tmp_path):
    """Two of four done, one half done."""
    import shutil

    whole = repeated.folder
    shutil.copytree(whole, tmp_path / "half")
    half = tmp_path / "half"
    for name in ("seed-3", "seed-4"):
        shutil.rmtree(half / name)
    key = next(r.key for r in repeated.runs if r.seed == 3)
    oc.run(model, "6 h", 3, out=half / "seed-3", see=lambda s: s.time >= 150, threads=1, asked={"key": key})
    opened = oc.open(half)
    assert (
        isinstance(opened, Results)
        and len(opened) == 3
        and opened.table["finished"].tolist() == [True, True, False, False]
    )
    assert "2 not finished" in str(opened) and opened.bands("live.tumor")["n"].iloc[-1] == 2
    again = oc.repeat(model, 4, "6 h", out=half, workers=1)
    assert [r.digest for r in again] == [r.digest for r in repeated]


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"format": "x"}', '{"format": "oncarium-study-1", "arms": [1]}'])
def test_a_damaged_list_of_runs_is_one_message(repeated, tmp_path, damage):
    (tmp_path / "study.json").write_text(damage)
    with pytest.raises(DataError):
        oc.open(tmp_path)


def test_a_run_that_fails_is_told_and_ends_no_other(model, tmp_path):
    bad = model.with_({EXIT: "40 1/min"})
    results = oc.compare(model, bad.with_({"name": "wild"}), until="1 day", out=tmp_path / "x", workers=1)
    row = results.table.set_index("arm").loc["wild"]
    assert not row["finished"] and "run away" in row["error"] and "1 failed" in str(results)
    assert "run away" in (tmp_path / "x/compare.html").read_text()


@pytest.mark.parametrize("given", [0, -3, [], "0", "x", [1, 1], [-1], 1.5, True, None, "1,2,", [2**63]])
def test_seeds_that_make_no_sense(given):
    with pytest.raises(InputError, match="seed"):
        read_seeds(given)


# -- sweeps ----------------------------------------------------------------------------------------


def test_a_grid_is_every_combination_with_the_same_seeds(model, swept, folder, tmp_path):
    table = pd.read_csv(folder / "sweep/table.csv")
    heads = ["arm", EXIT, "factors.oxygen.decay", "seed", "time", "finished"]
    assert table.columns.tolist() == [*heads, "live.tumor at end", "mean.oxygen at last 1 h"]
    assert sorted(map(tuple, table[[EXIT, "factors.oxygen.decay", "seed"]].values.tolist())) == [
        (e, d, s) for e in (0.02, 0.5) for d in (0.1, 1.0) for s in (1.0, 2.0)
    ]
    straight = oc.run(model.with_({EXIT: "0.5 1/h", "factors.oxygen.decay": "1 1/min"}), "4 h", 2, out=tmp_path)
    row = table[(table[EXIT] == 0.5) & (table["factors.oxygen.decay"] == 1.0) & (table["seed"] == 2)].iloc[0]
    assert row["live.tumor at end"] == straight.summary["live.tumor"].iloc[-1]
    assert row["mean.oxygen at last 1 h"] == pytest.approx(straight.summary["mean.oxygen"].iloc[-2:].mean(), abs=1e-12)
    assert swept.table.attrs["units"] == {EXIT: "1/h", "factors.oxygen.decay": "1/min"}


def test_parquet_and_csv_say_the_same(swept, folder):
    pytest.importorskip("pyarrow")
    written = pd.read_csv(folder / "sweep/table.csv", dtype={"arm": str})
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "sweep/table.parquet"), written, rtol=0, atol=0)


def test_where_parquet_cannot_be_written_one_line_says_so(repeated, tmp_path, monkeypatch, caplog):
    import shutil

    from oncarium.study.verbs import write_page

    shutil.copytree(repeated.folder, tmp_path / "set")
    (tmp_path / "set/table.parquet").unlink(missing_ok=True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    write_page(oc.open(tmp_path / "set"))
    assert [r.message for r in caplog.records] == ['table.parquet was not written: pip install "oncarium[study]"']
    assert (tmp_path / "set/table.csv").exists() and not (tmp_path / "set/table.parquet").exists()


def test_lists_and_tables(tmp_path):
    want = [{"a": "1 h", "b": "x"}, {"a": "2 h", "b": "y"}]
    (tmp_path / "t.csv").write_text("# doses\na, b\n1 h, x\n2 h, y\n")
    assert sweep_settings({"a": ["1 h", "2 h"], "b": ["x", "y"]}, "list") == want
    assert sweep_settings(tmp_path / "t.csv") == sweep_settings(pd.DataFrame(want)) == want


def test_a_hypercube_has_one_point_in_every_slice():
    points = sweep_settings({"a": "2 um..12 um", "b": (0, 1)}, "lhs", samples=10)
    a = np.array([float(p["a"].split()[0]) for p in points])
    b = np.array([float(p["b"]) for p in points])
    assert sorted((a - 2).astype(int)) == sorted((b * 10).astype(int)) == list(range(10))
    assert points == sweep_settings({"a": "2 um..12 um", "b": (0, 1)}, "lhs", samples=10)


@pytest.mark.parametrize(
    "values, how, said",
    [
        ({EXIT: []}, {}, "empty value"),
        ({EXIT: ["0.1 1/h", ""]}, {}, "empty value"),
        ({EXIT: ["0.1 1/h", "0.1 1/h"]}, {}, "stands twice"),
        ({EXIT: ["0.1 1/h", "0.10 1/h"]}, {}, "are the same"),
        ({"cells.tumor.cycle.exi": ["0.1 1/h", "0.2 1/h"]}, {}, "Did you mean 'exit'"),
        ({"cells.tumr.cycle.exit": ["0.1 1/h"]}, {}, "Did you mean 'tumor'"),
        ({EXIT: ["1 um", "0.1 1/h"]}, {}, "cannot be converted to 1/min"),
        ({EXIT: ["1 1/h", "2 1/h"], "until": ["1 h"]}, {"method": "list"}, "differ in length"),
        ({EXIT: "0.5 1/h..0.1 1/h"}, {"method": "lhs", "samples": 3}, "not below"),
        ({EXIT: "slow..fast"}, {"method": "lhs", "samples": 3}, "'slow' is no number"),
        ({EXIT: "0.1 1/h"}, {"method": "lhs", "samples": 3}, "no range"),
        ({EXIT: "0.1 1/h..2 um"}, {"method": "lhs", "samples": 3}, "cannot be converted"),
        ({EXIT: "0.1 1/h..0.5 1/h"}, {"method": "lhs"}, "no number of samples"),
        ({EXIT: "0.1 1/h..0.5 1/h"}, {"method": "lhs", "samples": 0}, "no number of samples"),
        ({EXIT: ["1 1/h"]}, {"method": "gird"}, "Did you mean 'grid'"),
        ({}, {}, "no path"),
        ({EXIT: [f"{k} 1/h" for k in range(1, 1001)]}, {"seeds": 1000}, "1,000,000 runs"),
        ({f"x.{k}": range(1000) for k in range(4)}, {}, "1,000,000,000,000 arms"),
        ("missing.csv", {}, "no such file"),
        (pd.DataFrame({EXIT: ["0.1 1/h", None]}), {}, "row 2"),
        (pd.DataFrame({EXIT: []}), {}, "empty"),
        (pd.DataFrame({"cells.tumor.spee": ["1"]}), {}, "spee"),
        (pd.DataFrame({EXIT: ["1 1/h", "1 1/h"]}), {}, "row 1 again"),
        ({EXIT: ["0.1 1/h"]}, {"readouts": ["live.tumr at end"]}, "Did you mean 'live.tumor'"),
        ({EXIT: ["0.1 1/h"]}, {"readouts": ["live.tumor at noon"]}, "at 2 day"),
        ({EXIT: ["0.1 1/h"]}, {"readouts": [{"measure": "cuont"}]}, "Did you mean 'count'"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_said_before_anything_runs(model, values, how, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, ModelError)) as told:
        oc.sweep(model, values, **{"seeds": 1, "until": "1 h", **how}, out="s", workers=1)
    assert said in str(told.value) and not (tmp_path / "s").exists()


def test_an_unknown_path_is_told_once_for_all_its_values(model):
    with pytest.raises(ModelError) as told:
        oc.sweep(model, {"cells.tumor.cycle.exi": ["1 1/h", "2 1/h", "3 1/h"], EXIT: ["1 um", "2 mm"]}, 1)
    assert len(told.value.problems) == 3  # the path once, and each value that cannot be one


# -- comparisons -----------------------------------------------------------------------------------


def test_differences_and_their_intervals(model, folder, tmp_path):
    """Paired seeds: as the t interval of scipy says."""
    from scipy import stats

    fast = model.with_({"name": "fast", EXIT: "0.1 1/h"})
    results = oc.compare(model, fast, seeds=6, until="6 h", out=tmp_path, workers=1)
    a, b = ([r.summary["live.tumor"].iloc[-1] for r in results.of(arm)] for arm in results.arms)
    row = readouts(results, 360.0).set_index(["readout", "arm"]).loc[("live.tumor", "fast")]
    assert row["difference"] == pytest.approx(np.mean(b) - np.mean(a)) and row["n"] == 6
    low, high = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    text = (tmp_path / "compare.html").read_text()
    assert EXIT in text and "0.1 1/h" in text and "seeds" in text and "src='data:image/png" in text


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_hold_the_truth_as_often_as_they_say(n, paired):
    """Normal samples whose means differ by 1: 4,000 intervals, within three standard errors of 95 %."""
    rng, held = np.random.default_rng(n), 0
    for _ in range(4000):
        low, high = interval(dict(enumerate(rng.normal(0, 1, n))),
                             dict(enumerate(rng.normal(1, 2, n), 0 if paired else n)))  # fmt: skip
        held += low <= 1.0 <= high
    assert held / 4000 == pytest.approx(0.95, abs=0.0104 if paired else 0.02)  # Welch's freedom is an approximation


def test_intervals_by_hand():
    from scipy import stats

    same = {1: 1.0, 2: 5.0, 3: 9.0}
    assert interval(same, {k: v + 2 for k, v in same.items()}) == (2.0, 2.0)  # pairs know that seeds differ
    welch = stats.ttest_ind([3.0, 7.0, 12.0, 4.0], [1.0, 5.0, 9.0], equal_var=False).confidence_interval(0.95)
    assert interval(same, {4: 3.0, 5: 7.0, 6: 12.0, 7: 4.0}) == pytest.approx(tuple(welch))
    assert all(np.isnan(interval({1: 1.0}, {1: 2.0})))


def test_what_was_run_needs_no_new_runs(repeated, swept, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in repeated.folder.rglob("run.index")}
    results = oc.compare(repeated.folder, swept.of("1"), swept["4", 1], out=tmp_path / "c")
    assert len(results) == 4 + 2 + 1 and {p: p.stat().st_mtime_ns for p in repeated.folder.rglob("run.index")} == before
    text = (tmp_path / "c/compare.html").read_text()
    assert "compared up to 4 h" in text and not list((tmp_path / "c").rglob("run.zarr"))
    again = oc.open(tmp_path / "c")
    assert again.arms == results.arms and [r.digest for r in again] == [r.digest for r in results]


def test_models_beside_runs(model, repeated, tmp_path):
    fast = model.with_({"name": "fast", EXIT: "0.1 1/h"})
    for _ in range(2):  # the second time, nothing is run again
        results = oc.compare(repeated, fast, seeds=2, until="3 h", out=tmp_path / "c", workers=1)
        assert results.arms == ["repeat", "fast"] and [len(results.of(a)) for a in results.arms] == [4, 2]


def test_things_that_cannot_be_compared(model, repeated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = EXAMPLE.replace("tumor", "other")
    solid = model.with_({"domain.z": ["-50 um", "50 um"]})
    moles = Model.from_text(EXAMPLE.replace("mmHg", "mM"))
    (tmp_path / "empty").mkdir()
    refused = [
        ((model,), "only one thing"), ((), "nothing is given"), ((model, "empty"), "neither a run nor a model"),
        ((model, Model.from_text(text)), "no cell type in common"), ((repeated, solid), "3-D"),
        ((model, moles), "its unit is mmHg and mM"), ((model, "hypoxic_tumr"), "Did you mean"),
    ]  # fmt: skip
    for given, said in refused:
        with pytest.raises((InputError, ModelError, DataError), match=said):
            oc.compare(*given, until="1 h", workers=1)
    assert not (tmp_path / "runs").exists()


def test_times_in_common():
    assert together([np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 5])], 2.5).tolist() == [1.0]
    with pytest.raises(InputError, match="no time"):
        together([np.array([0.0, 2]), np.array([1.0, 3])], 5.0)


# -- results ---------------------------------------------------------------------------------------


def test_results_are_found_by_number_arm_and_seed(swept):
    assert swept["4", 2] is swept.of("4")[1] and swept[0].seed == 1 and len(swept) == 8
    assert swept.label("4") == "cycle.exit 0.5 1/h, oxygen.decay 1 1/min"
    for key, said in (("4", "has 2 runs"), ("5", "no arm"), (("4", 9), "no such run")):
        with pytest.raises(InputError, match=said):
            swept[key]
    with pytest.raises(InputError, match=r"Did you mean 'live.tumor'"):
        swept.bands("live.tumr")
    assert "<table>" in swept._repr_html_() and "4 arms, 2 seeds" in repr(swept)


def test_every_page_needs_nothing_else(repeated, swept):
    for results in (repeated, swept):
        text = results.page.read_text()
        assert (
            "http" not in text.replace("http-equiv", "").partition("The model of the first run")[0] and "seeds" in text
        )


# -- the command line ------------------------------------------------------------------------------


def oncarium(*words, cwd):
    return subprocess.run([sys.executable, "-m", "oncarium", *words], cwd=cwd, capture_output=True, text=True)


def test_commands(tmp_path):
    (tmp_path / "m.yaml").write_text(EXAMPLE)
    ran = oncarium("run", "m.yaml", "--seeds", "2", "--until", "1 h", "-o", "r", "--workers", "1", cwd=tmp_path)
    assert (
        ran.returncode == 0
        and "2 runs of 1 h, about a few seconds on 1 worker" in ran.stderr
        and "page     r/report.html" in ran.stdout
    )
    ran = oncarium("sweep", "m.yaml", f"{EXIT}=0.1 1/h,0.5 1/h", "--seeds", "1", "--until", "1 h", "-o", "s", "--workers", "1",  # noqa: E501
                   "--read", "live.tumor at end", cwd=tmp_path)  # fmt: skip
    assert ran.returncode == 0 and "cycle.exit 0.5 1/h" in ran.stdout
    ran = oncarium("compare", "r", "s", "-o", "c", cwd=tmp_path)
    assert ran.returncode == 0 and json.loads((tmp_path / "c/study.json").read_text())["design"]["kind"] == "compare"
    assert "4 runs" not in oncarium("show", "c", cwd=tmp_path).stderr
    assert oncarium("report", "c", cwd=tmp_path).stdout.strip() == "c/compare.html"
    ran = oncarium("movie", "r", cwd=tmp_path)
    assert ran.returncode == 2 and "2 runs lie here" in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "words, said",
    [
        (("run", "m.yaml", "--seeds", "0"), "nothing to run"),
        (("run", "m.yaml", "--seeds", "2", "--seed", "3"), "--seed cannot be said with it"),
        (("run", "m.yaml", "--stop-when", "live.tumr > 3"), "Did you mean 'live.tumor'"),
        (("sweep", "m.yaml"), "no path is given"),
        (("sweep", "m.yaml", f"{EXIT}="), "empty value"),
        (("sweep", "m.yaml", EXIT), "no '=' in it"),
        (("sweep", "m.yaml", f"{EXIT}=1 1/h", f"{EXIT}=2 1/h"), "stands twice"),
        (("sweep", "m.yaml", "--csv", "no.csv"), "no such file"),
        (("sweep", "m.yaml", f"{EXIT}=1 1/h,2 1/h", "--lhs", "3"), "no range"),
        (("sweep", "m.yaml", f"{EXIT}=1 1/h,2 1/h", "--seeds", "9999"), "--yes"),
        (("compare", "m.yaml"), "only one thing"),
        (("compare", "m.yaml", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_refused_commands(tmp_path, words, said):
    (tmp_path / "m.yaml").write_text(EXAMPLE)
    ran = oncarium(*words, cwd=tmp_path)
    assert ran.returncode == 2 and said in ran.stderr and "Traceback" not in ran.stderr
    assert not (tmp_path / "runs").exists()
