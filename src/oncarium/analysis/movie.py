"""A movie of a run: MP4 where imageio-ffmpeg is installed, otherwise an animated GIF.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..run.result import Result
from ..writing import whole


def _frame(result: Result, t: float) -> np.ndarray:
    """(y, x, rgb) picture of the tissue."""
    from . import plot
    from .canvas import close

    figure: Any = plot.tissue(result, t).figure
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    close(figure)
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]


def movie(result: Result, path: str | Path, frames: int = 120, rate: int = 12) -> Path:
    """Write at most this many evenly spaced frames of cells at `rate` per second; returns the path, .gif without a
    video encoder. Raises InputError when neither imageio-ffmpeg nor Pillow is there.

    >>> oc.movie(result, "growth.gif", frames=2).name
    'growth.gif'
    """
    if frames < 1:
        raise InputError("frames", f"{frames} frames are no movie;", "expected at least 1.")
    path = Path(path)
    chosen = result.times[np.linspace(0, len(result.times) - 1, min(frames, len(result.times))).round().astype(int)]
    if path.suffix != ".gif":
        try:
            import imageio_ffmpeg
        except ImportError:
            path = path.with_suffix(".gif")
        else:
            first = _frame(result, chosen[0])
            with whole(path) as part:
                part.touch()  # what the system refuses is told here; the encoder would only say that its pipe broke
                writer = imageio_ffmpeg.write_frames(
                    str(part), (first.shape[1], first.shape[0]), fps=rate, quality=8, macro_block_size=2
                )
                writer.send(None)
                for t in chosen:
                    writer.send(np.ascontiguousarray(_frame(result, t)))
                writer.close()
            return path
    try:
        from PIL import Image
    except ImportError:
        raise InputError(
            "movie",
            "neither imageio-ffmpeg nor Pillow is installed.",
            remedy='Install them:  pip install "oncarium[movie]"',
        ) from None
    pictures = [Image.fromarray(_frame(result, t)).quantize(64) for t in chosen]
    with whole(path) as part:
        pictures[0].save(part, save_all=True, append_images=pictures[1:], duration=round(1000 / rate), loop=0)
    return path
