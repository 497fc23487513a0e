"""Tables of cells and voxels with PhysiCell's labels: against the state they were taken from, and hand calculations."""

from __future__ import annotations

import csv
import math

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.exchange.physicell.csv import Tables, cell_text
from oncarium.exchange.physicell.labels import CYCLES, ROWS, flat, rows_of
from oncarium.exchange.physicell.moment import Moment
from oncarium.model import catalog

from .world import TEXT, model


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """(simulation at its end, cells.csv, field.csv) of two hours."""
    folder = tmp_path_factory.mktemp("tables")
    simulation = oc.Simulation(model(), seed=3, threads=1)
    tables = Tables(folder, every=30.0)
    tables.see(simulation)
    simulation.run("2 h", see=tables.see)
    return simulation, folder


def test_one_row_per_cell_and_saved_time(written):
    simulation, folder = written
    cells = pd.read_csv(folder / "cells.csv")
    assert cells["time"].unique().tolist() == [0.0, 30.0, 60.0, 90.0, 120.0]
    last = cells[cells["time"] == 120.0]
    order = simulation.tissue.cells.order()
    assert last["ID"].tolist() == simulation.tissue.cells.id[order].tolist()
    assert (cells[cells["time"] == 0.0]["ID"] == np.arange((cells["time"] == 0.0).sum())).all()


def test_numbers_have_fifteen_digits(written):
    simulation, folder = written
    last = pd.read_csv(folder / "cells.csv").query("time == 120")
    cells = simulation.tissue.cells
    order = cells.order()
    for k in range(3):
        np.testing.assert_allclose(last[f"position[{k}]"], cells.position[order, k], rtol=1e-14, atol=0)
    np.testing.assert_allclose(last["total_volume"], cells["volume.total"][order], rtol=1e-14)
    np.testing.assert_allclose(last["uptake_rates[0]"], cells["secretion.uptake"][order, 0], rtol=1e-14)


def test_fields_run_fastest_along_x(written):
    simulation, folder = written
    field = pd.read_csv(folder / "field.csv").query("time == 120")
    grid, value = simulation.tissue.fields.grid, simulation.tissue.fields.value
    assert list(field.columns) == ["time", "x", "y", "z", "voxel_volume", "oxygen", "signal"]
    assert (
        field["x"].tolist()[:3] == [-90.0, -70.0, -50.0]
        and set(field["z"]) == {0.0}
        and set(field["voxel_volume"]) == {8000.0}
    )
    np.testing.assert_allclose(field["oxygen"], value[0].ravel(), rtol=1e-14)
    assert len(field) == math.prod(grid.shape)


def test_every_label_stands_once_and_vectors_are_numbered(written):
    _, folder = written
    with open(folder / "cells.csv") as file:
        head = next(csv.reader(file))
    assert len(head) == len(set(head))
    assert head[:6] == ["time", "ID", "position[0]", "position[1]", "position[2]", "total_volume"]
    assert head.count("elapsed_time_in_phase") == 1
    assert {"attack_rates[0]", "attack_rates[1]", "death_rates[1]", "secretion_rates[1]", "velocity[2]"} <= set(head)


def test_a_vector_of_length_one_has_the_bare_label():
    simulation = oc.Simulation(oc.Model.from_text(oc.EXAMPLE), seed=1, threads=1)
    head = [name for name, _ in flat(Moment.of_simulation(simulation))]
    assert (
        "secretion_rates" in head
        and "attack_rates" in head
        and "death_rates[0]" in head
        and "secretion_rates[0]" not in head
    )


def test_number_of_rows_is_that_of_the_format():
    """69 + deaths + 8 factors + 7 types, without custom data."""
    moment = Moment.of_simulation(oc.Simulation(model(), seed=1, threads=1))
    assert sum(r.size(2, 2) for r in rows_of(moment)) == 69 + 2 + 8 * 2 + 7 * 2
    assert len({r.label for r in ROWS}) == len(ROWS) - 1, "one label stands twice, as in the format"


def test_every_cycle_has_codes():
    for name, cycle in catalog.cycles().items():
        assert len(CYCLES[name][1]) == max(1, len(cycle.phases))


