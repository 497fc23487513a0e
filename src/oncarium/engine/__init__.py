"""Arrays and time: no biology, no model files.

Compiled loops are cached in one folder per digest of the package's sources, Python and Numba: an edited helper can
never leave yesterday's machine code behind.
"""

import hashlib
import os
import platform
import sys
from pathlib import Path

from .. import writing


def _source_digest() -> str:
    root = Path(__file__).resolve().parent.parent
    h = hashlib.sha256(f"{sys.version}{platform.machine()}{platform.processor()}".encode())
    for folder in ("engine", "biology"):
        for path in sorted((root / folder).rglob("*.py")):
            h.update(path.read_bytes())
    return h.hexdigest()[:16]


def cache_folder() -> Path:
    """Where generated loops and compiled code of these sources live."""
    return writing.cache_folder() / _DIGEST


_DIGEST = _source_digest()


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(cache_folder() / "compiled")
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
