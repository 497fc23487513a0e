"""Small networks by hand, and tissues around them."""

from __future__ import annotations

import numpy as np

from helpers import PLANE, tissue_of
from oncarium.biology.fluid.state import Fluid
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.vessels.state import PRESSURE
from oncarium.engine.fields import Grid

GRID = Grid((-200, -200, -200), (20, 20, 20), (20, 20, 20))
SLICE = PLANE


def tube(vessels, start, end, pieces=1, **values):
    """A straight vessel between two ends of known pressure."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    graph, n = vessels.graph, graph_rows(vessels)
    kinds = [PRESSURE, *[0] * (pieces - 1), PRESSURE]
    graph.add_nodes([start + (end - start) * k / pieces for k in range(pieces + 1)], kind=kinds)
    length = float(np.linalg.norm(end - start)) / pieces
    values = {"flow": 1.0, "shear": 2.0} | values
    graph.add_segments([[n + k, n + k + 1] for k in range(pieces)], length=length, **values)
    return vessels


def graph_rows(vessels):
    return vessels.graph.n_nodes


def column(vessels, x, y, long=400.0, **values):
    """A vessel that crosses a slice: two segments that meet in its plane."""
    graph, n = vessels.graph, graph_rows(vessels)
    graph.add_nodes([[x, y, -0.5 * long], [x, y, 0.0], [x, y, 0.5 * long]], kind=[PRESSURE, 0, PRESSURE])
    values = {"flow": 1.0, "shear": 2.0} | values
    graph.add_segments([[n, n + 1], [n + 1, n + 2]], length=0.5 * long, **values)
    return vessels


def bathed(*processes, vessels, grid=GRID, matrix=False, fluid=False, types=("tumor",), **factors):
    """A tissue with these vessels in which every factor is a number or a function of (x, y, z)."""
    tissue = tissue_of(list(processes), grid, types, tuple(factors) or ("vegfa",))
    z, y, x = np.meshgrid(*(grid.centers(a) for a in "zyx"), indexing="ij")
    for k, value in enumerate(factors.values()):
        tissue.fields.value[k] = value(x, y, z) if callable(value) else value
    tissue.population.register(("sprout", "branch", "anastomosis", "tip_death", "vessel_regression"))
    tissue.vessels = vessels
    tissue.matrix = Matrix(grid) if matrix else None
    tissue.fluid = Fluid(grid) if fluid else None
    return tissue
