"""The notebooks of the examples run from top to bottom and show their figures."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path, tmp_path):
    book = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells)  # outputs are not kept
    NotebookClient(book, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [o for cell in book.cells for o in cell.get("outputs", ()) if o.output_type != "stream"]
    assert sum("image/png" in o.get("data", {}) for o in shown) >= 7
    assert (tmp_path / "runs" / "notebook" / "run.zarr").is_dir()
