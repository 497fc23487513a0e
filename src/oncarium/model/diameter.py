"""The diameter of a tumor that a tissue holds whole: of the disc (2-D) or ball that its cells fill."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..units import UnitError, factor
from .doses import Condition

if TYPE_CHECKING:
    from .environment import Domain

NAME = "diameter"
WORDS = ("carcinoma", "tumor", "cancer", "malignant")  # what names of cells of a tumor begin or end with
OTHERS = ("macrophage", "fibroblast", "endothelial")


def tumor_types(types: Iterable[str]) -> list[str]:
    """Types of the tumor, by their names (a macrophage of a tumor is none of them).

    >>> tumor_types(["carcinoma", "tumor_macrophage", "cd8"])
    ['carcinoma']
    """
    found = [t for t in types if t.startswith(WORDS) or t.endswith(WORDS)]
    return [t for t in found if not any(word in t for word in OTHERS)]


def as_volume(condition: Condition, types: Iterable[str], domain: Domain) -> Condition | str:
    """A condition on the diameter as one on the volume of the tumor's cells, or why there is none.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> domain = Model.from_text(EXAMPLE).domain
    >>> print(as_volume(Condition("diameter", ">=", 100.0, "um"), ["tumor"], domain))
    volume.tumor >= 157080 um^3
    >>> print(as_volume(Condition("diameter", ">=", 2.0, "", "nadir"), ["tumor"], domain))
    4x nadir of volume.tumor
    """
    found = tumor_types(types)
    if domain.open:
        return "a tissue with open faces is a part of a tumor, and has no diameter"
    if len(found) != 1:
        return f"{len(found)} cell types are of a tumor ({', '.join(found)}): it has no one volume"
    power, name = (2 if domain.is_2d else 3), f"volume.{found[0]}"
    if condition.of:
        return replace(condition, name=name, value=condition.value**power)
    try:
        d = condition.value * factor(condition.unit or "mm", "um")
    except UnitError as error:
        return str(error)
    volume = 0.25 * math.pi * d**2 * domain.voxel[2] if domain.is_2d else math.pi / 6.0 * d**3
    return replace(condition, name=name, value=float(f"{volume:.6g}"), unit="um^3")
