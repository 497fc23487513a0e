"""Cells of one moment as AnnData, as scanpy and squidpy read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import anndata
    import pandas

STATES = ("live", "apoptotic", "necrotic", "necrotic")
MOLAR = ("M", "mM", "uM", "nM", "pM")


def unit_of(attrs: Mapping[str, Any], column: str) -> str:
    """Unit of a column of the table of cells: where it belongs to a factor, in the factor's own."""
    declared, factors = attrs["columns"], dict(zip(attrs["factors"], attrs["factor_units"]))
    name = next(n for n in sorted(declared, key=len, reverse=True) if column == n or column.startswith(n + "."))
    unit, concentration = declared[name]["unit"], factors.get(column.removeprefix(name + "."), "concentration")
    return unit.replace("concentration", concentration).replace(
        "amount", "fmol" if concentration in MOLAR else f"{concentration}*um^3"
    )


def _phases(attrs: Mapping[str, Any], table: pandas.DataFrame) -> pandas.Categorical:
    """Phase of the cycle of every cell; missing where its type has none."""
    import pandas as pd

    phases = attrs["phases"]
    named = [phases[t][p] if phases[t] else None for t, p in zip(table["type"], table["cycle.phase"])]
    return pd.Categorical(named, categories=list(dict.fromkeys(p for t in attrs["types"] for p in phases[t])))


def annotated(table: pandas.DataFrame, attrs: Mapping[str, Any]) -> anndata.AnnData:
    """A table of cells, and the attributes of the run that it comes from, as AnnData. Raises InputError where anndata
    is not installed.

    >>> data = annotated(result.cells(), result.attrs)
    >>> data.obs["cell_type"].iloc[0], data.var.loc["volume.total", "unit"], data.obsm["spatial"].shape[1]
    ('tumor', 'um^3', 2)
    """
    try:
        import anndata
    except ImportError:
        raise InputError(
            "to_anndata", "anndata is not installed.", remedy='Install it:  pip install "oncarium[scverse]"'
        ) from None
    import pandas as pd

    places = ["x", "y"] if attrs["grid"]["shape"][0] == 1 else ["x", "y", "z"]
    measured = [
        c for c in table.columns if c not in ("id", "type", "vital", "x", "y", "z", "cycle.phase", "attack.target")
    ]
    obs = pd.DataFrame(index=pd.Index(table["id"].astype(str), name="cell"))
    obs["cell_type"] = pd.Categorical(table["type"].astype(str).to_numpy(), categories=list(attrs["types"]))
    obs["state"] = pd.Categorical([STATES[v] for v in table["vital"]], categories=list(dict.fromkeys(STATES)))
    if "cycle.phase" in table:
        obs["phase"] = _phases(attrs, table)
    var = pd.DataFrame({"unit": [unit_of(attrs, c) for c in measured]}, index=pd.Index(measured, name="column"))
    data = anndata.AnnData(X=table[measured].to_numpy(np.float32), obs=obs, var=var)
    data.obsm["spatial"] = table[places].to_numpy(float)
    data.uns["oncarium"] = {
        "title": attrs["title"],
        "time_min": table.attrs["time"],
        "spatial_unit": "um",
        "seed": str(attrs["seed"]),
        "model_digest": attrs["model_digest"],
        "version": attrs["versions"]["oncarium"],
    }
    return data
