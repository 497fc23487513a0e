"""Files that went wrong in use, as reported: taken or told, never a traceback; their kinds are in tests/model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import oncarium as oc

FOLDER = Path(
    os.environ.get("ONCARIUM_FIELD_REPORTS") or Path(__file__).resolve().parents[3] / "shared" / "field_reports"
)
REFUSED = {  # file -> what its message must hold
    "rel_csv_long_field/model.xml": ("cells.csv:3", "field larger than field limit"),
    "rel_factor_name_path/model.yaml": ("model.yaml:5", "is no name of a factor", "is no name of a cell type"),
    "rel_huge_numbers/hill.yaml": ("hill.yaml:4", "at most 1000"),
    "rel_huge_numbers/tick.yaml": ("tick.yaml:6", "at least 1e-05 min"),
    "rel_network_settings/inf.yaml": ("inf.cfg:1", "expected a finite one"),
    "rel_network_settings/istate.yaml": ("istate.cfg:1", "expected a finite one"),
    "rel_network_settings/long.yaml": ("long.cfg:1", "more than 1,000 terms"),
    "rel_network_settings/nan.yaml": ("nan.cfg:1", "no finite number"),
    "rel_special_file/include_zero.yaml": ("is no regular file",),
    "rel_special_file/table_zero.yaml": ("table_zero.yaml:3", "is no regular file"),
    "rel_unit_power/model.yaml": ("model.yaml:5", "min**9**9**9"),
    "rel_xml_doctype_after_pi/model.xml": ("model.xml:1", "declares a DOCTYPE"),
    "rel_yaml_escape/beyond_unicode.yaml": ("beyond_unicode.yaml:5", "not valid YAML"),
    "rel_yaml_escape/lone_surrogate.yaml": ("lone_surrogate.yaml:5", "cannot be printed"),
}
TAKEN = {
    "cells_cr_line_ends/model.xml": ("2 cells",),
    "cells_outside_settings/model.xml": ("cells.csv:4", "take no part", "3 cells"), "network_cfg_words/model.yaml": (),
    "number_of_cells_meaning/model.xml": ("200 cells of each of 3 types", "number_of_tumor"),
    "qual_threshold/model.yaml": (), "xml_dashes_in_comment/model.xml": ("3 cells",),
    "ignore_everywhere/model.xml": ("ignored, as asked",),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports():
    if not FOLDER.is_dir():
        pytest.skip("the field reports are not here; set ONCARIUM_FIELD_REPORTS to their folder")
    return FOLDER


def check(file, folder, *words):
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30,) * 2); from oncarium.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "check", str(file), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert "Traceback" not in done.stderr and os.listdir(folder) == []
    return done


@pytest.mark.parametrize("file", REFUSED)
def test_refused_with_everything_said(reports, tmp_path, file):
    done = check(reports / file, tmp_path)
    assert done.returncode == 2, done.stderr
    for said in REFUSED[file]:
        assert said in done.stderr, done.stderr


@pytest.mark.parametrize("file", TAKEN)
def test_taken_and_told(reports, tmp_path, file):
    if file.startswith("qual"):
        pytest.importorskip("libsbml", reason="python-libsbml is not installed: pip install oncarium[networks]")
    done = check(reports / file, tmp_path, *(("--ignore", "intracellular") if file.startswith("ignore") else ()))
    assert done.returncode == 0, done.stderr
    for said in TAKEN[file]:
        assert said in done.stdout + done.stderr, done.stderr


def test_two_spellings_say_the_same(reports):
    assert (
        oc.load(reports / "diff_same_numbers" / "a.yaml").diff(oc.load(reports / "diff_same_numbers" / "b.yaml")) == []
    )
