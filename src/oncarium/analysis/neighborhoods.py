"""Who stands where, in numbers: the same for cells of a slide and of a tissue, so that the two can be compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas

NEAREST = 6  # neighbors that are looked at for mixing


@dataclass(frozen=True)
class Standing:
    """Cells as places (cell, xy) in um and names of types, on an area in um^2."""

    place: np.ndarray
    type: np.ndarray
    area: float

    @property
    def types(self) -> list[str]:
        """Names, the most frequent first."""
        names, count = np.unique(self.type.astype(str), return_counts=True)
        return [str(n) for n in names[np.lexsort((names, -count))]]

    def composition(self) -> pandas.DataFrame:
        """Cells, share and cells per mm^2 of every type.

        >>> cells = Standing(np.array([[0, 0], [10, 0], [0, 10.0]]), np.array(["a", "a", "b"]), 1e6)
        >>> int(cells.composition().loc["a", "cells"]), float(cells.nearest().loc["b", "a"])
        (2, 10.0)
        """
        import pandas as pd

        count = np.array([(self.type == t).sum() for t in self.types])
        table = {"cells": count, "share": count / len(self.type), "per mm^2": count / self.area * 1e6}
        return pd.DataFrame(table, index=pd.Index(self.types, name="type"))

    def nearest(self) -> pandas.DataFrame:
        """Median distance (um) from a cell of one type (row) to the nearest other of each (column)."""
        import pandas as pd
        from scipy.spatial import cKDTree

        out = pd.DataFrame(math.nan, index=self.types, columns=self.types)
        for to in self.types:
            there = self.place[self.type == to]
            for of in self.types:
                k = 2 if of == to else 1
                if len(there) >= k:
                    apart = cKDTree(there).query(self.place[self.type == of], k=[k])[0]
                    out.loc[of, to] = float(np.median(apart))
        return out

    def mixing(self) -> pandas.DataFrame:
        """Mean share of each type (column) among the 6 nearest neighbors of the cells of one (row)."""
        import pandas as pd
        from scipy.spatial import cKDTree

        k = min(NEAREST, len(self.place) - 1)
        out = pd.DataFrame(math.nan, index=self.types, columns=self.types)
        if k < 1:
            return out
        near = self.type[cKDTree(self.place).query(self.place, k=k + 1)[1][:, 1:]]
        for of in self.types:
            for to in self.types:
                out.loc[of, to] = float((near[self.type == of] == to).mean())
        return out
