"""The house keeps its laws: short files, no import that hides in a text, an engine that knows no biology."""

import ast
import re
from pathlib import Path

import pytest

import oncarium as oc
from oncarium.model import catalog

SOURCE = Path(oc.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
BY_NAME = {"__init__.py", "catalog.py"}  # the lazy names of the package, and the walk over all mechanisms


def strings(path):
    """Texts of a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in told
    ]


def test_no_file_is_longer_than_four_hundred_lines():
    long = {p.name: n for p in FILES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert long == {}


def test_nothing_is_imported_by_a_text():
    hidden = [p for p in FILES if p.name not in BY_NAME and re.search(r"import_module\(|__import__\(", p.read_text())]
    assert hidden == []


def test_the_engine_knows_no_column_of_the_biology():
    columns = {name for name in catalog.columns() if "." in name}
    assert len(columns) > 100
    known = {p.name: found for p in (SOURCE / "engine").rglob("*.py") if (found := columns & set(strings(p)))}
    assert known == {}


def test_the_model_needs_no_compiler():
    named = [
        p.name for p in (SOURCE / "model").rglob("*.py") if re.search(r"^\s*(from|import) numba", p.read_text(), re.M)
    ]
    assert named == []


def test_the_former_name_of_the_belief_layer_is_answered():
    with pytest.warns(DeprecationWarning, match=r"oc\.spec is called oc\.model now"):
        assert oc.Model.from_text(oc.spec.model.EXAMPLE) == oc.Model.from_text(oc.EXAMPLE)
