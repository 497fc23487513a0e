"""A25: two tumors that share nothing but a box are two boxes."""

import numpy as np
from scipy.stats import ks_2samp

from helpers import add_cells, run, tissue_of
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid

WIDE = Grid((-400, -200, -10), (20, 20, 20), (1, 20, 40))
FAR = np.array([200.0, 0.0, 0.0])


def grown(centers, seed):
    """Cells (x, y) relative to the center of their tumor, one array per tumor, after two days from three cells each."""
    mechanics = Mechanics(6.0)
    processes = [
        Death(6.0),
        Cycle(6.0, [CYCLES["live"]], np.zeros((1, 1), np.bool_)),
        Volume(6.0),
        mechanics,
        Division(6.0),
    ]
    tissue = tissue_of(processes, WIDE, phases=1, base={"cycle.exit": 0.001, "death.apoptosis": 0.0001})
    for center in centers:
        add_cells(tissue, center + np.array([[0, 0, 0], [15.0, 0, 0], [0, 15.0, 0]]))
    run(processes, tissue, 2880.0, 6.0, seed)
    position = tissue.cells.position
    return [position[(np.sign(position[:, 0]) == np.sign(c[0]))] - c for c in centers]


def test_a25_two_tumors_in_a_box_are_two_boxes():
    together = [t for seed in range(40) for t in grown([-FAR, FAR], seed)]
    alone = [t for seed in range(100, 140) for c in (-FAR, FAR) for t in grown([c], seed + (c[0] > 0) * 1000)]
    for measure in (len, lambda t: np.sqrt((t**2).sum(axis=1).mean()), lambda t: np.abs(t[:, 0]).max()):
        assert ks_2samp([measure(t) for t in together], [measure(t) for t in alone]).pvalue > 0.01


def test_a25_a_tumor_does_not_notice_another_far_away():
    """With its ids and a fixed step, every cell of the first tumor
    stays where it is without the second, to the last bit."""
    found = []
    for centers in ([-FAR], [-FAR, FAR]):
        mechanics = Mechanics(0.1, method="adams-bashforth")
        tissue = tissue_of([Volume(6.0), Death(6.0), mechanics], WIDE)
        for center in centers:
            add_cells(tissue, center + np.array([[0, 0, 0], [9.0, 0, 0], [0, 7.0, 0]]))
        run([mechanics], tissue, 60.0, 0.1)
        found.append(tissue.cells.position[:3].copy())
    assert np.array_equal(*found)
