"""Settings run: from the command line, as the YAML they are written as, and on from a checkpoint."""

import os
import subprocess
import sys

import pytest

import oncarium as oc

from .world import OXYGEN, WITH_CELLS, cell, settings, told, with_rules, write

ALIVE = """<cycle code="5"/><motility><speed>1</speed><options><enabled>true</enabled></options></motility>
<secretion><substrate name="oxygen"><uptake_rate>1</uptake_rate></substrate></secretion>"""
TEXT = settings(
    substrates=OXYGEN.replace('enabled="false">0<', 'enabled="true">38<'),
    cells=cell(ALIVE)
    + cell("<mechanics><cell_cell_adhesion_strength>0</cell_cell_adhesion_strength></mechanics>", "T cell", 1),
    rest=WITH_CELLS + with_rules(),
)
TABLE = "x,y,z,type,volume,cycle entry,attack tumor\n-20,0,0,tumor,2000,,\n0,0,0,tumor\n25,10,0,T cell,,0.001,0.05\n"
RULES = "tumor,oxygen,increases,cycle entry,0.01,5,4,0\ntumor,pressure,decreases,migration speed,0.1,1,4,0\n"


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "theirs", TEXT, cells_csv=TABLE, rules_csv=RULES)


def oncarium(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "oncarium", *words], cwd=cwd, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("numerics", ["oncarium", "physicell"])
def test_the_yaml_runs_identically_and_goes_on_from_a_checkpoint(path, tmp_path, numerics):
    steps = {"record.checkpoint": "6 min", "record.cells": "6 min", "record.fields": "6 min"}
    model = oc.load(path, numerics=numerics).with_(steps)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "m.yaml").write_text(model.to_yaml(tmp_path / "ours"))
    whole = oc.run(model, "12 min", out=tmp_path / "a")
    assert oc.run(tmp_path / "ours" / "m.yaml", "12 min", out=tmp_path / "b").digest == whole.digest
    oc.run(model, "6 min", out=tmp_path / "c")
    assert oc.resume(tmp_path / "c", "12 min").digest == whole.digest


def test_import_writes_a_model_that_says_the_same(path, tmp_path):
    done = oncarium("import", "physicell", str(path), "-o", "ours/model.yaml", "--numerics", "physicell", cwd=tmp_path)
    assert done.returncode == 0 and "Wrote ours/model.yaml" in done.stdout, done.stderr
    text = (tmp_path / "ours" / "model.yaml").read_text()
    assert (
        "numerics: physicell" in text
        and "- oxygen increases cycle.exit.live to 0.01 1/min, half 5 mmHg, hill 4" in text
    )
    assert f"table: {os.path.join('..', 'theirs', 'cells.csv')}" in text
    same = oncarium("diff", str(path), "ours/model.yaml", cwd=tmp_path)
    assert not any(line.startswith(("cells.", "factors.", "domain.")) for line in same.stdout.splitlines()), same.stdout
    again = oncarium("import", "physicell", str(path), "-o", "ours/model.yaml", cwd=tmp_path)
    assert again.returncode == 2 and "this file exists" in again.stderr
    assert oncarium("import", "morpheus", str(path), cwd=tmp_path).returncode == 2


def test_choices_on_the_command_line(path, tmp_path):
    done = oncarium("check", str(path), "--describe", "--numerics", "physicell", "--compat", "1.14.2", cwd=tmp_path)
    assert done.returncode == 0 and "those of PhysiCell, with the known bugs of 1.14.2" in done.stdout
    wrong = oncarium("check", str(path), "--numerics", "physicel", cwd=tmp_path)
    assert wrong.returncode == 2 and "Did you mean 'physicell'?" in wrong.stderr
    plan = oncarium("plan", str(path), "--numerics", "physicell", "--ticks", "1", cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr


def test_problems_are_there_for_asking(path):
    problems = oc.check(path, numerics="physicell")
    assert problems and {p.severity for p in problems} == {"notice"}
    assert "rows end before the column 'attack tumor'" in told(oc.load(path))
