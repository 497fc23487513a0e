"""Damaged settings of PhysiCell: refused before anything happens, with place, value and what would be right."""

import os
import subprocess
import sys
import time

import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

FOLDER = "bad_inputs"
MEASURED = """
import sys
sys.argv[0] = "oncarium"
try:
    from oncarium.cli import main
    main()
finally:
    status = open("/proc/self/status").read() if sys.platform == "linux" else "VmHWM: 0"
    print("peak", status.split("VmHWM:")[1].split()[0], file=sys.stderr)
"""
SAID = {  # folder -> what its message must hold
    "billion_laughs": ("model.xml:1", "DOCTYPE"),
    "chemotaxis_unknown": (
        "model.xml:165",
        "'nope'",
        "This file has: substrate",
        "motility/options/chemotaxis/substrate",
    ),
    "dead_rate_neg": ("model.xml:100", "-1 1/min", "at least 0"),
    "dt_phen_lt_mech": ("model.xml:23", "dt_phenotype is 0.001 min and dt_mechanics 0.1 min", "whole multiple"),
    "dt_zero": ("model.xml:22", "overall/dt_mechanics", "0 min", "above 0"),
    "dup_celltype": ("model.xml:228", "'default' stands twice", "line 88"),
    "dup_substrate": ("model.xml:75", "'substrate' stands twice", "line 59"),
    "huge_grid": ("GB", "10,000,000,000 voxels", "Use larger voxels"),
    "missing_cells_file": ("no such file", "bad_inputs/missing_cells_file/config/none.csv"),
    "missing_rules_file": ("no such file", "bad_inputs/missing_rules_file/config/cell_rules.csv"),
    "nan_position": ("cells.csv:2", "x is nan", "finite"),
    "nan_speed": ("model.xml:157", "motility/speed", "'nan' is not finite"),
    "neg_diffusion": ("model.xml:61", "-1000 um^2/min", "at least 0"),
    "neg_volume": ("model.xml:130", "-2494 um^3", "at least 0"),
    "rule_neg_hill": ("rules.csv:1", "Hill power is -4", "above 0"),
    "rule_short": ("rules.csv:1", "3 values, 'behavior' is missing", "expected 8"),
    "rule_unknown_behavior": ("rules.csv:1", "'flying speed'", "Did you mean 'migration speed'?"),
    "rule_unknown_cell": ("rules.csv:1", "'ghost'", "This model has: default"),
    "rule_unknown_substrate": ("rules.csv:1", "'oxgen'", "Substrates of this model: substrate"),
    "shell_injection_folder": ("model.xml:31", "save/folder", "output; touch PWNED", "a shell would act on"),
    "short_row": ("cells.csv:2", "2 values, column 'z' is missing"),
    "text_in_number": (
        "model.xml:61",
        "physical_parameter_set/diffusion_coefficient",
        "'abc' is not a number",
        "um^2/min",
    ),
    "truncated_xml": ("model.xml:78", "not well-formed XML", "column 46"),
    "unknown_celltype_csv": ("cells.csv:2", "'ghost'", "This model has: default"),
    "xmin_gt_xmax": ("model.xml:5", "900", "500", "not below"),
}
HARMLESS = ("ok", "missing_outfolder")  # an output folder of a file is never used
# as the format means it
TOLD = {"cell_outside": ("warning", "cells.csv:2", "1 cells lie outside the domain", "take no part")}


def oncarium(folder, *words):
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], cwd=folder, capture_output=True, text=True, timeout=60
    )
    seconds = time.perf_counter() - start
    peak = 1024 * int(done.stderr.rsplit("peak", 1)[1])
    return done, seconds, peak


def test_every_folder_is_judged_here(cases):
    found = {p.name for p in (cases / FOLDER).iterdir() if p.is_dir()}
    assert found == {*SAID, *HARMLESS, *TOLD}


@pytest.mark.parametrize("name", TOLD)
def test_told(cases, tmp_path, name):
    done, _, _ = oncarium(tmp_path, "check", str(cases / FOLDER / name / "model.xml"))
    assert done.returncode == 0 and os.listdir(tmp_path) == []
    assert all(said in done.stderr for said in TOLD[name])


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("verb", ["check", "run"])
def test_refused_quickly_with_everything_said(cases, tmp_path, name, verb):
    done, seconds, peak = oncarium(tmp_path, verb, str(cases / FOLDER / name / "model.xml"))
    assert done.returncode == 2, done.stderr
    for said in SAID[name]:
        assert said in done.stderr, said
    assert "Traceback" not in done.stderr and os.listdir(tmp_path) == []
    assert seconds < 2.0 and peak < 200e6


def test_only_what_is_wrong_is_told(cases):
    """One damage, one message."""
    for name in SAID:
        with pytest.raises(ModelError) as error:
            Model.load(cases / FOLDER / name / "model.xml")
        assert len(error.value.problems) == 1, name


@pytest.mark.parametrize("name", HARMLESS)
def test_an_output_folder_is_never_used(cases, tmp_path, name):
    done, _, _ = oncarium(tmp_path, "check", str(cases / FOLDER / name / "model.xml"))
    assert done.returncode == 0 and os.listdir(tmp_path) == []
    assert "no effect here: save/folder" in done.stderr


def test_a_run_goes_to_a_folder_of_its_own_name(cases, tmp_path):
    done, _, _ = oncarium(
        tmp_path, "run", str(cases / FOLDER / "missing_outfolder" / "model.xml"), "--until", "0", "--no-report", "-q"
    )
    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path) == ["runs"] and os.listdir(tmp_path / "runs") == ["missing_outfolder"]
