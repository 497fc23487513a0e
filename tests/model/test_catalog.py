"""The catalog is what the mechanisms declare."""

from oncarium.model.catalog import PATH
from oncarium.run.catalog import text


def test_catalog_is_fresh():
    assert PATH.read_text(encoding="utf-8") == text(), "run  python -m oncarium.run.catalog"
