"""Plasma: what blood holds of every drug, and how far the drugs' receptors are occupied; a member of the tissue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engine.part import Part


@dataclass(frozen=True)
class Effect:
    """Something becomes so many times what it is: 1 without the drug, `to` in much of it; half in nM of free drug."""

    target: tuple[str, ...]
    drug: str
    to: float
    half: float
    hill: float
    nanomolar: float = 1.0

    def times(self, c: Any) -> Any:
        """At c nM.

        >>> float(Effect(("vegfa",), "x", 0.0, 1.0, 1.0).times(3.0))
        0.25
        """
        s = np.maximum(c, 0.0) ** self.hill
        return 1.0 + (self.to - 1.0) * s / (self.half**self.hill + s)


@dataclass(frozen=True)
class Carried:
    """A ligand that a drug carries along in blood: its compartment of the body, the drug, where the drug's amounts hold
    the free ligand, and its level without drug, nM."""

    compartment: str
    drug: str
    place: int
    level: float


class Plasma(Part):
    """Drugs in blood.

    names       of the drugs            amounts   by drug: what its compartments hold (state of its pharmacokinetics)
    total, free   (drug) nM in plasma now; free: what no protein of it holds
    given       (drug) nmol so far      passed   (drug) nM min of free drug so far, the area under its curve
    occupancy   (drug, type) mean share of their receptors that live cells of a type have occupied; nan: no such cell
    on_vessels, on_matrix, on_body, on_doors   effects on what vessels hear, on the matrix' loss of hyaluronan, on the
    body's compartments, and on what cells in blood hear (by type and factor)
    carried     ligands that drugs carry along
    binding     names of the drugs with receptors on cells     types   names of the cell types

    >>> plasma = Plasma(["x"], {"x": [0.0, 0.0]})
    >>> plasma.free[0] = 2.0
    >>> plasma.summary()["plasma.x.free"]
    (2.0, 'nM')
    """

    def __init__(
        self,
        names: Sequence[str],
        amounts: Mapping[str, Sequence[float] | np.ndarray],
        binding: Sequence[str] = (),
        types: Sequence[str] = (),
        effects: tuple[tuple[Effect, ...], ...] = ((), (), (), ()),
        carried: Sequence[Carried] = (),
    ):
        self.on_vessels, self.on_matrix, self.on_body, self.on_doors = effects
        self.carried = tuple(carried)
        self.names, self.binding, self.types = tuple(names), tuple(binding), tuple(types)
        self.amounts = {name: np.array(amounts[name], float) for name in self.names}
        self.total, self.free, self.given, self.passed = (np.zeros(len(self.names)) for _ in range(4))
        self.occupancy = np.full((len(self.binding), len(self.types)), np.nan)

    def index(self, name: str) -> int:
        """Place of a drug."""
        return self.names.index(name)

    def hears(self, type: str, factor: str) -> float:
        """Share of a factor that cells of a type hear in blood, before they come into the tissue."""
        out = 1.0
        for effect in self.on_doors:
            if effect.target == (type, factor):
                out *= float(effect.times(self.free[self.index(effect.drug)]))
        return out

    def left(self, ligand: Carried) -> float:
        """Share of a carried ligand's usual level that is free."""
        return float(self.amounts[ligand.drug][ligand.place]) / ligand.level

    def digest(self, h: Any) -> None:
        """Feed what decides what comes next to a hash."""
        for name in self.names:
            h.update(name.encode())
            h.update(self.amounts[name].tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Total and free concentration of every drug, and mean occupancy by cell type."""
        told: dict[str, tuple[float, str]] = {}
        for k, name in enumerate(self.names):
            told[f"plasma.{name}"] = (float(self.total[k]), "nM")
            told[f"plasma.{name}.free"] = (float(self.free[k]), "nM")
            told[f"plasma.{name}.given"] = (float(self.given[k]), "nmol")
        for k, name in enumerate(self.binding):
            told |= {f"occupancy.{name}.{t}": (float(v), "1") for t, v in zip(self.types, self.occupancy[k])}
        return told

    def copy(self) -> Plasma:
        """An independent plasma that holds the same."""
        effects = (self.on_vessels, self.on_matrix, self.on_body, self.on_doors)
        other = Plasma(self.names, self.amounts, self.binding, self.types, effects, self.carried)
        other.restore(self.arrays())
        return other

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps."""
        kept = {"names": np.array(self.names, np.str_), "binding": np.array(self.binding, np.str_)}
        kept |= {f"amounts {name}": self.amounts[name] for name in self.names}
        return kept | {key: getattr(self, key) for key in ("total", "free", "given", "passed", "occupancy")}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave; a drug that was not there then has not been given yet."""
        before = [str(name) for name in arrays["names"]]
        for k, name in enumerate(self.names):
            if name in before:
                self.amounts[name] = np.array(arrays[f"amounts {name}"], float)
                for key in ("total", "free", "given", "passed"):
                    getattr(self, key)[k] = arrays[key][before.index(name)]
        bound = [str(name) for name in arrays["binding"]]
        for k, name in enumerate(self.binding):
            if name in bound:
                self.occupancy[k] = arrays["occupancy"][bound.index(name)]
