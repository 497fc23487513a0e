"""Calibration: the posterior of a problem that has one in closed form, a number that is found again, and bad files."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError, ModelError, OncariumError
from oncarium.model.model import EXAMPLE, Model
from oncarium.study import calibration, ensemble
from oncarium.study.calibration import Calibration, Target, optimise, population
from oncarium.study.sensitivity import Uncertain

RATE = Uncertain("division", ("cells.tumor.cycle.exit",), "0.0005 1/min", "0.003 1/min")
GROWN = Target({"measure": "count", "of": "tumor"}, 40.0, 3.0)


def test_the_population_is_the_posterior_of_a_normal_variable():
    """A measurement of 0.6 with error 0.05, seen through noise 0.1: as the tolerance falls, the posterior is normal."""
    random = np.random.default_rng(3)

    def distances(points):
        return np.abs(points[:, 0] + random.normal(0.0, 0.1, len(points)) - 0.6)

    tried = []
    rows, weight = population(lambda p: tried.append(p) or distances(p), 1, 400, 24, seed=2)
    points = np.concatenate(tried)[rows, 0]
    mean = float(weight @ points)
    spread = float(np.sqrt(weight @ (points - mean) ** 2))
    assert mean == pytest.approx(0.6, abs=0.02) and spread == pytest.approx(0.1, rel=0.2)
    assert weight.sum() == pytest.approx(1.0) and 1.0 / (weight**2).sum() > 150


def test_weights_undo_the_kernel():
    """Where everything is accepted, a population moved by kernels is uniform again by its weights."""
    tried = []
    rows, weight = population(lambda p: tried.append(p) or np.zeros(len(p)), 2, 800, 3, seed=5)
    points = np.concatenate(tried)[rows]
    for k in range(2):
        order = np.argsort(points[:, k])
        gap = np.abs(np.cumsum(weight[order]) - points[order, k]).max()
        assert gap < 2.0 * 1.36 / np.sqrt(1.0 / (weight**2).sum())  # edges of the cut-off kernel weigh a little more
    assert ((points >= 0.0) & (points <= 1.0)).all()


def test_the_best_point_of_a_smooth_hill_is_near_its_top():
    pytest.importorskip("optuna")
    tried = []

    def far(points):
        tried.append(points)
        return np.hypot(points[:, 0] - 0.3, points[:, 1] - 0.8)

    rows, weight = optimise(far, ["x", "y"], 8, 12, seed=1)
    best = np.concatenate(tried)[rows[0]]
    assert np.hypot(best[0] - 0.3, best[1] - 0.8) < 0.08 and weight.tolist() == [1.0]
    again: list[np.ndarray] = []
    optimise(lambda p: again.append(p) or np.hypot(p[:, 0] - 0.3, p[:, 1] - 0.8), ["x", "y"], 8, 12, seed=1)
    assert np.array_equal(np.concatenate(tried), np.concatenate(again))


@pytest.mark.parametrize("method", ["optimise", "abc"])
def test_a_rate_is_found_again_and_a_second_start_runs_nothing(tmp_path, method, monkeypatch):
    if method == "optimise":
        pytest.importorskip("optuna")
    model = Model.from_text(EXAMPLE)
    fit = Calibration(model, (RATE,), (GROWN,), until="10 h", method=method, runs=24, batch=6)
    found = fit.run(tmp_path / "fit", workers=1)
    # 20 cells become 40 in 10 h at about ln 2 / 600 min; deaths and chance leave a factor
    best = float(found.points.loc[found.points["distance"].idxmin(), "division"])
    assert 0.5 < best / (np.log(2.0) / 600.0) < 2.0 and found.points["distance"].min() < 1.5
    assert found.posterior["weight"].sum() == pytest.approx(1.0)
    assert (tmp_path / "fit/points.csv").exists() and (tmp_path / "fit/posterior.csv").exists()
    monkeypatch.setattr(ensemble, "perform", lambda task, folder: "was run again")
    twice = fit.run(tmp_path / "fit", workers=1)
    assert twice.points.equals(found.points) and twice.best == found.best
    fig = calibration.figure(found)
    assert [ax.get_xlabel() for ax in fig.axes if ax.get_visible()] == ["division (1/min)", "count tumor"]


FILE = """model: hypoxic_tumor
until: 1 h
method: abc
runs: 40
batch: 10
numbers:
  division: {path: cells.tumor.cycle.exit, range: [0.01 1/h, 0.1 1/h]}
targets:
  - {measure: count, of: tumor, value: 60, error: 6}
"""


def test_a_file_says_all_of_it(tmp_path):
    file = tmp_path / "fit.yaml"
    file.write_text(FILE.replace("hypoxic_tumor", "mine.yaml").replace("batch", "seeds: 2\nbatch"))
    (tmp_path / "mine.yaml").write_text(EXAMPLE)
    fit = Calibration.read(file)
    assert (fit.method, fit.runs, fit.batch, fit.seeds) == ("abc", 40, 10, (1, 2)) and fit.until == 60.0
    assert fit.numbers[0].unit == "1/h" and fit.targets == (Target({"measure": "count", "of": "tumor"}, 60.0, 6.0),)


def test_everything_wrong_in_a_file_is_said_at_once(tmp_path):
    file = tmp_path / "fit.yaml"
    (tmp_path / "mine.yaml").write_text(EXAMPLE)
    file.write_text(
        "model: mine.yaml\nmethd: abc\nmethod: abd\nruns: -3\nnumbers:\n"
        "  a: {path: cells.tumor.cycle.exot, range: [1 1/h, 2 1/h]}\n  b: {path: x, range: [2 um, 1 um]}\n"
        "targets:\n  - {measure: cuont, value: 1, error: 1}\n  - {measure: count, of: tumor, value: 3, error: 0}\n"
        "  - {measure: count, of: tumor, value: many, error: 1}\n"
    )
    with pytest.raises(ModelError) as said:
        Calibration.read(file)
    text = str(said.value)
    for part in ("fit.yaml:2", "method", "abd", "runs", "exot", "numbers.b", "cuont", "targets.1.error", "many"):
        assert part in text, part


def test_what_cannot_be_done_is_said(tmp_path):
    model = Model.from_text(EXAMPLE)
    for fit, part in (
        (Calibration(model, (), (GROWN,)), "nothing to change"),
        (Calibration(model, (RATE,), ()), "nothing to fit"),
        (Calibration(model, (RATE,), (GROWN,), runs=8, batch=16), "fewer than the first batch"),
        (Calibration(model, (RATE,), (GROWN,), method="magic"), "magic"),
    ):
        with pytest.raises(InputError, match=part):
            fit.run(tmp_path / "fit", workers=1)
    assert not (tmp_path / "fit").exists()


def test_runs_that_fail_are_far_away_and_all_of_them_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "perform", lambda task, folder: "burned")
    fit = oc.Calibration(Model.from_text(EXAMPLE), (RATE,), (GROWN,), until="1 h", method="abc", runs=4, batch=4)
    with pytest.raises(OncariumError, match=r"none of 4 points.*burned"):
        fit.run(tmp_path / "fit", workers=1)
