"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def cache_folder() -> Path:
    """Where what can be made again is kept between runs (ONCARIUM_CACHE moves it)."""
    default = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.environ.get("ONCARIUM_CACHE") or os.path.join(default, "oncarium"))


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Within it, write to the path that is given: a file beside the wanted one, of the same kind.

    It takes the wanted one's place when all went well; otherwise nothing stays of it, nor of folders made for it.

    >>> with whole("made/for/it.txt") as part:
    ...     _ = part.write_text("all")
    >>> Path("made/for/it.txt").read_text(), [p.name for p in Path("made/for").iterdir()]
    ('all', ['it.txt'])
    """
    path = Path(path)
    new = [p for p in path.parents if not p.exists()]
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        for folder in new:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError) and error.filename in (None, str(part)):
            error.filename = str(path)  # what the user asked for; a full disk does not say
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
