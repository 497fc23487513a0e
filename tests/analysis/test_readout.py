"""Read-outs, each against a tissue whose answer is known."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.errors import InputError
from oncarium.model.model import Model
from oncarium.run.recorder import Recorder
from oncarium.run.simulation import Simulation

MODEL = """
oncarium: 1
domain: {{x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}}
clock: {{transport: 60 min, mechanics: 60 min, phenotype: 60 min}}
factors: {{oxygen: {{unit: mmHg, diffusion: 1e5 um^2/min, initial: 5 mmHg}}}}
matrix: {{density: 0.5, crosslink: 0.5, membrane: {{disc: {{radius: 60 um}}}}}}
cells:
  carcinoma: {{cycle: {{model: none}}}}
  cd8_effector: {{cycle: {{model: none}}}}
initial:
  - {{cells: carcinoma, everywhere: , count: {tumor}}}
  - {{cells: cd8_effector, everywhere: , count: {cd8_effector}}}
"""


@pytest.fixture
def seen(tmp_path):
    """A result of two frames a day apart: places at both, and events in between as (hour, id, kind, cause)."""

    def make(first, last=None, cd8_effector=0, events=(), set_up=lambda tissue: None):
        first = np.atleast_2d(np.asarray(first, float))
        simulation = Simulation(
            Model.from_text(MODEL.format(tumor=len(first) - cd8_effector, cd8_effector=cd8_effector)), seed=1
        )
        simulation.tissue.cells.position[:, :2] = first
        set_up(simulation.tissue)
        recorder = Recorder(
            tmp_path / "run.zarr",
            simulation,
            cells_every=1440,
            fields_every=1440,
            checkpoint_every=1440,
            overwrite=True,
        )
        recorder.see(simulation)
        simulation.tissue.tick, simulation.tissue.time = round(1440.0 / simulation.plan.tick_minutes), 1440.0
        simulation.tissue.cells.position[:, :2] = first if last is None else np.asarray(last, float)
        for hour, i, kind, cause in events:
            simulation.tissue.population.log(60.0 * hour, np.array([i]), kind, cause)
        recorder.see(simulation)
        recorder.close(simulation)
        return oc.open(tmp_path)

    return make


SQUARE = np.array([[10, 10], [10, -10], [-10, 10], [-10, -10]], float)


def test_kills_are_deaths_soon_after_an_attack(seen):
    # ids 0 to 3 are tumor cells, 4 and 5 are T cells
    events = [
        (1, 0, "attack", 4),
        (2, 0, "apoptosis", -1),
        (1, 1, "attack", 4),
        (9, 1, "apoptosis", -1),
        (10, 2, "apoptosis", -1),
    ]
    result = seen([*SQUARE, [40, 0], [60, 0]], cd8_effector=2, events=events)
    # one kill by two T cells in a day
    assert read_out(result, {"measure": "kills", "by": "cd8_effector", "of": "carcinoma"}) == pytest.approx(0.5)
    assert read_out(
        result, {"measure": "kills", "by": "cd8_effector", "of": "carcinoma", "hours": "9"}
    ) == pytest.approx(1.0)
    assert read_out(result, {"measure": "happened", "kind": "apoptosis", "of": "carcinoma"}) == 3.0
    assert read_out(result, {"measure": "rate", "kind": "apoptosis", "of": "carcinoma"}) == pytest.approx(0.75)
    assert read_out(result, {"measure": "rate", "kind": "apoptosis", "of": "cd8_effector"}) == 0.0


def test_types_of_those_who_came_and_were_born_between_frames(seen):
    events = [(1, 100, "arrival", 1), (2, 0, "division", 101), (3, 101, "apoptosis", -1), (3, 100, "apoptosis", -1)]
    result = seen(SQUARE, events=events)
    assert (
        read_out(result, {"measure": "arrivals", "of": "cd8_effector"}) == 1.0
        and read_out(result, {"measure": "arrivals", "of": "carcinoma"}) == 0.0
    )
    assert read_out(result, {"measure": "happened", "kind": "apoptosis", "of": "carcinoma"}) == 1.0
    assert read_out(result, {"measure": "happened", "kind": "apoptosis", "of": "cd8_effector"}) == 1.0
    assert math.isnan(
        read_out(result, {"measure": "rate", "kind": "apoptosis", "of": "cd8_effector"})
    )  # no frame saw one
    assert read_out(result, {"measure": "arrivals", "of": "cd8_effector", "at": "0 day"}) == 0.0


def test_who_is_in_the_nest_and_who_left_it(seen):
    ring = np.array([[12 * math.cos(a), 12 * math.sin(a)] for a in np.arange(6) * math.pi / 3])
    result = seen([*ring, [0, 0], [100, 0]], cd8_effector=2)
    assert read_out(result, {"measure": "embedded", "of": "cd8_effector", "of_whom": "carcinoma"}) == 1.0
    assert read_out(result, {"measure": "beyond", "of": "carcinoma", "distance": 10}) == 0.0
    moved = ring.copy()
    moved[0] = [90, 0]
    result = seen([*ring, [0, 0], [100, 0]], [*moved, [0, 0], [100, 0]], cd8_effector=2)
    assert read_out(result, {"measure": "beyond", "of": "carcinoma", "distance": 10}) == 1.0


def test_a_disc_is_round_and_a_star_is_not(seen):
    angle = np.arange(240) * 2 * math.pi / 240
    disc = np.stack([80 * np.cos(angle), 80 * np.sin(angle)], axis=1)
    star = disc * (1.0 + 0.5 * np.sin(3 * angle))[:, None]
    assert read_out(seen(disc), {"measure": "roundness", "of": "carcinoma"}) > 0.98
    assert 0.5 < read_out(seen(star), {"measure": "roundness", "of": "carcinoma"}) < 0.75


def test_the_matrix_is_seen(seen):
    def breach(tissue):
        tissue.matrix.membrane[0][tissue.matrix.membrane[0] > 0] = 0.2

    result = seen(SQUARE, set_up=breach)
    look = {
        k: read_out(result, {"measure": "matrix", "name": k})
        for k in ("density", "crosslink", "stiffness", "order", "membrane", "breached")
    }
    assert look["density"] == pytest.approx(0.5) and look["crosslink"] == pytest.approx(0.5) and look["order"] == 0.0
    assert look["stiffness"] == pytest.approx(4.0 * 0.5**1.8 * 1.5)
    # half of the faces of a circle look to x
    assert look["breached"] == pytest.approx(0.5) and look["membrane"] == pytest.approx(0.6)
    with pytest.raises(InputError, match="Did you mean 'density'"):
        read_out(result, {"measure": "matrix", "name": "densiti"})


def test_counts_and_shares_of_a_column(seen):
    def breathe(tissue):
        tissue.cells["sense.factor"][:] = 5.0

    result = seen(SQUARE, set_up=breathe)
    assert read_out(result, {"measure": "count", "of": "carcinoma", "column": "sense.factor.oxygen", "above": 1}) == 4.0
    assert (
        read_out(result, {"measure": "share_below", "of": "carcinoma", "column": "sense.factor.oxygen", "value": 10})
        == 1.0
    )


# -- what happens in time (two frames a day apart; a domain of 0.16 mm^2) ----------------------------------------------


def test_rates_are_events_per_live_cell_and_day_or_per_area(seen):
    events = [(1, 0, "division", 99), (2, 1, "outflow", 0), (20, 2, "outflow", 0), (3, 77, "arrival", 1)]
    result = seen([*SQUARE, [40, 0]], cd8_effector=1, events=events)
    assert read_out(result, {"measure": "rate", "kind": "division", "of": "carcinoma"}) == pytest.approx(1 / 4)
    assert read_out(result, {"measure": "rate", "kind": "outflow", "of": "carcinoma"}) == pytest.approx(2 / 4)
    late = {"measure": "rate", "kind": "outflow", "of": "carcinoma", "since": "12 h"}
    assert read_out(result, late) == pytest.approx(1 / (4 * 0.5))
    enter = {"measure": "rate", "kind": "arrival", "of": "cd8_effector", "over": "area"}
    assert read_out(result, enter) == pytest.approx(1 / 0.16)
    assert read_out(result, {"measure": "happened", "kind": "outflow", "of": "carcinoma", "since": "12 h"}) == 1.0


def test_growth_is_divisions_less_deaths(seen):
    events = [(1, 0, "division", 50), (2, 1, "division", 51), (3, 50, "division", 52), (4, 2, "apoptosis", -1),
              (5, 3, "necrosis", -1), (6, 1, "outflow", 0), (7, 3, "phagocytosis", 4)]  # fmt: skip
    result = seen([*SQUARE, [40, 0]], cd8_effector=1, events=events)
    assert read_out(result, {"measure": "growth", "of": "carcinoma"}) == pytest.approx((3 - 2) / 4)
    assert read_out(result, {"measure": "growth", "of": "cd8_effector"}) == 0.0
    late = {"measure": "growth", "of": "carcinoma", "since": "210 min"}
    assert read_out(result, late) == pytest.approx(-2 / (4 * 1230 / 1440))


def test_who_is_eaten_alive_has_died(seen):
    result = seen(SQUARE, events=[(1, 0, "phagocytosis", 3)])
    assert read_out(result, {"measure": "growth", "of": "carcinoma"}) == pytest.approx(-1 / 4)


def test_kills_since_a_time(seen):
    events = [(1, 0, "attack", 4), (2, 0, "apoptosis", -1), (11, 1, "attack", 4), (14, 1, "apoptosis", -1)]
    result = seen([*SQUARE, [40, 0]], cd8_effector=1, events=events)
    asked = {"measure": "kills", "by": "cd8_effector", "of": "carcinoma", "since": "12 h"}
    assert read_out(result, asked) == pytest.approx(1 / 0.5), "the attack may lie before"


def test_a_front_and_its_speed(seen):
    x = np.arange(0.0, 101.0, 5.0)
    start = np.column_stack([x - 150.0, 0 * x])
    result = seen(start, start + np.array([40.0, 0.0]))
    assert read_out(result, {"measure": "front", "of": "carcinoma"}) == pytest.approx(-150 + 95 + 40)
    assert read_out(result, {"measure": "front", "of": "carcinoma", "at": "0 day"}) == pytest.approx(-55.0)
    assert read_out(result, {"measure": "front", "of": "carcinoma", "axis": "-x"}) == pytest.approx(-150 + 5 + 40)
    assert read_out(result, {"measure": "front", "of": "carcinoma", "share": "0.5"}) == pytest.approx(-60.0)
    assert read_out(result, {"measure": "front_speed", "of": "carcinoma"}) == pytest.approx(40.0)
    assert read_out(result, {"measure": "front_speed", "of": "carcinoma", "axis": "-x"}) == pytest.approx(-40.0)
    assert read_out(result, {"measure": "past", "of": "carcinoma", "line": "-55"}) == 9.0
    assert math.isnan(read_out(result, {"measure": "front", "of": "cd8_effector"}))


def test_a_flux_is_what_crosses_less_what_comes_back(seen):
    start = [[-10, 0], [-20, 0], [-30, 0], [10, 0], [30, 0], [-5, 0]]
    last = [[10, 0], [5, 0], [-30, 0], [-10, 0], [30, 0], [50, 0]]
    result = seen(start, last, cd8_effector=1)
    across = {"measure": "flux", "of": "carcinoma", "line": "0"}
    assert read_out(result, across) == pytest.approx((2 - 1) / 0.4), "per day and mm of a line of 0.4 mm"
    assert read_out(result, {**across, "axis": "-x"}) == pytest.approx(-1 / 0.4)
    assert read_out(result, {**across, "of": "cd8_effector"}) == pytest.approx(1 / 0.4)
    assert read_out(result, {**across, "axis": "y"}) == 0.0


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"measure": "rate", "kind": "divison", "of": "carcinoma"}, "Did you mean 'division'"),
        ({"measure": "rate", "kind": "division", "of": "carcinoma", "since": "3 day"}, "no time before 1 day"),
        ({"measure": "rate", "kind": "division", "of": "carcinoma", "over": "cells"}, "one of cell, area"),
        ({"measure": "growth", "of": "carcinma"}, "Did you mean 'carcinoma'"),
        ({"measure": "front", "of": "carcinoma", "axis": "w"}, "one of x, y, z"),
        ({"measure": "flux", "of": "carcinoma"}, "needs line"),
        ({"measure": "past", "of": "carcinoma", "line": "far"}, "no number"),
        ({"measure": "front_speed", "of": "carcinoma", "since": "soon"}, "soon"),
    ],
)
def test_what_is_asked_wrongly_in_time_is_named(seen, what, said):
    with pytest.raises(InputError) as error:
        read_out(seen(SQUARE), what)
    assert said in str(error.value)
