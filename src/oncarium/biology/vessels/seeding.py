"""Networks to start from: columns that cross a slice, feeders with a mesh between them, random ones of a given density.

Every place is drawn by (seed, number): the same seed gives the same network, and one vessel more moves no other one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from ...engine.fields import Grid
from ...engine.random import stream_of, uniform
from ...errors import InputError
from .state import PRESSURE, Vessels

STREAM = stream_of("vessels")
PLACES, SIZES, LENGTHS, TURNS, KEPT, CUTS = range(6)  # draws
TRIES = 400  # places that are tried for one vessel
GRADIENT = 10.0  # mmHg per mm along a capillary: 0.4 mm/s and 2 to 3 Pa at a radius of 4 um
MIDDLE = 20.0  # mmHg, of 25 and 15 at the two ends of a capillary bed (Owen et al. 2011)
RADIUS, SPREAD = 4.0, 0.2  # um; standard deviation of its logarithm (assumed)
LENGTH = (300.0, 600.0)  # um, of a vessel that crosses a slice
ENDS = 0.1  # of a vessel's length: a slice cuts it no nearer to its ends (assumed)
CLOSEST = 0.6  # of the mean spacing: the least distance of two vessels (assumed; more than 0.8 cannot be had)


@njit(cache=True, nogil=True)
def _draws(seed, stream, draw, count, out):
    for k in range(count):
        out[k] = uniform(seed, stream, draw, k, 0)


def draws(seed: int, what: int, count: int) -> np.ndarray:
    """(count) numbers in [0, 1).

    >>> bool((draws(1, PLACES, 3) == draws(1, PLACES, 5)[:3]).all())
    True
    """
    out = np.empty(count)
    _draws(np.uint64(seed), STREAM, what, count, out)
    return out


@njit(cache=True, nogil=True)
def _throw(seed, stream, count, tries, corner, spacing, axes, closest, out):
    """Places in boxes (voxels), one after another, none closer than `closest` to another; how many were found."""
    found = 0
    for k in range(count * tries):
        if found == count:
            break
        v = min(int(uniform(seed, stream, 0, k, 0) * len(corner)), len(corner) - 1)
        for a in range(3):
            out[found, a] = corner[v, a] + spacing[a] * (uniform(seed, stream, 0, k, 1 + a) if a < axes else 0.5)
        free = True
        for j in range(found):
            square = 0.0
            for a in range(axes):
                square += (out[found, a] - out[j, a]) ** 2
            if square < closest * closest:
                free = False
                break
        if free:
            found += 1
    return found


def scatter(
    grid: Grid, inside: np.ndarray, count: int, closest: float, seed: int, flat: bool | None = None
) -> np.ndarray:
    """(place, xyz) um, at random in the voxels that are `inside` (z, y, x), none closer than `closest` um to another.

    flat   whether they lie in the middle of a layer; left out: where there is one layer of voxels

    There may be fewer than asked for: as many as were found room for.
    """
    index = np.argwhere(inside)[:, ::-1]
    if not len(index):
        return np.zeros((0, 3))
    spacing = np.array(grid.spacing, float)
    corner = np.array(grid.origin, float) + index * spacing
    out = np.empty((count + 1, 3))
    axes = 2 if (inside.shape[0] == 1 if flat is None else flat) else 3
    found = _throw(np.uint64(seed), STREAM, count, TRIES, corner, spacing, axes, closest, out)
    return out[:found].copy()


def columns(
    grid: Grid, inside: np.ndarray, density: float, seed: int = 0, *, length: tuple[float, float] = LENGTH,
    radius: float = RADIUS, spread: float = SPREAD, gradient: float = GRADIENT, pressure: float = MIDDLE,
    haematocrit: float = 0.45, oxygen: float = 40.0, closest: float | None = None,
) -> Vessels:  # fmt: skip
    """Vessels that cross a slice, each with an inlet and an outlet of its own beyond it.

    grid, inside   the voxels, and which of them (z, y, x) have vessels     density   1/mm^2
    length         um, shortest and longest       radius, spread   um, and standard deviation of its logarithm
    gradient       mmHg/mm along a vessel         pressure         mmHg, in its middle (not where the slice cuts it)
    haematocrit, oxygen (mmHg)   of the blood that enters          closest   um between two; left out: 0.6 of the mean
                                                                            spacing

    Nodes 3 i, 3 i + 1 and 3 i + 2 are inlet, crossing and outlet of vessel i; its blood goes up or down by chance. The
    slice cuts a vessel anywhere between a tenth and nine tenths of its way: some crossings are near an artery, some
    near a vein, so that blood flows where a sprout joins two of them.
    Raises InputError where they do not fit.

    >>> slice = Grid((0, 0, 0), (20, 20, 20), (1, 50, 50))
    >>> graph = columns(slice, np.ones((1, 50, 50), bool), 60.0, seed=1).graph
    >>> graph.n_segments, graph.position[1::3, 2].tolist() == [10.0] * 60
    (120, True)
    """
    area = float(inside.sum()) * grid.spacing[0] * grid.spacing[1] * 1e-6
    count = round(density * area)
    spacing = 1e3 / math.sqrt(max(density, 1e-300))
    room = CLOSEST * spacing if closest is None else closest
    if spacing < 2.0 * radius:
        raise InputError(
            "vessels", f"{density:g} vessels per mm^2 of radius {radius:g} um do not fit side by side;",
            f"expected at most {1e6 / (4.0 * radius**2):.0f} per mm^2.",
        )  # fmt: skip
    place = scatter(grid, inside, count, room, seed)
    if len(place) < count:
        raise InputError(
            "vessels", f"{count} vessels in {area:.3g} mm^2, none closer than {room:.3g} um to another, do not fit: "
            f"there is room for {len(place)};", "expected fewer, or closer ones.",
        )  # fmt: skip
    low, high = length
    reach = low + (high - low) * draws(seed, LENGTHS, count)
    up = np.where(draws(seed, TURNS, count) < 0.5, -1.0, 1.0)
    size = sizes(seed, count, radius, spread)
    vessels = Vessels.empty()
    position = np.repeat(place, 3, axis=0)
    least = np.minimum(np.maximum(ENDS, grid.spacing[2] / reach), 0.5)  # both ends lie beyond the slice
    cut = least + (1.0 - 2.0 * least) * draws(seed, CUTS, count)  # share of the way where the slice is
    position[0::3, 2] -= up * cut * reach
    position[2::3, 2] += up * (1.0 - cut) * reach
    drop = 0.5e-3 * gradient * reach
    given = np.column_stack([pressure + drop, np.zeros(count), pressure - drop]).ravel()
    vessels.graph.add_nodes(
        position, kind=np.tile([PRESSURE, 0, PRESSURE], count), given=given, haematocrit=haematocrit, oxygen=oxygen
    )
    first = 3 * np.arange(count)
    ends = np.stack([np.column_stack([first, first + 1]), np.column_stack([first + 1, first + 2])], axis=1)
    vessels.graph.add_segments(
        ends.reshape(-1, 2), length=(reach[:, None] * np.column_stack([cut, 1.0 - cut])).ravel(),
        radius=np.repeat(size, 2), haematocrit=haematocrit, oxygen=oxygen,
    )  # fmt: skip
    return vessels


def sizes(seed: int, count: int, radius: float, spread: float) -> np.ndarray:
    """(count) um, log-normal with the median `radius`, within three standard deviations."""
    from scipy.special import ndtri

    return radius * np.exp(spread * np.clip(ndtri(np.clip(draws(seed, SIZES, count), 1e-9, 1 - 1e-9)), -3.0, 3.0))


def mesh(
    lower: Sequence[float], upper: Sequence[float], spacing: float = 80.0, seed: int = 0, *, feeders: float = 500.0,
    radius: float = RADIUS, spread: float = SPREAD, murray: float = 3.0, inlet: float | None = None,
    outlet: float = 15.0, haematocrit: float = 0.45, oxygen: float = 40.0, jitter: float = 0.4, kept: float = 0.85,
) -> Vessels:  # fmt: skip
    """Arterioles and venules side by side along y, with a mesh of capillaries between them.

    lower, upper   corners of the box (xyz), um; a box thinner than the spacing has one layer in its middle
    spacing        um between nodes of the mesh     feeders   um from an arteriole to the next venule
    radius, spread of capillaries, um, and of its logarithm   murray   exponent: feeders are as wide as they must be
    inlet, outlet  mmHg at the ends of arterioles and venules; inlet left out: 10 mmHg per mm of way above the outlet
    jitter         of the nodes, as a share of the spacing    kept     share of the mesh's segments

    Radii have not adapted yet: see `settle`. Raises InputError where the box is too small.

    >>> graph = mesh((0, 0, 0), (1000, 600, 20), seed=1).graph
    >>> (graph.components() == 0).all() and int((graph.nodes["kind"] == PRESSURE).sum())
    3
    """
    size = np.array(upper, float) - np.array(lower, float)
    gaps = max(1, round(size[0] / feeders))  # between feeders
    steps = max(2, round(size[0] / gaps / spacing))  # of the mesh in one gap
    if min(size[0], size[1]) < 2.0 * spacing:
        raise InputError(
            "vessels", f"a mesh of {spacing:g} um does not fit into {size[0]:g} x {size[1]:g} um;",
            "expected at least two spacings in x and y.",
        )  # fmt: skip
    n = (gaps * steps + 1, max(2, round(size[1] / spacing)) + 1, max(1, round(size[2] / spacing)))
    step = np.array([size[0] / (n[0] - 1), size[1] / (n[1] - 1), size[2] / n[2]])
    i, j, k = (axis.ravel() for axis in np.meshgrid(*(np.arange(m) for m in n), indexing="ij"))
    row = np.arange(len(i)).reshape(n)
    position = np.array(lower, float) + np.column_stack([i, j, k + 0.5]) * step
    layers = max(1, round(size[2] / feeders))  # of feeders, one above the other
    layer = np.minimum(k * layers // n[2], layers - 1)
    feeds = (i % steps == 0) & (k == ((2 * layer + 1) * n[2] // (2 * layers)))
    arterial = (i // steps + layer) % 2 == 0
    loose = np.column_stack([(i > 0) & (i < n[0] - 1), (j > 0) & (j < n[1] - 1), np.full(len(k), n[2] > 1)])
    move = draws(seed, PLACES, 3 * len(i)).reshape(-1, 3) - 0.5
    position += np.where(loose & ~feeds[:, None], jitter * step * move, 0.0)
    ends, is_feeder = _lattice(row, feeds, steps)
    keep = is_feeder | (draws(seed, KEPT, len(ends)) < kept)
    ends, is_feeder = ends[keep], is_feeder[keep]
    radii = sizes(seed, len(ends), radius, spread)
    _murray(ends, is_feeder, radii, arterial, murray)
    kind, given = np.zeros(len(i), np.int64), np.zeros(len(i))
    is_end = feeds & np.where(arterial, j == 0, j == n[1] - 1)
    kind[is_end] = PRESSURE
    if inlet is None:
        inlet = outlet + 1e-3 * GRADIENT * float(size[1] + size[0] / gaps)
    given[is_end] = np.where(arterial[is_end], inlet, outlet)
    return joined(position, ends, radii, kind, given, haematocrit, oxygen)


def _lattice(row: np.ndarray, feeds: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbors in a box of nodes, three at most nodes as in a honeycomb, and which of them are pieces of a feeder."""
    pairs = [
        (row[:-1].ravel(), row[1:].ravel()), (row[:, :-1].ravel(), row[:, 1:].ravel()),
        (row[:, :, :-1].ravel(), row[:, :, 1:].ravel()),
    ]  # fmt: skip
    ends = np.concatenate([np.column_stack(pair) for pair in pairs])
    axis = np.repeat(np.arange(3), [len(p[0]) for p in pairs])
    is_feeder = (axis == 1) & feeds[ends].all(axis=1)
    x, y, z = np.unravel_index(ends[:, 0], row.shape)
    # from feeder to feeder all; besides, one bridge at a node, in turns along y and z; all layers hang on the feeders
    turn = (x + y + z) % (4 if row.shape[2] > 1 else 2)
    there = is_feeder | (axis == 0) | ((axis == 1) & (turn == 0)) | ((axis == 2) & ((turn == 2) | (x % steps == 0)))
    return ends[there], is_feeder[there]


