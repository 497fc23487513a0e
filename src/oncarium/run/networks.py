"""Networks of vessels in a result: one row per segment, with the places of its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .field_view import frame_at

if TYPE_CHECKING:
    import pandas

    from .result import Result


def table_at(result: Result, name: str, t: Any = None) -> dict[str, np.ndarray]:
    """Column -> rows at a time, of a table that a member of the tissue keeps (nodes, segments)."""
    k = result.frame(t, result.times)
    if f"{name}/offsets" not in result.lengths:
        raise InputError("vessels", "this tissue has no vessels.", remedy="Add a section vessels to the model.")
    with frame_at(result.times[k]):
        offsets = result.group[f"{name}/offsets"][:]
        ends = np.append(offsets, result.lengths[f"{name}/id"])
        columns = [c.removeprefix(f"{name}/") for c in result.lengths if c.startswith(f"{name}/")]
        return {c: result.group[f"{name}/{c}"][int(ends[k]) : int(ends[k + 1])] for c in columns if c != "offsets"}


def vessels_at(result: Result, t: Any = None) -> pandas.DataFrame:
    """What Result.vessels returns."""
    import pandas as pd

    nodes, segments = table_at(result, "nodes", t), table_at(result, "segments", t)
    rows = [np.searchsorted(nodes["id"], segments[end]) for end in "ab"]
    places = {f"{end}{axis}": nodes["position"][at, k] for end, at in zip("ab", rows) for k, axis in enumerate("xyz")}
    frame = pd.DataFrame({"id": segments["id"], "a": segments["a"], "b": segments["b"], **places})
    frame["tip"] = (nodes["tip"][rows[0]] > 0) | (nodes["tip"][rows[1]] > 0)
    for name, values in segments.items():
        if name not in frame:
            frame[name] = values
    frame.attrs["time"] = float(result.times[result.frame(t, result.times)])
    frame.attrs["units"] = dict(result.attrs["tables"]["segments"])
    return frame
