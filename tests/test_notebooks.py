"""The notebooks of the examples run from top to bottom, show their figures, and are in the gallery."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
FIGURES = {"a_tumor_in_a_notebook": 7, "a_slide_in_and_out": 4, "replicates_and_a_sweep": 3, "a_treatment": 4}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path, tmp_path):
    book = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells)  # outputs are not kept
    NotebookClient(book, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [o for cell in book.cells for o in cell.get("outputs", ()) if o.output_type != "stream"]
    assert sum("image/png" in o.get("data", {}) for o in shown) >= FIGURES[path.stem]
    assert any(tmp_path.glob("runs/**/run.zarr"))
    if path.stem == "a_slide_in_and_out":
        assert shown[-1]["data"]["text/plain"] == "True"  # cells came back where they were


def test_every_notebook_is_in_the_gallery():
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        book = nbformat.read(path, as_version=4)
        assert sum("gallery" in cell.metadata.get("tags", ()) for cell in book.cells) == 1, path
        picture = ROOT / "docs" / "_static" / f"notebook_{path.stem}.png"
        assert picture.stat().st_size < 150_000 and picture.name in page and path.name in page
