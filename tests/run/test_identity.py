"""What decides the outcome is part of a run's identity, and a run goes on with other code only when asked."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.engine.process import Process
from oncarium.engine.processor import mathematics
from oncarium.errors import DataError, InputError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run import identity


class Shrinking(Process):
    """A mechanism of one's own, as a script would have it."""

    slot = "renew"

    def __init__(self, rate=0.001):
        self.rate = rate

    def step(self, tissue, tick):
        tissue.cells["volume.total"][:] *= 1.0 - self.rate * tick.dt


@pytest.fixture
def model():
    return Model.from_text(EXAMPLE)


def test_every_file_of_the_package_counts(tmp_path, monkeypatch):
    """A change anywhere, in a table of the library as in run/, is another identity; what Python compiled is not."""
    package = tmp_path / "oncarium"
    (package / "run" / "__pycache__").mkdir(parents=True)
    (package / "library").mkdir()
    for name in ("run/identity.py", "library/cells.yaml", "spec.py"):
        (package / name).write_text("a")
    monkeypatch.setattr(identity, "__file__", str(package / "run" / "identity.py"))
    seen = [identity.sources.__wrapped__()]
    for name in ("run/identity.py", "library/cells.yaml", "spec.py"):
        (package / name).write_text("b")
        seen.append(identity.sources.__wrapped__())
    (package / "spec.py").rename(package / "belief.py")
    seen.append(identity.sources.__wrapped__())
    assert len(set(seen)) == len(seen)
    (package / "run" / "__pycache__" / "identity.pyc").write_text("c")
    assert identity.sources.__wrapped__() == seen[-1]


def test_a_store_says_what_it_was_run_by(model, tmp_path):
    said = oc.run(model.with_process(Shrinking()), "5 min", out=tmp_path).attrs["identity"]
    code = {"sources", "python", "numpy", "scipy", "numba", "llvmlite", "mechanisms"}
    assert set(said) == {*code, "processor", "mathematics"}
    assert said["numpy"] == np.__version__ and said["sources"] == identity.sources()
    assert set(said["mechanisms"]) == {"Shrinking"} and said["mathematics"] == mathematics()


@pytest.mark.parametrize(
    "part, said",
    [
        ({"numpy": "1.0"}, r"numpy \S+ \(now 1.0\)"),
        ({"numba": "0.1"}, r"numba \S+ \(now 0.1\)"),
        ({"sources": "x"}, "the package's sources"),
    ],
)
def test_other_code_goes_on_only_when_asked_and_the_store_notes_it(model, tmp_path, monkeypatch, part, said):
    oc.run(model, "30 min", 1, out=tmp_path / "run")
    real = identity.identity_of
    monkeypatch.setattr("oncarium.run.past.identity_of", lambda m: {**real(m), **part})
    for go_on in (
        lambda **k: oc.resume(tmp_path / "run", "1 h", **k),
        lambda **k: oc.branch(tmp_path / "run", {"a": {}}, "1 h", out=tmp_path / "arms", **k),
    ):
        with pytest.raises(DataError, match=f"run by other code: {said}.*--other-code"):
            go_on()
        assert not (tmp_path / "arms").exists() and oc.open(tmp_path / "run").times[-1] == 30.0
    arm = oc.branch(tmp_path / "run", {"a": {}}, "1 h", out=tmp_path / "arms", other_code=True)["a"]
    again = oc.resume(tmp_path / "run", "1 h", other_code=True)
    for result in (again, arm):
        noted = result.attrs["continued"]
        assert len(noted) == 1 and noted[0]["tick"] == 30 and len(noted[0]["differs"]) == 1
    later = oc.resume(tmp_path / "run", "2 h")  # that code goes on without being asked again
    assert later.attrs["continued"] == again.attrs["continued"]
    assert "from tick 30" in oc.report(oc.open(tmp_path / "run"), tmp_path / "report").read_text()


@pytest.mark.parametrize(
    "part, what", [("processor", "another processor:"), ("mathematics", "another mathematical library:")]
)
def test_another_machine_is_told_and_does_not_stop_a_run(model, tmp_path, monkeypatch, caplog, part, what):
    oc.run(model, "30 min", 1, out=tmp_path)
    real = identity.identity_of
    monkeypatch.setattr("oncarium.run.past.identity_of", lambda m: {**real(m), part: "abacus"})
    again = oc.resume(tmp_path, "1 h")
    assert what in caplog.text and again.attrs["continued"][0]["differs"] == []


def test_mechanisms_of_ones_own_must_be_the_same(model, tmp_path):
    oc.run(model.with_process(Shrinking()), "30 min", 1, out=tmp_path / "run")
    with pytest.raises(DataError, match=r"the mechanism Shrinking \(not given\)"):
        oc.resume(tmp_path / "run", "1 h")
    with pytest.raises(DataError, match="what the mechanism Shrinking does"):
        oc.resume(tmp_path / "run", "1 h", processes=[Shrinking(0.002)])
    resumed = oc.resume(tmp_path / "run", "1 h", processes=[Shrinking()])
    whole = oc.run(model.with_process(Shrinking()), "1 h", 1, out=tmp_path / "whole")
    assert resumed.digest == whole.digest and "continued" not in resumed.attrs


def test_keys_differ_by_everything_that_decides(model, tmp_path, monkeypatch):
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n10,0\n")
    text = EXAMPLE.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{cells: tumor, table: cells.csv}")
    table = Model.from_text(text, folder=tmp_path)
    keys = [
        identity.key_of(m, 60.0, 1)
        for m in (model, table, model.with_process(Shrinking()), model.with_process(Shrinking(0.5)))
    ]
    keys += [identity.key_of(model, 61.0, 1), identity.key_of(model, 60.0, 2)]
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n11,0\n")
    keys.append(identity.key_of(Model.from_text(text, folder=tmp_path), 60.0, 1))
    for name, other in (("sources", lambda: "other"), ("versions", lambda: {"numpy": "1.0"})):
        with monkeypatch.context() as patch:
            patch.setattr(identity, name, other)
            keys.append(identity.key_of(model, 60.0, 1))
    assert len(set(keys)) == len(keys)
    with monkeypatch.context() as patch:  # nodes of a cluster share their results
        patch.setattr(identity, "processor", lambda: "abacus")
        assert identity.key_of(model, 60.0, 1) == keys[0]


def test_a_table_that_changes_between_reading_and_running_is_told(tmp_path):
    rows = "".join(f"{x},{y},0,5\n" for x in range(-90, 100, 20) for y in range(-90, 100, 20))
    (tmp_path / "oxygen.csv").write_text("x,y,z,oxygen\n" + rows)
    model = Model.from_text(
        EXAMPLE.replace("boundary: 38", "initial: {table: oxygen.csv}, boundary: 38"), folder=tmp_path
    )
    (tmp_path / "oxygen.csv").write_text("x,y,z,oxygen\n" + rows.replace(",5\n", ",6\n"))
    with pytest.raises(InputError, match="changed after the model was read"):
        oc.run(model, "5 min", out=tmp_path / "run")
