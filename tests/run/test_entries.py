"""Cells have only those entries of an axis that a model speaks of; the names of what is there stay the same."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.engine.loop import each_cell
from oncarium.engine.process import Process
from oncarium.run.entries import spread
from oncarium.run.simulation import Simulation

MODEL = oc.load("hypoxic_tumor")
RULE = "oxygen increases secretion.rate.glucose to 5 molecules/min, half 20 mmHg, hill 2 assumed"


def entries(model, name):
    return Simulation(model, seed=1, threads=1).tissue.cells.labels(name)


@each_cell(slot="decide", writes=("secretion.uptake.chemokine",))
def binding(secretion_uptake_chemokine):
    return 2.0


class Reaching(Process):
    """A mechanism that may reach for any entry by its number."""

    slot = "act"

    def step(self, tissue, tick):
        tissue.cells["secretion.rate"][:, tissue.fields.index("glucose")] = 1.0


def test_cells_have_what_types_rules_and_loops_speak_of():
    assert entries(MODEL, "secretion.rate") == ("chemokine",)
    assert entries(MODEL, "secretion.uptake") == ("oxygen",)
    assert entries(MODEL, "attack.rate") == ("tumor",)
    assert entries(MODEL, "phagocytosis.live") == ("tumor",)  # nobody speaks of any
    assert entries(MODEL, "sense.factor") == ("oxygen", "glucose", "chemokine")
    assert entries(MODEL.with_({"cells.tumor.rules+": RULE}), "secretion.rate") == ("glucose", "chemokine")
    assert entries(MODEL.with_process(binding()), "secretion.uptake") == ("oxygen", "chemokine")


def test_all_entries_stay_where_something_may_reach_for_them_by_number():
    every = ("oxygen", "glucose", "chemokine")
    assert entries(MODEL.with_process(Reaching()), "secretion.rate") == every
    assert entries(MODEL.with_({"internalise": True}), "secretion.uptake") == every
    simulation = Simulation(MODEL.with_process(Reaching()), seed=1, threads=1)
    simulation.run("6 min")
    assert (simulation.tissue.cells["secretion.rate"][:, 1] == 1.0).all()


def test_what_is_left_out_changes_nothing():
    lean, whole = (Simulation(m, seed=1, threads=1) for m in (MODEL, MODEL.with_process(Idle())))
    assert lean.tissue.cells.bytes_per_cell < whole.tissue.cells.bytes_per_cell
    for s in (lean, whole):
        s.run("2 h")
    a, b = lean.tissue.cells, whole.tissue.cells
    assert np.array_equal(lean.tissue.fields.value, whole.tissue.fields.value)
    assert np.array_equal(a.position[a.order()], b.position[b.order()])
    for name in a.columns:
        if a.column(name).axis:
            same = spread(a[name], a.labels(name), b.labels(name), a.column(name).default)
            assert np.array_equal(same[a.order()], b[name][b.order()]), name


class Idle(Process):
    """A mechanism that does nothing, but is no loop: all entries stay."""

    slot = "act"

    def step(self, tissue, tick):
        pass


def test_a_branch_may_speak_of_an_entry_that_nobody_spoke_of():
    before = Simulation(MODEL, seed=1, threads=1)
    before.run("30 min")
    after = Simulation(
        MODEL.with_({"cells.tumor.secretion.rate.glucose": "7 molecules/min", "cells.tumor.rules+": RULE}), 1, 1
    )
    after.adopt(before.state(), before)
    old, new = before.tissue.cells, after.tissue.cells
    assert new.labels("secretion.rate") == ("glucose", "chemokine")
    assert np.array_equal(new["secretion.rate"][:, 1], old["secretion.rate"][:, 0])
    base = new.base["secretion.rate"][:, 0]
    live = new["vital"] == 0
    assert base[0] > 0.0 and np.array_equal(new["secretion.rate"][live, 0], base[new.type[live]])
    after.run("1 h")
    back = Simulation(MODEL, seed=1, threads=1)
    back.adopt(after.state(), after)
    assert np.array_equal(back.tissue.cells["secretion.rate"][:, 0], new["secretion.rate"][:, 1])
    back.run("2 h")


def test_results_name_the_entries_that_are_there(tmp_path):
    model = MODEL.with_({"record.columns": "[secretion.rate, secretion.uptake, sense.factor]", "until": "12 min"})
    result = oc.run(model, out=tmp_path / "r", threads=1)
    table = result.cells("12 min")
    assert {"secretion.rate.chemokine", "secretion.uptake.oxygen", "sense.factor.glucose"} <= set(table.columns)
    assert "secretion.rate.oxygen" not in table.columns
    assert result.unit("secretion.uptake.oxygen") == "1/min"
    assert "secretion.uptake.oxygen" in list(result.to_anndata("12 min").var_names)


@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_spread(rest):
    out = spread(np.array([[1.0, 2.0], [3.0, 4.0]]), ["c", "a"], ["a", "b", "c"], rest)
    assert out.tolist() == [[2.0, rest, 1.0], [4.0, rest, 3.0]]
