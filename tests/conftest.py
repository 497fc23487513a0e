"""Shared by all tests: where the outside cases lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CASES = Path(os.environ.get("ONCARIUM_CASES") or ROOT.parent / "shared" / "cases")


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of recorded outside cases; tests that need it are skipped where it is absent."""
    if not CASES.is_dir():
        pytest.skip("the recorded cases are not here; set ONCARIUM_CASES to their folder")
    return CASES
