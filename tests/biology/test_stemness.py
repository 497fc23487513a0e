"""Lineages: what mothers pass on, by hand and in numbers; clones and their traits."""

import numpy as np
import pytest

from helpers import add_cells, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.evolution import HERITABLE, Evolution
from oncarium.biology.stemness import Stemness
from oncarium.biology.volume import Volume
from oncarium.engine.process import Tick


def family(n=4000, seed=7, order=None, **values):
    """n cells that all divide once; returns the tissue and rows of mothers and daughters."""
    division = Division(6.0)
    processes = [division, Stemness(6.0), Evolution(6.0)]
    tissue = tissue_of([Death(6.0), Volume(6.0), *processes])
    add_cells(tissue, np.random.default_rng(1).uniform(-100, 100, (n, 3)))
    for name, value in values.items():
        tissue.cells[name.replace("_", ".", 1)][:] = value
    if order:
        shuffle(tissue, order)
    tissue.population.divide(np.arange(n))
    for process in processes:
        process.step(tissue, Tick(0, 0.0, 6.0, seed))
    return tissue, tissue.population.born


def test_a_stem_cell_stays_one_and_her_daughter_is_one_with_the_probability():
    tissue, (mothers, daughters) = family(stem_level=1.0, stem_renewal=0.2, stem_divisions=3.0)
    level = tissue.cells["stem.level"]
    assert (level[mothers] == 1.0).all() and (tissue.cells["stem.divisions"] == 0.0).all()
    share = level[daughters].mean()
    assert share == pytest.approx(0.2, abs=3 * np.sqrt(0.2 * 0.8 / len(daughters)))


def test_a_differentiated_cell_counts_and_may_return():
    tissue, (mothers, daughters) = family(stem_divisions=2.0, stem_return=0.05)
    back = tissue.cells["stem.level"][daughters] > 0.5
    assert (tissue.cells["stem.divisions"][mothers] == 3.0).all() and (
        tissue.cells["stem.divisions"][daughters[~back]] == 3.0
    ).all()
    assert (tissue.cells["stem.divisions"][daughters[back]] == 0.0).all()
    assert back.mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / len(back)))


def test_with_probabilities_of_zero_nothing_changes():
    tissue, _ = family()
    assert (tissue.cells["stem.level"] == 0.0).all() and (tissue.cells["evolution.clone"] == -1).all()
    assert all((tissue.cells[f"evolution.{k}"] == 1.0).all() for k in HERITABLE)


def test_mutants_found_clones_and_differ_by_lognormal_factors():
    tissue, (mothers, daughters) = family(evolution_rate=0.5, evolution_step=0.3)
    cells = tissue.cells
    new = cells["evolution.clone"][daughters] >= 0
    assert new.mean() == pytest.approx(0.5, abs=3 * np.sqrt(0.25 / len(new)))
    assert (cells["evolution.clone"][daughters[new]] == cells.id[daughters[new]]).all() and (
        cells["evolution.clone"][mothers] == -1
    ).all()
    for k in HERITABLE:
        log = np.log(cells[f"evolution.{k}"][daughters[new]])
        assert abs(log.mean()) < 4 * 0.3 / np.sqrt(len(log)) and log.std() == pytest.approx(0.3, rel=0.08)
        assert (cells[f"evolution.{k}"][mothers] == 1.0).all()
    a, b = (np.log(cells[f"evolution.{k}"][daughters[new]]) for k in HERITABLE[:2])
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1


def test_the_order_of_rows_does_not_matter():
    values = {"stem_level": 1.0, "stem_renewal": 0.3, "evolution_rate": 0.3}
    found = {family(300, order=order, **values)[0].digest() for order in (None, 1, 2)}
    assert len(found) == 1
