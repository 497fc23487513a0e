"""Oxygen of the tissue around a given network of vessels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError, OncariumError, Problem
from ..model.files import is_there
from ..model.rows import number_in
from ..model.vessel_tables import read_points, read_wall_resistance

if TYPE_CHECKING:
    from .vessel_case import VesselCase

# key of the file -> (lowest, whether 0 is allowed)
NUMBERS = ("red_cell_capacity_cm3_per_cm3", "blood_solubility_cm3_per_cm3_mmHg", "inlet_po2_mmHg",
           "tissue_D_alpha_cm3_per_cm_s_mmHg", "vmax_cm3_per_cm3_s", "km_mmHg")  # fmt: skip
ALLOWED = {*NUMBERS, "hill", "wall_resistance", "consumption_inside_lumen"}
FINEST, MOST = 10.0, 1_000_000  # um, voxels


def add_tissue(case: VesselCase, folder: Path, entering: np.ndarray, voxel: float | None = None) -> None:
    """Solve blood and tissue oxygen of a case and put both into it.

    entering   (node) discharge haematocrit of blood that enters
    voxel      um; left out: 10, or what makes a million of them

    Raises ModelError for what parameters.yaml says of oxygen, InputError where there is no box.
    """
    from ..biology.vessels.given import vessels_of
    from ..biology.vessels.oxygen import RESISTANCE, Blood
    from ..biology.vessels.tissue import KROGH, LARGEST_UPTAKE, MICHAELIS, solve_tissue, voxels_of

    said = case.parameters.oxygen
    numbers = _numbers(said)
    usual = Blood()
    blood = Blood(
        numbers.get("hill.n", usual.power), numbers.get("hill.p50_mmHg", usual.p50),
        numbers.get(NUMBERS[0], usual.capacity), numbers.get(NUMBERS[1], usual.solubility),
    )  # fmt: skip
    box = case.parameters.tissue
    if box is None:
        raise InputError(
            "parameters.yaml", "oxygen is given, but not the box of tissue;", "expected  box_um: [x, y, z]."
        )
    width = voxel or max(FINEST, (math.prod(box) / MOST) ** (1.0 / 3.0))
    table: Any = RESISTANCE
    if isinstance(said.get("wall_resistance"), str):
        table = np.column_stack(read_wall_resistance(folder / said["wall_resistance"]))
    vessels = vessels_of(case.network, oxygen=numbers.get("inlet_po2_mmHg", 40.0))
    graph = vessels.graph
    graph.segments["flow"] = case.blood.flow.copy()
    graph.segments["haematocrit"] = case.blood.haematocrit.copy()
    graph.nodes["haematocrit"] = entering.copy()
    try:
        grid = voxels_of(np.array(box), width)
        found = solve_tissue(
            graph, grid, blood, krogh=numbers[NUMBERS[3]] * 6e9 if NUMBERS[3] in numbers else KROGH,
            uptake=numbers[NUMBERS[4]] * 60.0 if NUMBERS[4] in numbers else LARGEST_UPTAKE,
            michaelis=numbers.get("km_mmHg", MICHAELIS), resistance=table,
        )  # fmt: skip
    except OncariumError as error:
        raise InputError(str(folder), f"the tissue could not be solved: {error}.") from None
    case.oxygen = np.where(case.perfused, found.oxygen, np.nan)
    case.tissue = found
    points = folder / "tissue_points.csv"
    case.points = read_points(points) if is_there(points) else _centers(grid)
    beyond = ((case.points < 0.0) | (case.points > np.array(box))).any(axis=1)
    if beyond.any():
        said_of = f"{int(beyond.sum())} points lie outside the box; they have the value at its edge"
        case.events.append(("outside the box", said_of, f"point {int(np.argmax(beyond)) + 1}"))


def _centers(grid) -> np.ndarray:
    """(voxel, xyz) um, x running fastest."""
    z, y, x = np.meshgrid(*(grid.centers(a) for a in "zyx"), indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), z.ravel()])


def _numbers(said: Any) -> dict[str, float]:
    """The numbers of the oxygen group; all that is wrong with it is raised at once."""
    problems, out = [], {}
    for key in said:
        if key not in ALLOWED:
            problems.append(
                Problem(
                    "parameters.yaml", f"oxygen.{key}", "it is not known.", f"Expected {', '.join(sorted(ALLOWED))}."
                )
            )
    hill: dict[str, Any] = said["hill"] if isinstance(said.get("hill"), dict) else {}
    given = {k: said[k] for k in NUMBERS if k in said} | {f"hill.{k}": hill[k] for k in ("n", "p50_mmHg") if k in hill}
    for key, text in given.items():
        value = number_in(str(text))
        if (
            value is None
            or not math.isfinite(value)
            or value < 0.0
            or (value == 0.0 and not key.startswith(("km", "vmax")))
        ):
            problems.append(
                Problem("parameters.yaml", f"oxygen.{key}", f"it is '{text}';", "expected a number above 0.")
            )
        else:
            out[key] = value
    if problems:
        raise ModelError(problems)
    return out
