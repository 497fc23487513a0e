"""The catalog is what the mechanisms declare."""

from oncarium.run.catalog import text
from oncarium.spec.catalog import PATH


def test_catalog_is_fresh():
    assert PATH.read_text(encoding="utf-8") == text(), "run  python -m oncarium.run.catalog"