def _murray(ends: np.ndarray, is_feeder: np.ndarray, radii: np.ndarray, arterial: np.ndarray, exponent: float) -> None:
    """A piece of a feeder is as wide as all capillaries beyond it ask: r^n is the sum of theirs."""
    thin = ~is_feeder
    load = np.zeros(len(arterial))
    np.add.at(load, ends[thin].ravel(), np.repeat(radii[thin] ** exponent, 2))
    chains: dict[int, list[int]] = {}
    start = np.arange(len(arterial))
    for k in np.flatnonzero(is_feeder):  # along y from the first on
        start[ends[k, 1]] = start[ends[k, 0]]
        chains.setdefault(int(start[ends[k, 0]]), []).append(int(k))
    for node, chain in chains.items():
        far: int = 1 if arterial[node] else 0  # arterioles open at the first node, venules at the last
        pieces = chain[::-1] if far else chain
        total = load[ends[pieces[0], far]]
        for s in pieces:
            radii[s] = max(total, 1.0) ** (1.0 / exponent)
            total += load[ends[s, 1 - far]]


def joined(
    position: np.ndarray, ends: np.ndarray, radii: np.ndarray, kind: np.ndarray, given: np.ndarray, haematocrit: float,
    oxygen: float,
) -> Vessels:  # fmt: skip
    """A network of straight segments, without what hangs together with no end."""
    vessels = Vessels.empty()
    vessels.graph.add_nodes(position, kind=kind, given=given, haematocrit=haematocrit, oxygen=oxygen)
    vessels.graph.add_segments(ends, radius=radii, haematocrit=haematocrit, oxygen=oxygen)
    graph = vessels.graph
    graph.segments["length"][:] = graph.distances()
    part = graph.components()
    lost = ~np.isin(part[graph.ends[:, 0]], part[graph.nodes["kind"] == PRESSURE])
    graph.remove_segments(np.flatnonzero(lost))
    return vessels
