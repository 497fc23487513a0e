"""The steady oxygen tension of a box of tissue and of the blood in its vessels, which depend on each other."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...engine.fields import Grid
from ...engine.graph import Graph
from ...engine.kernels.hierarchy import build
from ...engine.kernels.multigrid import solve, workspace
from ...errors import OncariumError
from .oxygen import HUMAN, RESISTANCE, Blood, March, march, wall_resistance
from .state import LEAST_FLOW
from .wall import Pieces, conductances, deposit, meet, open_radius, pieces

KROGH = 4.2e-10 * 6e9  # diffusion x solubility of tumors, um^2/min/mmHg: 4.2e-10 cm^2/s/mmHg (Secomb et al. 2004)
LARGEST_UPTAKE = 5e-4 * 60.0  # cm^3 of oxygen per cm^3 and min (Secomb et al. 2004, FaDu and R3230Ac)
MICHAELIS, SHARPEST = 1.0, 0.01  # mmHg
MOST_ROUNDS = 400
MOST_VOXELS = 8_000_000


class TissueOxygen(NamedTuple):
    """value (z, y, x) mmHg; oxygen (segment) mmHg, mean of its blood; loss (segment) um^3 of oxygen per min; rounds
    taken; change of the last one, mmHg; imbalance: what blood loses less what tissue takes, as a share of either."""

    grid: Grid
    value: np.ndarray
    oxygen: np.ndarray
    loss: np.ndarray
    rounds: int
    change: float
    imbalance: float

    def at(self, points: np.ndarray) -> np.ndarray:
        """(point) mmHg at places (point, xyz), um: linear between the centers of voxels."""
        from scipy.ndimage import map_coordinates

        grid = self.grid
        index = [(points[:, a] - grid.origin[a]) / grid.spacing[a] - 0.5 for a in (2, 1, 0)]
        return map_coordinates(self.value, index, order=1, mode="nearest")


def voxels_of(box: np.ndarray, voxel: float, origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Grid:
    """Voxels of a box (xyz), um, as near to cubes of this width as fit. Raises OncariumError for too many.

    >>> voxels_of([990, 810, 150], 20).shape
    (8, 40, 50)
    """
    count = [max(1, round(float(side) / voxel)) for side in box]
    if math.prod(count) > MOST_VOXELS:
        raise OncariumError(
            f"Voxels of {voxel:g} um make {math.prod(count):,} of a box of {' x '.join(f'{b:g}' for b in box)} um; "
            f"at most {MOST_VOXELS:,} are solved; take larger ones"
        )
    spacing = tuple(float(side) / n for side, n in zip(box, count))
    return Grid(origin, (spacing[0], spacing[1], spacing[2]), (count[2], count[1], count[0]))


def divided(graph: Graph, longest: float) -> tuple[Graph, np.ndarray]:
    """A copy whose segments are at most so long (um), and the row of the segment that each was part of: the blood of a
    segment has one tension."""
    graph, parent = graph.copy(), list(range(graph.n_segments))
    for s in range(graph.n_segments):
        parts, row = max(1, math.ceil(graph.segments["length"][s] / longest)), s
        for left in range(parts, 1, -1):
            graph.split(row, 1.0 / left)
            row = graph.n_segments - 1
            parent.append(s)
    return graph, np.array(parent, np.int64)


def solve_tissue(
    graph: Graph,
    grid: Grid,
    blood: Blood = HUMAN,
    *,
    krogh: float = KROGH,
    uptake: float | np.ndarray = LARGEST_UPTAKE,
    michaelis: float = MICHAELIS,
    resistance=RESISTANCE,
    tolerance: float = 1e-4,
) -> TissueOxygen:
    """Steady oxygen in closed walls: flow and haematocrit of the graph's segments, oxygen of its entering nodes given.

    krogh       diffusion x solubility, um^2/min/mmHg
    uptake      cm^3 of oxygen per cm^3 of tissue and min where there is plenty, one or (z, y, x)
    michaelis   mmHg at which half of it is taken; below SHARPEST it counts as that
    resistance  of the wall, rows of diameter (um) and mmHg um s per um^3 of oxygen
    tolerance   share of the highest tension that a round may still change

    Raises OncariumError where rounds do not end.

    >>> from oncarium.biology.vessels.state import FLOW, Vessels
    >>> graph = Vessels.empty().graph
    >>> _ = graph.add_nodes([[50, 50, 0], [50, 50, 50]], kind=FLOW, oxygen=60.0, haematocrit=0.4)
    >>> _ = graph.add_segments([[0, 1]], length=50.0, flow=0.5, haematocrit=0.4)
    >>> found = solve_tissue(graph, voxels_of([100, 100, 50], 10))
    >>> bool(found.value.max() < found.oxygen[0] < 60.0), found.imbalance < 1e-3
    (True, True)
    """
    whole, michaelis = graph, max(michaelis, SHARPEST)
    graph, parent = divided(graph, max(2.0 * min(grid.spacing), 20.0))
    flow = np.abs(graph.segments["flow"])
    carries = (graph.segments["lumen"] > 0) & (flow > LEAST_FLOW * flow.max(initial=0.0))
    radius = open_radius(graph)
    wall = wall_resistance(radius, resistance)
    found = pieces(graph, grid)
    # tension is what diffuses: in units in which solubility is 1
    conductance = conductances(found, wall, krogh)
    levels = build(grid.shape, grid.spacing, krogh, np.zeros(6))
    capacity = np.broadcast_to(np.asarray(uptake, float), grid.shape).copy()
    value, work = np.zeros(grid.shape), workspace(sum(levels.voxels))
    scale = float(graph.nodes["oxygen"].max(initial=1.0))
    if carries.any() or capacity.any():
        value += 0.1 * scale
    change = imbalance = math.inf
    rounds = 0
    while change > tolerance * scale or imbalance > 1e-3:
        if rounds == MOST_ROUNDS:
            raise OncariumError(f"Oxygen of blood and tissue still changes by {change:.3g} mmHg after {rounds} rounds")
        marched, total, tissue, inside = _blood(graph, found, conductance, carries, value, blood)
        share = np.where(total > 0.0, marched.slope * inside / np.maximum(total, 1e-300), 0.0)
        source = tissue + np.divide(marched.loss, marched.slope, out=np.zeros(len(tissue)), where=marched.slope > 0.0)
        supply, demand = np.zeros(grid.shape), np.zeros(grid.shape)
        deposit(found, conductance / grid.voxel_volume, share, source, supply, demand)
        before = value.copy()
        if not demand.any() and not capacity.any():  # nothing comes and nothing goes
            change = imbalance = 0.0
            break
        solve(
            value, supply, levels, rate=0.0, demand=demand, capacity=capacity, michaelis=michaelis,
            tolerance=0.05 * tolerance * scale, cycles=200, work=work,
        )  # fmt: skip
        np.maximum(value, 0.0, out=value)
        change = float(np.abs(value - before).max())
        taken = float((capacity * value / (michaelis + value)).sum() * grid.voxel_volume)
        given = float((marched.loss * inside).sum())
        least = 1e-6 * scale * float(total.sum())  # what passes where nothing is taken up is rounding
        imbalance = abs(given - taken) / max(abs(given), taken, least, 1e-300)
        rounds += 1
    length = graph.segments["length"]
    weight = np.bincount(parent, length, whole.n_segments)
    oxygen = np.bincount(parent, length * marched.oxygen, whole.n_segments) / np.maximum(weight, 1e-300)
    loss = np.bincount(parent, marched.loss, whole.n_segments)
    return TissueOxygen(grid, value, oxygen, loss, rounds, change, imbalance)


def _blood(
    graph: Graph, found: Pieces, conductance: np.ndarray, carries: np.ndarray, value: np.ndarray, blood: Blood
) -> tuple[March, np.ndarray, np.ndarray, np.ndarray]:
    """A march, conductance in the box, tissue's value and share inside, per segment."""
    total, tissue = meet(found, conductance, value)
    inside = np.maximum(found.inside, 1e-12)
    return march(graph, carries, total / inside, tissue, blood), total, tissue, inside
