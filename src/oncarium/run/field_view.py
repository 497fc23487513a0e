"""Fields of a result, read when they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError, did_you_mean
from ..units import say_time
from . import words

if TYPE_CHECKING:
    import xarray

    from .result import Result


@contextmanager
def frame_at(minutes: float) -> Iterator[None]:
    """Within it, damage is told with the time of the frame."""
    try:
        yield
    except DataError as error:
        told = error.problem
        raise DataError(
            told.where, f"the frame at {say_time(minutes)}: {told.message}", told.expected, told.remedy
        ) from None


class FieldView(Mapping):
    """Fields of a result by name of the factor, or of what else was recorded voxel by voxel (fluid.pressure)."""

    def __init__(self, result: Result):
        self.result = result
        self.units: dict[str, str] = {**result.factors, **result.attrs.get("maps", {})}

    def __repr__(self) -> str:
        return f"<fields {', '.join(f'{name} ({unit})' for name, unit in self.units.items())}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = [[name, unit, " x ".join(map(str, self[name].shape))] for name, unit in self.units.items()]
        return words.table(["factor", "unit", "time, z, y, x"], rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.units)

    def __len__(self) -> int:
        return len(self.units)

    def __contains__(self, name: object) -> bool:
        return name in self.units

    def _place(self, name: str) -> tuple[str, int | None]:
        """The array that holds a field, and which of its channels. Raises InputError."""
        if name not in self.units:
            raise InputError(
                "fields",
                f"no field is called '{name}'.{did_you_mean(name, self.units)}",
                f"This run has: {', '.join(self.units)}.",
            )
        factors = list(self.result.factors)
        return ("fields/0", factors.index(name)) if name in factors else (f"maps/{name}", None)

    def at(self, name: str, t: Any = None) -> np.ndarray:
        """(z, y, x): one field at a time, None the last, as plain numbers. Raises InputError, DataError.

        >>> bool((result.fields.at("oxygen") == result.fields["oxygen"].isel(time=-1).values).all())
        True
        """
        result = self.result
        array, k = self._place(name)
        frame = result.frame(t, result.field_times)
        with frame_at(result.field_times[frame]):
            if k is None:
                return result.group[array][frame]
            everywhere = slice(None)
            return result.group[array].oindex[(frame, k, everywhere, everywhere, everywhere)]

    def __getitem__(self, name: str) -> xarray.DataArray:
        """(time, z, y, x), with coordinates in min and um, and `units` that xarray's own plots show; lazy. Raises
        InputError."""
        import xarray as xr
        from xarray.core import indexing

        result = self.result
        array, k = self._place(name)
        grid = result.attrs["grid"]
        centers = {
            a: grid["origin"][i] + (np.arange(grid["shape"][2 - i]) + 0.5) * grid["spacing"][i]
            for i, a in enumerate("xyz")
        }
        lazy = indexing.LazilyIndexedArray(_Frames(result, array, k))
        data = xr.DataArray(
            xr.Variable(("time", "z", "y", "x"), lazy),
            coords={"time": result.field_times, **{a: centers[a] for a in "zyx"}},
            name=name,
            attrs={"units": self.units[name], "long_name": name},
        )
        data["time"].attrs["units"] = "min"
        for a in "xyz":
            data[a].attrs["units"] = "um"
        return data


def _frames_class() -> Any:
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Frames(BackendArray):
        def __init__(self, result: Result, array: str, factor: int | None):
            self.array = result.group[array]
            self.of = () if factor is None else (factor,)  # which of the channels
            self.times = result.field_times
            self.shape = (result.lengths[array], *self.array.shape[1 + len(self.of) :])
            self.dtype = self.array.dtype

        def __getitem__(self, key: Any) -> Any:
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

        def _read(self, key: tuple) -> np.ndarray:
            time, *space = key
            chosen = np.arange(self.shape[0])[time]
            if not np.ndim(chosen):
                return self._one(int(chosen), space)
            frames = [self._one(int(k), space) for k in chosen]
            return np.stack(frames) if frames else self.array.oindex[(time, *self.of, *space)]

        def _one(self, k: int, space: Sequence[Any]) -> np.ndarray:
            with frame_at(self.times[k]):
                return self.array.oindex[(k, *self.of, *space)]

    return Frames


def _Frames(result: Result, array: str, factor: int | None) -> Any:
    return _frames_class()(result, array, factor)
