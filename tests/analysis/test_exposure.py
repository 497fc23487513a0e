"""What a treated tissue was given: the plasma curve is the recorded one, depth is counted from walls, growth is that of
the events."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis import exposure as ex
from oncarium.model.model import EXAMPLE


@pytest.fixture(scope="module")
def treated(tmp_path_factory):
    model = oc.Model.from_text(EXAMPLE + "record: {cells: 1 h, fields: 1 h}\n")
    doses = ["doxorubicin 20 mg/m2 over 30 min every 2 h from day 0.05, 2 times"]
    return oc.run(model.with_({"therapy.doses": doses}), "6 h", 1, out=tmp_path_factory.mktemp("treated"), threads=1)


def test_the_curve_of_the_doses_is_what_was_recorded(treated):
    curve = ex.plasma_course(treated, "doxorubicin")
    for kind, name in (("total", "plasma.doxorubicin"), ("free", "plasma.doxorubicin.free")):
        seen = treated.summary[name]
        assert np.interp(seen.index[2:], curve["time"], curve[kind]) == pytest.approx(seen.to_numpy()[2:], rel=0.02)
    assert curve["total"].max() > 2.0 * treated.summary["plasma.doxorubicin"].max(), "peaks between frames are seen"
    assert [(g.dose.time, g.dose.duration, g.share) for g in ex.doses_given(treated)] == [
        (72.0, 30.0, 1.0),
        (192.0, 30.0, 1.0),
    ]


def test_the_tissue_by_hand(treated):
    course = ex.tissue_course(treated, "doxorubicin").set_index("time")
    values = treated.fields["doxorubicin"].sel(time=240.0).values
    assert course.loc[240.0].tolist() == pytest.approx(np.quantile(values, (0.5, 0.1, 0.9)).tolist())


def test_growth_is_births_less_deaths(treated):
    table, found = ex.growth_over_time(treated, ["tumor"], 120.0), treated.events
    live = treated.summary["live.tumor"]
    for middle, row in table.iterrows():
        inside = (found["time"] >= middle - 60.0) & (found["time"] < middle + 60.0)
        days = (
            np.trapezoid(live.loc[middle - 60.0 : middle + 60.0], live.loc[middle - 60.0 : middle + 60.0].index)
            / 1440.0
        )
        births = (found["kind"][inside] == "division").sum()
        dead = found["kind"][inside].isin(["apoptosis", "necrosis"]).sum()
        assert row["deaths"] == pytest.approx(dead / days) and row["growth"] == pytest.approx((births - dead) / days)


def test_without_vessels_depth_is_from_the_faces(treated):
    distance, words = ex.from_blood(treated)
    assert words == "the nearest face" and distance(np.array([[-100.0, 0.0, 0.0], [90.0, 20.0, 0.0]])).tolist() == [
        0.0,
        10.0,
    ]
    table = ex.depth_of_drug(treated, "doxorubicin", 240.0, 20.0)
    assert table.index.tolist() == [10.0, 30.0, 50.0, 70.0, 90.0] and table["n"].sum() == 100
    assert (np.diff(table["median"]) < 0.0).all(), "blood is at the faces, and cells take it up"
    dead = ex.depth_of_death(treated, ["tumor"], 0.0, 50.0)
    assert dead["n"].sum() > 0 and dead["mean"].between(0.0, 1.0).all()


def test_depth_is_from_the_walls_of_perfused_vessels(tmp_path):
    model = oc.Model.from_text(EXAMPLE).with_({"vessels.columns.density": "100 1/mm^2 assumed"})
    result = oc.run(model, "30 min", 1, out=tmp_path, threads=1)
    distance, words = ex.from_blood(result)
    places = np.random.default_rng(1).uniform(-90.0, 90.0, (40, 3)) * [1.0, 1.0, 0.0]
    table = result.vessels()
    table = table[table["perfused"] > 0]
    a, b = (table[[f"{end}{x}" for x in "xyz"]].to_numpy(float) for end in "ab")
    low, high = ex.box_of(result)
    nearest = np.full(len(places), np.inf)
    for p, q, r in zip(a, b, (table["radius"] * table["squeeze"]).to_numpy(float)):
        points = p + np.linspace(0.0, 1.0, 4001)[:, None] * (q - p)
        points = points[((points >= low) & (points <= high)).all(axis=1)]
        if len(points):
            far = np.sqrt(((places[:, None] - points) ** 2).sum(axis=2)).min(axis=1) - r
            nearest = np.minimum(nearest, np.maximum(far, 0.0))
    off = np.abs(distance(places) - nearest)
    assert words == "the nearest perfused vessel" and off.max() < 0.5 * ex.STEP, "points stand for a vessel"
