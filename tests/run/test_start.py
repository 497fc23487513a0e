"""The state at time 0: held layers, concentrations per voxel, values of single cells and drawn ones."""

import numpy as np
import pytest

from oncarium.model.model import Model
from oncarium.run.build import build
from oncarium.run.simulation import Simulation

HEAD = """
domain: {x: [-60 um, 60 um], y: [-40 um, 40 um], z: [-20 um, 20 um], voxel: 20 um}
"""
TWO = (
    HEAD
    + """
factors:
  a: {unit: 1, diffusion: 1 um^2/min, initial: 3, boundary: {xmin: {voxels: 7}, ymax: {voxels: 2}}}
  b: {unit: 1, diffusion: 1 um^2/min, initial: 4, boundary: {ymax: {voxels: 9}}}
  c: {unit: 1, diffusion: 1 um^2/min, initial: 5}
"""
)


def test_a_later_face_decides_for_all_factors_along_edges():
    fields = build(Model.from_text(TWO), 1)[0].fields
    fixed, held = fields.fixed, fields.fixed_value
    a, b, c = (fields.index(name) for name in "abc")
    assert fixed[a, :, :-1, 0].all() and (held[a, :, :-1, 0] == 7.0).all()
    assert fixed[a, :, -1, :].all() and (held[a, :, -1, :] == 2.0).all()
    assert fixed[b, :, -1, :].all() and not fixed[b, :, :-1].any() and not fixed[c].any()
    assert not fixed[a, :, :-1, 1:].any()


def test_an_earlier_face_is_open_where_a_later_one_of_another_factor_is_held():
    text = TWO.replace("boundary: {xmin: {voxels: 7}, ymax: {voxels: 2}}", "boundary: {xmin: {voxels: 7}}")
    fields = build(Model.from_text(text), 1)[0].fields
    a = fields.index("a")
    assert fields.fixed[a, :, :-1, 0].all() and not fields.fixed[a, :, -1, :].any()


def test_held_voxels_start_at_the_initial_value():
    fields = build(Model.from_text(TWO), 1)[0].fields
    assert (fields.value[fields.index("a")] == 3.0).all()


def test_concentrations_per_voxel(tmp_path):
    rows = [(x, y, z) for z in (-10, 10) for y in (-30, -10, 10, 30) for x in (-50, -30, -10, 10, 30, 50)]
    (tmp_path / "start.csv").write_text(
        "x,y,z,b\n" + "".join(f"{x},{y},{z},{x + 10 * y + z + 1000}\n" for x, y, z in rows)
    )
    text = TWO.replace("initial: 4", "initial: {table: start.csv}").replace("initial: 5", "initial: {table: start.csv}")
    model = Model.from_text(text, folder=tmp_path)
    fields = build(model, 1)[0].fields
    assert (
        fields.value[fields.index("b"), 1, 0, 2] == -10 - 300 + 10 + 1000
        and (fields.value[fields.index("a")] == 3.0).all()
    )
    assert (fields.value[fields.index("c")] == 0.0).all()  # the table does not name it


CELLS = (
    HEAD.replace("z: [-20 um, 20 um], ", "")
    + """
custom: {hits: {conserved: true}, tag: {}}
cells:
  tumor: {cycle: {model: live}, custom: {hits: 1, tag: 2}}
  T cell: {cycle: {model: flow_cytometry}}
initial: [{table: cells.csv}]
"""
)


def test_values_of_single_cells(tmp_path):
    (tmp_path / "cells.csv").write_text(
        "x,y,z,type,volume,cycle entry,custom:hits,attack tumor\n"
        "-30,0,0,tumor,1247,0.5,9,\n0,0,0,tumor\n30,0,0,T cell,,0.25,,0.125\n"
    )
    tissue = build(Model.from_text(CELLS, folder=tmp_path), 1)[0]
    cells = tissue.cells
    for part in ("total", "nuclear", "fluid", "nuclear_solid", "cytoplasm_solid", "target_nuclear"):
        assert cells[f"volume.{part}"][0] == pytest.approx(0.5 * cells[f"volume.{part}"][1], rel=1e-15), part
    assert cells["radius"][0] == pytest.approx(cells["radius"][1] / 2 ** (1 / 3))
    assert (
        cells["cycle.exit"][0, 0] == 0.5 and cells["cycle.exit"][1, 0] == 0.00072 and cells["cycle.exit"][2, 0] == 0.25
    )
    assert cells["custom.hits"].tolist() == [9.0, 1.0, 0.0] and cells["custom.tag"].tolist() == [2.0, 2.0, 0.0]
    assert cells["attack.rate"][:, 0].tolist() == [0.0, 0.0, 0.125]
    assert cells.column("custom.hits").inherit == "halve" and cells.column("custom.tag").inherit == "copy"


DRAWN = """
domain: {x: [-500 um, 500 um], y: [-500 um, 500 um], voxel: 20 um}
cells:
  tumor:
    cycle: {model: live}
    distributions:
      - {column: volume.total, normal: [2494 um^3, 300 um^3], between: [2000 um^3, 3000 um^3]}
      - {column: motility.speed, uniform: [0.25 um/min, 0.75 um/min]}
      - {column: cycle.exit.live, loguniform: [1e-4 1/min, 1e-2 1/min]}
      - {column: motility.persistence, lognormal: [1, 0.5]}
      - {column: death.apoptosis, log10normal: [-4, 1], between: [null, 1e-2 1/min]}
initial: [{cells: tumor, everywhere: , count: 4000}]
"""


def test_drawn_values_have_their_distributions():
    from scipy import stats

    cells = build(Model.from_text(DRAWN), 3)[0].cells
    volume = cells["volume.total"]
    truncated = stats.truncnorm((2000 - 2494) / 300, (3000 - 2494) / 300, 2494, 300)
    assert stats.kstest(volume, truncated.cdf).pvalue > 0.001 and volume.min() > 2000.0 and volume.max() < 3000.0
    np.testing.assert_allclose(cells["volume.nuclear"] / volume, 540.0 / 2494.0, rtol=1e-14)
    assert stats.kstest(cells["motility.speed"], stats.uniform(0.25, 0.5).cdf).pvalue > 0.001
    assert stats.kstest(cells["cycle.exit"][:, 0], stats.loguniform(1e-4, 1e-2).cdf).pvalue > 0.001
    assert stats.kstest(cells["motility.persistence"], stats.lognorm(0.5, scale=np.e).cdf).pvalue > 0.001
    exponent = np.log10(cells["death.apoptosis"])
    assert stats.kstest(exponent, stats.truncnorm(-np.inf, 2.0, -4.0, 1.0).cdf).pvalue > 0.001


def test_what_a_cell_draws_depends_on_its_id_and_the_seed_alone():
    one, two, other = (build(Model.from_text(DRAWN), seed)[0].cells["volume.total"] for seed in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    fewer = build(Model.from_text(DRAWN.replace("4000", "40")), 3)[0].cells["volume.total"]
    assert np.array_equal(fewer, one[:40])


def test_a_model_with_tables_runs_on_from_its_own_text(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y,z,type,volume\n-30,0,0,tumor,1247\n")
    model = Model.from_text(CELLS, folder=tmp_path)
    simulation = Simulation(model)
    simulation.run("6 min")
    again = Simulation(Model.from_text(model.to_yaml(), folder=tmp_path))
    again.run("6 min")
    assert again.digest() == simulation.digest()
