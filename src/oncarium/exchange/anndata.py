"""Cells of one moment as AnnData, as scanpy and squidpy read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..run.result import Result

if TYPE_CHECKING:
    import anndata

STATE = {0: "live", 1: "apoptotic", 2: "necrotic", 3: "necrotic"}


def to_anndata(result: Result, t: Any = None) -> anndata.AnnData:
    """Cells at a time: X holds every recorded number (cell x column, float32), obs the type and state, obsm["spatial"] the
    place in um, uns["oncarium"] where it comes from. Raises InputError where anndata is not installed."""
    try:
        import anndata
    except ImportError:
        raise InputError("to_anndata", "anndata is not installed.", remedy='Install it:  pip install "oncarium[scverse]"') from None
    import pandas as pd

    table = result.cells(t)
    time = table.attrs["time"]
    places = ["x", "y"] if result.is_2d else ["x", "y", "z"]
    measured = [c for c in table.columns if c not in ("id", "type", "vital", "x", "y", "z", "cycle.phase", "attack.target")]
    obs = pd.DataFrame(index=pd.Index(table["id"].astype(str), name="cell"))
    obs["cell_type"] = pd.Categorical(table["type"].astype(str).to_numpy(), categories=list(result.types))
    obs["state"] = pd.Categorical([STATE[v] for v in table["vital"]])
    units = {c: result.attrs["columns"].get(c, {}).get("unit", result.factors.get(c.rpartition(".")[2], "")) for c in measured}
    var = pd.DataFrame({"unit": list(units.values())}, index=pd.Index(measured, name="column"))
    data = anndata.AnnData(X=table[measured].to_numpy(np.float32), obs=obs, var=var)
    data.obsm["spatial"] = table[places].to_numpy(float)
    data.uns["oncarium"] = {
        "title": result.title,
        "time_min": time,
        "seed": str(result.seed),
        "model_digest": result.attrs["model_digest"],
        "version": result.attrs["versions"]["oncarium"],
    }
    return data
