"""Cells of one moment as AnnData, as scanpy and squidpy read it.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.spec.model.EXAMPLE), "2 h").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..run.result import Result

if TYPE_CHECKING:
    import anndata
    import pandas

STATES = ("live", "apoptotic", "necrotic", "necrotic")
MOLAR = ("M", "mM", "uM", "nM", "pM")


def _unit(result: Result, column: str) -> str:
    """Unit of a column of the table of cells: where it belongs to a factor, in the factor's own."""
    declared = result.attrs["columns"]
    name = next(n for n in sorted(declared, key=len, reverse=True) if column == n or column.startswith(n + "."))
    unit, concentration = declared[name]["unit"], result.factors.get(column.removeprefix(name + "."), "concentration")
    return unit.replace("concentration", concentration).replace("amount", "fmol" if concentration in MOLAR else f"{concentration}*um^3")


def _phases(result: Result, table: pandas.DataFrame) -> pandas.Categorical:
    """Phase of the cycle of every cell; missing where its type has none."""
    import pandas as pd

    phases = result.attrs["phases"]
    named = [phases[t][p] if phases[t] else None for t, p in zip(table["type"], table["cycle.phase"])]
    return pd.Categorical(named, categories=list(dict.fromkeys(p for t in result.types for p in phases[t])))


def to_anndata(result: Result, t: Any = None) -> anndata.AnnData:
    """Cells at a time: X holds every recorded number (cell x column, float32), var its unit, obs the type, the state and the phase
    of the cycle, obsm["spatial"] the place in um, uns["oncarium"] where it comes from. Raises InputError where anndata is not
    installed, or for a time outside the run.

    >>> data = to_anndata(result)
    >>> data.obs["cell_type"].iloc[0], data.var.loc["volume.total", "unit"], data.obsm["spatial"].shape[1]
    ('tumor', 'um^3', 2)
    """
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
    obs["state"] = pd.Categorical([STATES[v] for v in table["vital"]], categories=list(dict.fromkeys(STATES)))
    if "cycle.phase" in table:
        obs["phase"] = _phases(result, table)
    var = pd.DataFrame({"unit": [_unit(result, c) for c in measured]}, index=pd.Index(measured, name="column"))
    data = anndata.AnnData(X=table[measured].to_numpy(np.float32), obs=obs, var=var)
    data.obsm["spatial"] = table[places].to_numpy(float)
    data.uns["oncarium"] = {
        "title": result.title,
        "time_min": time,
        "spatial_unit": "um",
        "seed": str(result.seed),
        "model_digest": result.attrs["model_digest"],
        "version": result.attrs["versions"]["oncarium"],
    }
    return data
