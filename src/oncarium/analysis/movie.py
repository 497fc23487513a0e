"""A movie of a run: MP4 where imageio-ffmpeg is installed, otherwise an animated GIF.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..run.result import Result
from ..writing import whole

KINDS = (".mp4", ".gif")
log = logging.getLogger(__name__)


def movie(
    result: Result,
    path: str | Path,
    frames: int = 120,
    rate: int = 12,
    *,
    color: str = "type",
    field: str | None = None,
    crop: Sequence[float] | None = None,
    vessels: bool = True,
    see: Callable[[int, int], Any] | None = None,
) -> Path:
    """Write at most this many evenly spaced frames of cells at `rate` per second; returns the path. Without a video
    encoder an .mp4 becomes a .gif, which is told.

    color   "type", or a number that cells have; one scale for all frames     field   a factor below the cells
    crop    (lowest x, highest x, lowest y, highest y) of what is shown, um     vessels   whether they are drawn
    see     called with (frames done, all)

    Raises InputError for another kind of file, for what was not recorded, and when neither imageio-ffmpeg nor Pillow
    is there.

    >>> oc.movie(result, "growth.gif", frames=2).name
    'growth.gif'
    """
    if frames < 1:
        raise InputError("frames", f"{frames} frames are no movie;", "expected at least 1.")
    if rate < 1:
        raise InputError("rate", f"{rate} frames per second are no movie;", "expected at least 1.")
    path = Path(path)
    if path.suffix.lower() not in KINDS:
        raise InputError(str(path), f"'{path.suffix}' is no kind of movie here;", f"expected {' or '.join(KINDS)}.")
    chosen = result.times[np.linspace(0, len(result.times) - 1, min(frames, len(result.times))).round().astype(int)]
    pictures = _pictures(result, chosen, {"color": color, "field": field, "crop": crop, "vessels": vessels}, see)
    if path.suffix.lower() == ".mp4":
        try:
            import imageio_ffmpeg
        except ImportError:
            path = path.with_suffix(".gif")
            log.warning('no video encoder is installed (pip install "oncarium[movie]"): %s is written instead', path)
        else:
            return _mp4(imageio_ffmpeg, path, pictures, rate)
    return _gif(path, pictures, rate)


def _pictures(
    result: Result, times: np.ndarray, look: dict[str, Any], see: Callable[[int, int], Any] | None
) -> Iterator[np.ndarray]:
    """(y, x, rgb) pictures of the tissue, on one scale, of an even number of dots each way, all of the same size."""
    from .canvas import close
    from .scales import common_range

    if look["color"] not in ("type", "vital", "cycle.phase"):
        numbers = (result.numbers(look["color"], t)[result.array("vital", t) == 0] for t in times)
        look["limits"] = common_range(numbers)
    if look["field"] is not None:
        data = result.fields[look["field"]]
        frames = sorted({result.frame(t, result.field_times) for t in times})
        look["field_limits"] = common_range(data.isel(time=k).values for k in frames)
    for k, t in enumerate(times):
        figure = _frame(result, t, look)
        figure.canvas.draw()
        picture = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        close(figure)
        yield np.ascontiguousarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])
        if see:
            see(k + 1, len(times))


def _frame(result: Result, t: float, look: dict[str, Any]) -> Any:
    """One frame; the map has the same place in all of them, however long the legend is."""
    import matplotlib

    from .canvas import STYLE, new_figure
    from .maps import tissue, window_of
    from .scales import extent_of

    x0, x1, y0, y1 = window_of(look["crop"], extent_of(result))
    tall = 4.4
    wide = tall * min(max((x1 - x0) / (y1 - y0), 0.3), 3.0)
    bars = (look["color"] not in ("type", "vital", "cycle.phase")) + (look["field"] is not None)
    across = 0.15 + wide + 0.22 * bars * wide + 2.1
    with matplotlib.rc_context(STYLE):
        figure: Any = new_figure(across, tall + 0.5, layout=None)
        tissue(result, t, figure.add_axes((0.15 / across, 0.03, wide / across, tall / (tall + 0.5))), **look)
    return figure


def _mp4(encoder: Any, path: Path, pictures: Iterator[np.ndarray], rate: int) -> Path:
    with whole(path) as part:
        part.touch()  # what the system refuses is told here; the encoder would only say that its pipe broke
        first = next(pictures)
        writer = encoder.write_frames(
            str(part), (first.shape[1], first.shape[0]), fps=rate, quality=8, macro_block_size=2
        )
        writer.send(None)
        writer.send(first)
        for picture in pictures:
            writer.send(picture)
        writer.close()
    return path


def _gif(path: Path, pictures: Iterator[np.ndarray], rate: int) -> Path:
    try:
        from PIL import Image
    except ImportError:
        raise InputError(
            "movie",
            "neither imageio-ffmpeg nor Pillow is installed.",
            remedy='Install them:  pip install "oncarium[movie]"',
        ) from None
    first, *rest = [Image.fromarray(picture).quantize(128) for picture in pictures]
    with whole(path) as part:
        first.save(part, format="GIF", save_all=True, append_images=rest, duration=round(1000 / rate), loop=0)
    return path
