"""A loop over voxels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..cells import Cells
from ..fields import Fields
from ..process import Tick
from ..tissue import Tissue
from .cells import LoopProcess
from .source import nearest, word

SOURCES = ("supply", "demand", "capacity")


class VoxelProcess(LoopProcess):
    """A scalar function of the concentrations in a voxel, whose values are added to what Transport solves with."""

    driver = "each_voxel"
    special = ("dt", "time", "id", "voxel_volume")

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        super().__init__(function, options, parameters)
        self.sets, self.adds = (), ()

    def prepare(self, tissue: Tissue) -> None:
        super().prepare(tissue)
        self.adds = tuple(dict.fromkeys(name for name, _ in self.written))

    def names(self, tissue: Tissue) -> dict[str, tuple[str, int]]:
        """Argument -> (array of the fields, factor): concentrations and sources so far."""
        return {word(name): ("fields.value", k) for k, name in enumerate(tissue.fields.names)} | self._sources(tissue)

    @staticmethod
    def _sources(tissue: Tissue) -> dict[str, tuple[str, int]]:
        return {
            f"{source}_{word(name)}": (f"fields.{source}", k)
            for source in SOURCES
            for k, name in enumerate(tissue.fields.names)
        }

    def targets(self, tissue: Tissue) -> list[tuple[str, int]]:
        """(array of the fields, factor) of everything the function writes; an unknown one is refused."""
        names = self._sources(tissue)
        for w in self.writes:
            if w not in names:
                raise self._say(f"writes {w}, which no factor has.{nearest(w, names)}")
        return [names[w] for w in self.writes]

    def array(self, tissue: Tissue, name: str) -> np.ndarray:
        """An array of the fields as (factor, voxel)."""
        fields: Fields = tissue.fields
        return getattr(fields, name.removeprefix("fields.")).reshape(len(fields.names), -1)

    def _guards(self, cells: Cells) -> list[str]:
        return []

    def _at(self, cells: Cells, name: str, index: int, row: str) -> str:
        return f"{word(name)}[{index}, {row}]"

    def _read(self, cells: Cells, argument: str) -> str:
        return "voxel_volume" if argument == "voxel_volume" else super()._read(cells, argument)

    def _driver_arguments(self) -> list[str]:
        return ["voxel_volume"]

    def body(self, cells: Cells) -> list[str]:
        parts = [f"part{k}" for k in range(len(self.written))]
        return [
            "    for i in range(first, last):",
            f"        {', '.join(parts)} = {self._call(cells)}",
            *(f"        {self._at(cells, *t, 'i')} += {part}" for t, part in zip(self.written, parts)),
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        voxels = tissue.fields.value[0].size
        numbers = np.arange(voxels)
        self._run(tissue, tick, voxels, numbers, numbers, tissue.cells.type, tissue.fields.grid.voxel_volume)
