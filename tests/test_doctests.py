"""Every example in a docstring runs, and everything that `import oncarium as oc` offers has one."""

import doctest
import importlib
import inspect
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

import oncarium as oc

SOURCE = Path(oc.__file__).parent
MODULES = sorted(
    ".".join(("oncarium", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.stem != "__main__" and ">>>" in path.read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What `result` stands for in the examples of figures and measures."""
    matplotlib.use("agg")
    return oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h", out=tmp_path_factory.mktemp("result"))


def slide():
    """What `slide` stands for in the examples of spatial statistics."""
    import pandas as pd

    return pd.DataFrame({"x": [0.0, 10, 0, 10], "y": [0.0, 0, 10, 12], "type": ["tumor", "tumor", "cd8", "cd8"]})


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    given = {"oc": oc}
    if name == "oncarium.run.anndata":
        pytest.importorskip("anndata")
    if name.startswith(("oncarium.analysis", "oncarium.exchange", "oncarium.run", "oncarium.study")):
        given["result"] = request.getfixturevalue("result")
    if name == "oncarium.analysis.dose_response":
        doses = np.array([0.0, 0.3, 1.0, 3.0, 10.0])
        table = pd.DataFrame({"seed": 1, "drug": doses, "live": 100.0 - 80.0 * doses / (2.0 + doses)})
        given["curve"] = oc.dose_response(table, "drug", "live")
    if name in ("oncarium.analysis.spatial", "oncarium.analysis.border", "oncarium.analysis.ripley"):
        given["slide"] = slide()
    runner = doctest.DocTestRunner()
    examples = [t for t in doctest.DocTestFinder().find(module, name, extraglobs=given) if t.examples]
    assert examples
    for example in examples:
        said = []
        runner.run(example, out=said.append)
        assert not said, "".join(said)


def offered():
    """(name, object) of every function and class that a user finds behind `oc.`"""
    for name in oc.__all__:
        found = getattr(oc, name)
        if name == "run":
            yield "oc.run", importlib.import_module("oncarium.run.api").run
        elif inspect.ismodule(found):
            own = [
                (k, v)
                for k, v in vars(found).items()
                if getattr(v, "__module__", "") == found.__name__ and not k.startswith("_")
            ]
            yield from ((f"oc.{name}.{k}", v) for k, v in own if inspect.isfunction(v) or inspect.isclass(v))
        elif callable(found):
            yield f"oc.{name}", found


@pytest.mark.parametrize("name, thing", [pytest.param(n, thing, id=n) for n, thing in offered()])
def test_everything_offered_is_explained_by_an_example(name, thing):
    said = inspect.getdoc(thing) or ""
    assert ">>>" in said and len(said.partition(">>>")[0].split()) >= 4
