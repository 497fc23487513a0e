"""Cells of one moment, or of many, as AnnData, as scanpy and squidpy read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .colors import PALETTE
from .neighbors import neighbors

if TYPE_CHECKING:
    import anndata
    import pandas

STATES = ("live", "apoptotic", "necrotic", "necrotic")
NAMES = ("id", "type", "vital", "x", "y", "z", "cycle.phase", "attack.target")  # columns that are no measured number
MOLAR = ("M", "mM", "uM", "nM", "pM")


def declared_of(attrs: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """What is said of the column that a column of the table belongs to, and its name."""
    declared = attrs["columns"]
    name = next(n for n in sorted(declared, key=len, reverse=True) if column == n or column.startswith(n + "."))
    return {**declared[name], "name": name}


def unit_of(attrs: Mapping[str, Any], column: str) -> str:
    """Unit of a column of the table of cells: where it belongs to a factor, in the factor's own."""
    declared, factors = declared_of(attrs, column), dict(zip(attrs["factors"], attrs["factor_units"]))
    unit = declared["unit"]
    concentration = factors.get(column.removeprefix(declared["name"] + "."), "concentration")
    return unit.replace("concentration", concentration).replace(
        "amount", "fmol" if concentration in MOLAR else f"{concentration}*um^3"
    )


def phases(attrs: Mapping[str, Any], table: pandas.DataFrame) -> pandas.Categorical:
    """Phase of the cycle of every cell; missing where its type has none."""
    import pandas as pd

    phases = attrs["phases"]
    named = [phases[t][p] if phases[t] else None for t, p in zip(table["type"], table["cycle.phase"])]
    return pd.Categorical(named, categories=list(dict.fromkeys(p for t in attrs["types"] for p in phases[t])))


def annotated(tables: Sequence[pandas.DataFrame], attrs: Mapping[str, Any], by: Any = "delaunay") -> anndata.AnnData:
    """Tables of cells, one of each time, and the attributes of the run that they come from, as one AnnData. Raises
    InputError where anndata is not installed.

    by   which cells are neighbors, see run/neighbors.py; those of other times never are

    >>> data = annotated([result.cells(0), result.cells("1 h")], result.attrs)
    >>> data.obs["cell_type"].iloc[0], data.var.loc["volume.total", "unit"], data.obsm["spatial"].shape[1]
    ('tumor', 'um^3', 2)
    >>> list(data.obs_names[[0, -1]]), list(data.obs["frame"].cat.categories)
    (['0@0', '19@60'], ['0 min', '60 min'])
    """
    try:
        import anndata
    except ImportError:
        raise InputError(
            "AnnData", "anndata is not installed.", remedy='Install it:  pip install "oncarium[scverse]"'
        ) from None
    import pandas as pd
    from scipy.sparse import block_diag

    table = pd.concat(list(tables), ignore_index=True) if len(tables) > 1 else tables[0]
    times = [float(t.attrs["time"]) for t in tables]
    time = np.repeat(times, [len(t) for t in tables])
    places = ["x", "y"] if attrs["grid"]["shape"][0] == 1 else ["x", "y", "z"]
    measured = [c for c in table.columns if c not in NAMES]
    named = table["id"].astype(str)
    if len(tables) > 1:
        named = named + [f"@{t:.10g}" for t in time]
    present = set(table["type"].astype(str))
    shown = [t for t in attrs["types"] if t in present]  # squidpy stumbles over types that have no cell
    sample = f"{attrs['title']}, seed {attrs['seed']}"
    obs = pd.DataFrame(index=pd.Index(named, name="cell"))
    obs["cell_type"] = pd.Categorical(table["type"].astype(str).to_numpy(), categories=shown)
    obs["state"] = pd.Categorical([STATES[v] for v in table["vital"]], categories=list(dict.fromkeys(STATES)))
    obs["dead"] = table["vital"].to_numpy() > 0
    if "cycle.phase" in table:
        obs["phase"] = phases(attrs, table)
    obs["id"] = table["id"].to_numpy()
    obs["time"] = time
    obs["frame"] = pd.Categorical([f"{t:.10g} min" for t in time], categories=[f"{t:.10g} min" for t in times])
    obs["sample"] = pd.Categorical([sample] * len(table), categories=[sample])
    var = pd.DataFrame(
        [(unit_of(attrs, c), *(declared_of(attrs, c).get(k, "") for k in ("kind", "doc"))) for c in measured],
        columns=["unit", "kind", "doc"], index=pd.Index(measured, name="column"),
    )  # fmt: skip
    floats = [d for d in table[measured].dtypes if d.kind == "f"]
    data = anndata.AnnData(X=table[measured].to_numpy(np.result_type(np.float32, *floats)), obs=obs, var=var)
    data.obsm["spatial"] = table[places].to_numpy(float)
    graphs = [
        neighbors(t[places].to_numpy(float), by, t["radius"].to_numpy(float) if "radius" in t else None) for t in tables
    ]
    distances = block_diag(graphs, format="csr")
    linked = distances.copy()
    linked.data = np.ones(len(distances.data))
    data.obsp["spatial_distances"], data.obsp["spatial_connectivities"] = distances, linked
    data.uns["spatial_neighbors"] = {
        "connectivities_key": "spatial_connectivities",
        "distances_key": "spatial_distances",
        "params": {"coord_type": "generic", "delaunay": by == "delaunay", "neighbors": str(by)},
    }
    data.uns["cell_type_colors"] = [PALETTE[attrs["types"].index(t) % len(PALETTE)] for t in shown]
    data.uns["oncarium"] = {
        "title": attrs["title"],
        "time_min": times[0] if len(times) == 1 else np.array(times),
        "spatial_unit": "um",
        "seed": str(attrs["seed"]),
        "model_digest": attrs["model_digest"],
        "version": attrs["versions"]["oncarium"],
    }
    return data
