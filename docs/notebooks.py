"""The pictures of notebooks.md: every notebook run once, the last figure of its cell tagged "gallery".

python docs/notebooks.py [NAME ...]
"""

import base64
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS.parent / "examples" / "notebooks"


def picture(path: Path) -> bytes:
    """Run a notebook in a folder of its own; the PNG that its tagged cell shows."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    cell = next(c for c in book.cells if "gallery" in c.metadata.get("tags", ()))
    shown = [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]
    few = Image.open(io.BytesIO(base64.b64decode(shown[-1]))).convert("RGB").quantize(256)
    out = io.BytesIO()
    few.save(out, "png", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(p.stem for p in FOLDER.glob("*.ipynb")):
        begin = time.perf_counter()
        place = DOCS / "_static" / f"notebook_{name}.png"
        place.write_bytes(picture(FOLDER / f"{name}.ipynb"))
        size = os.path.getsize(place) / 1e3
        print(f"{name}: {time.perf_counter() - begin:.0f} s, {size:.0f} kB")