@pytest.mark.parametrize(
    "vital, model_code, phase, dead, death_model, target_fluid, target_solid, fluid_rate, exit_rate",
    [
        (0, 2, 10, 0, 0, 0.75, 135.0, 0.05, 0.02),
        (1, 100, 100, 1, 0, 0.0, 0.0, 0.05, 1 / 516),
        (2, 101, 101, 1, 1, 1.0, 0.0, 0.67 / 60, 1e16),
        (3, 101, 102, 1, 1, 0.0, 0.0, 0.05 / 60, 1 / 86400),
    ],
)
def test_what_death_changes(
    vital, model_code, phase, dead, death_model, target_fluid, target_solid, fluid_rate, exit_rate
):
    simulation = oc.Simulation(model(), seed=1, threads=1)
    cells = simulation.tissue.cells
    cells["vital"][0], cells["cycle.phase"][0] = vital, 1
    if vital:
        cells["volume.target_nuclear"][0] = 0.0
    at = dict(flat(Moment.of_simulation(simulation)))
    got = [
        at[k][0]
        for k in (
            "cycle_model",
            "current_phase",
            "dead",
            "current_death_model",
            "target_fluid_fraction",
            "target_solid_nuclear",
        )
    ]
    assert got == [model_code, phase, dead, death_model, target_fluid, target_solid]
    assert at["target_solid_cytoplasmic"][0] == pytest.approx(488.5 if not vital else 0.0)
    assert at["fluid_change_rate"][0] == pytest.approx(fluid_rate)
    assert at["current_cycle_phase_exit_rate"][0] == pytest.approx(exit_rate)


def test_motile_cells_are_the_living_with_a_speed():
    simulation = oc.Simulation(model(), seed=1, threads=1)
    cells = simulation.tissue.cells
    at = dict(flat(Moment.of_simulation(simulation)))
    np.testing.assert_array_equal(at["is_motile"], (cells.type == 1).astype(float))
    first = int(np.flatnonzero(cells.type == 1)[0])
    cells["vital"][first] = 1
    assert dict(flat(Moment.of_simulation(simulation)))["is_motile"][first] == 0.0


def test_no_text_is_a_formula(tmp_path):
    text = oc.EXAMPLE.replace("  oxygen: {unit", "  '-cmd x': {unit")
    evil = oc.Model.from_text("".join(line for line in text.splitlines(True) if "rules" not in line))
    Tables(tmp_path, 60.0).see(oc.Simulation(evil, seed=1, threads=1))
    head = (tmp_path / "field.csv").read_text().splitlines()[0].split(",")
    assert head[-1] == "'-cmd x"
    assert [cell_text(t) for t in ("@x", "-x", "+1", "x=1")] == ["'@x", "'-x", "'+1", "x=1"]


def test_saved_times_follow_the_interval_even_when_it_is_no_multiple_of_the_tick(tmp_path):
    tables = Tables(tmp_path, every=2.5)
    simulation = oc.Simulation(model(), seed=1, threads=1)
    tables.see(simulation)
    simulation.run("10 min", see=tables.see)
    assert pd.read_csv(tmp_path / "cells.csv")["time"].unique().tolist() == [0.0, 3.0, 5.0, 8.0, 10.0]


def test_the_result_does_not_depend_on_being_watched(tmp_path):
    watched, alone = (oc.Simulation(model(), seed=5, threads=1) for _ in range(2))
    watched.run("1 h", see=Tables(tmp_path, 10.0).see)
    alone.run("1 h")
    assert watched.digest() == alone.digest()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(oc.DataError, match="file"):
        Tables(tmp_path / "file" / "inside", 60.0)


def test_command_line(tmp_path, monkeypatch, capsys):
    from oncarium import cli

    (tmp_path / "model.yaml").write_text(TEXT.replace("until: 2 h", "until: 1 h"))
    command = f"oncarium run {tmp_path}/model.yaml --csv {tmp_path}/tables -o {tmp_path}/run --no-report -q --threads 1"
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 0 and "Two types" in capsys.readouterr().out
    cells, result = pd.read_csv(tmp_path / "tables" / "cells.csv"), oc.open(tmp_path / "run")
    assert cells["time"].unique().tolist() == result.times.tolist() == [0.0, 30.0, 60.0]
    np.testing.assert_allclose(
        cells[cells["time"] == 60.0]["position[0]"], result.array("position", 60.0)[:, 0], rtol=1e-14
    )
