"""What radiation, surgery and given cells do, as numbers of the library that a model may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .library import laid_over
from .reader import Reader
from .regions import REGIONS, Region, read_region

TREATMENTS = ("radiation", "surgery", "cells")
SENSITIVITY = {"alpha": "1/Gy", "beta": "1/Gy^2", "interphase": "1"}


@dataclass(frozen=True)
class Radiation:
    """Numbers of radiation: oer (1), half (mmHg), phases (name -> weight), vessels (Gy above which they go, 1/Gy), and
    alpha (1/Gy), beta (1/Gy^2) and interphase (share) of all cells and of single types."""

    oer: float
    half: float
    usual: Mapping[str, float]
    phases: Mapping[str, float]
    vessels: tuple[float, float]
    types: Mapping[str, Mapping[str, float]]

    def of(self, type: str, key: str) -> float:
        """alpha, beta or interphase of a type."""
        return self.types.get(type, {}).get(key, self.usual[key])


@dataclass(frozen=True)
class Treatments:
    """What is no drug: radiation, or None; the wound that surgery leaves (factor -> concentration) and where it cuts;
    the share of given dendritic cells that reaches lymph, and what each carries."""

    radiation: Radiation | None = None
    wound: Mapping[str, float] = field(default_factory=dict)
    region: Region | None = None
    reach: float = 0.0
    load: float = 0.0


def read_treatments(
    reader: Reader, group: Mapping[str, Any], given: set[str], units: Mapping[str, str], kinds: Mapping[str, str]
) -> Treatments:
    """Those that are given, over what the library says of them.

    units   of the model's factors     kinds   type -> the library's cell that it is
    """
    said = {
        name: laid_over(reader, {"library": name, **reader.group(group.get(name), f"therapy.{name}")},
                        f"therapy.{name}", "treatments")
        for name in TREATMENTS if name in given
    }  # fmt: skip
    radiation = _radiation(reader, said["radiation"], kinds) if "radiation" in said else None
    wound: dict[str, float] = {}
    region, reach, load = None, 0.0, 0.0
    if "surgery" in said:
        tree = reader.group(said["surgery"], "therapy.surgery", ("library", "doc", "wound", *REGIONS))
        for factor, value in reader.group(tree.get("wound"), "therapy.surgery.wound").items():
            if factor in units:
                number = reader.quantity(value, f"therapy.surgery.wound.{factor}", units[factor], ge=0.0)
                wound[factor] = number or 0.0
        where = {k: v for k, v in tree.items() if k in REGIONS}
        region = read_region(reader, where, "therapy.surgery") if where else None
    if "cells" in said:
        tree = reader.group(said["cells"], "therapy.cells", ("library", "doc", "reach", "load"))
        reach = reader.quantity(tree["reach"], "therapy.cells.reach", "1", ge=0.0, le=1.0) or 0.0
        load = reader.quantity(tree["load"], "therapy.cells.load", "1", ge=0.0) or 0.0
    return Treatments(radiation, wound, region, reach, load)


def _radiation(reader: Reader, given: Mapping[str, Any], kinds: Mapping[str, str]) -> Radiation | None:
    path = "therapy.radiation"
    keys = ("library", "doc", "oer", "half", *SENSITIVITY, "phases", "vessels", "cells")
    tree = reader.group(given, path, keys)

    def number(group: Mapping[str, Any], key: str, at: str, unit: str, **bounds: Any) -> float:
        return reader.quantity(group[key], f"{at}.{key}", unit, **({"ge": 0.0} | bounds)) or 0.0

    oer, half = number(tree, "oer", path, "1", ge=1.0) or 1.0, number(tree, "half", path, "mmHg", gt=0.0) or 1.0
    usual = {k: number(tree, k, path, unit) for k, unit in SENSITIVITY.items()}
    phases = {
        k: number(tree["phases"], k, f"{path}.phases", "1") for k in reader.group(tree["phases"], f"{path}.phases")
    }
    walls = reader.group(tree["vessels"], f"{path}.vessels", ("above", "loss"))
    vessels = (number(walls, "above", f"{path}.vessels", "Gy"), number(walls, "loss", f"{path}.vessels", "1/Gy"))
    types: dict[str, dict[str, float]] = {}
    own = reader.group(tree.get("cells"), f"{path}.cells")
    for type, kind in kinds.items():
        name = type if type in own else kind
        if name in own:
            at = f"{path}.cells.{name}"
            one = reader.group(own[name], at, SENSITIVITY)
            types[type] = {k: number(one, k, at, SENSITIVITY[k]) for k in one}
    return Radiation(oer, half, usual, phases, vessels, types)
