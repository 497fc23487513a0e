"""The command line as a user meets it: words, exit codes, files."""

import os
import signal
import subprocess
import sys
import time

import pytest

MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 h
record: {cells: 30 min, fields: 30 min, checkpoint: 1 h}
factors: {oxygen: {library: oxygen, boundary: 38 mmHg}}
cells: {tumor: {library: tumor_simple}}
initial: [{cells: tumor, disc: {radius: 50 um}, count: 20}]
"""


def oncarium(*words, cwd, **options):
    return subprocess.run(
        [sys.executable, "-m", "oncarium", *words], cwd=cwd, capture_output=True, text=True, timeout=300, **options
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.yaml").write_text(MODEL)
    return tmp_path


def test_help_is_quick(folder):
    oncarium("--help", cwd=folder)
    start = time.perf_counter()
    done = oncarium("--help", cwd=folder)
    assert done.returncode == 0 and "resume" in done.stdout
    assert time.perf_counter() - start < 0.5


def test_importing_costs_little_and_loads_nothing_heavy(folder):
    heavy = ("numba", "pandas", "xarray", "zarr", "matplotlib", "anndata")
    code = f"import sys, oncarium; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_run_leaves_report_figures_and_store(folder):
    done = oncarium("run", "m.yaml", "-o", "out", "--set", "initial.0.count=12", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "12" in done.stdout and "report" in done.stdout
    page = (folder / "out" / "report.html").read_text()
    assert "data:image/png;base64" in page and "http://" not in page and "https://" not in page
    assert (folder / "out" / "figures" / "growth.png").stat().st_size > 5000
    digest = oncarium("show", "out", "--digest", cwd=folder).stdout.strip()
    assert len(digest) == 64 and int(digest, 16)
    assert digest == oncarium("show", "out/run.zarr", "--digest", cwd=folder).stdout.strip()
    again = oncarium("run", "m.yaml", "-o", "out", cwd=folder)
    assert again.returncode == 2 and "already lies here" in again.stderr
    longer = oncarium("resume", "out", "--until", "2 h", "-q", "--no-report", cwd=folder)
    assert longer.returncode == 0 and "2 h" in longer.stdout
    film = oncarium("movie", "out", "-o", "film.gif", cwd=folder)
    assert film.returncode == 0 and (folder / "film.gif").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nosuch.yaml"), "no such file"),
        (("run", "hypoxic_tumr"), "Did you mean 'hypoxic_tumor'"),
        (("run", "m.yaml", "--set", "untill=2 h"), "Did you mean 'until'"),
        (("run", "m.yaml", "--set", "until"), "no '='"),
        (("run", "m.yaml", "--until", "soon"), "not a number"),
        (("run", "m.yaml", "--seed", "-1"), "out of range"),
        (("frobnicate",), "frobnicate"),
        (("show", "nowhere"), "no run here"),
        (("check", "bad.yaml"), "2 problems"),
    ],
)
def test_refused_input_exits_with_2_or_1_and_one_message(folder, words, said):
    (folder / "bad.yaml").write_text(MODEL.replace("38 mmHg", "x mmHg").replace("1 h", "1 parsec", 1))
    done = oncarium(*words, cwd=folder)
    assert done.returncode == (1 if words[0] == "show" else 2)
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_can_be_resumed(folder, number, code):
    words = [sys.executable, "-m", "oncarium", "run", "m.yaml", "-o", "out", "--until", "2000 day", "-q"]
    run = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (folder / "out" / "run.index").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(15.0)
    os.kill(run.pid, number)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == code and "oncarium resume" in said
    assert oncarium("show", "out", cwd=folder).returncode == 0


def test_lists_schema_plan_and_new(folder):
    assert "hypoxic_tumor" in oncarium("list", cwd=folder).stdout
    assert '"$schema"' in oncarium("schema", cwd=folder).stdout
    plan = oncarium("plan", "m.yaml", "--ticks", "7", cwd=folder).stdout
    assert "Mechanics" in plan and "Transport" in plan and "share" in plan
    assert oncarium("new", "mine.yaml", cwd=folder).returncode == 0
    assert oncarium("check", "mine.yaml", cwd=folder).returncode == 0
    assert oncarium("new", "mine.yaml", cwd=folder).returncode == 2


def test_plan_and_run_say_what_the_time_went_into(folder):
    said = oncarium("plan", "m.yaml", "--profile", "--ticks", "2", cwd=folder).stdout
    assert "fixed ms  ns/cell" in said and "evaluations" in said and "cycles" in said and "a tick" in said
    said = oncarium("run", "m.yaml", "--profile", "--no-report", "-q", "-o", "r", cwd=folder).stdout
    assert "list builds" in said and "start " in said and "recording " in said
    refused = oncarium("run", "m.yaml", "--seeds", "2", "--profile", "-q", "-o", "s", cwd=folder)
    assert refused.returncode == 2 and "--profile" in refused.stderr


def test_sources_tells_what_numbers_rest_on(folder):
    table = (
        "readout,number,mu_star,chance\ncells,division,0.8,0.1\ncells,oxygen outside,0.3,0.1\ncells,death,0.05,0.1\n"
    )
    (folder / "t.csv").write_text(table)
    paths = {
        "division": "cells.tumor.cycle.exit",
        "oxygen outside": "factors.oxygen.diffusion",
        "death": "cells.tumor.death.apoptosis",
    }
    listed = "".join(f"  {name}: {{path: {path}}}\n" for name, path in paths.items())
    (folder / "n.yaml").write_text(f"numbers:\n{listed}readouts: [{{measure: count}}]\n")
    words = (
        "sources",
        "m.yaml",
        "--sensitivity",
        "t.csv",
        "--numbers",
        "n.yaml",
        "--csv",
        "all.csv",
        "--bib",
        "all.bib",
    )
    done = oncarium(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "1 of 2 numbers that move a read-out" in done.stdout and "0.80 of cells" in done.stdout
    assert "oxygen outside:" not in done.stdout, "it is measured"
    assert (folder / "all.csv").read_text().startswith("path,kind,value,unit,grade,low,high,sources\nfactors.oxygen.")
    assert "@misc{Grote1977," in (folder / "all.bib").read_text()
    again = oncarium(*words, cwd=folder)
    assert again.returncode == 2 and "exists" in again.stderr
    (folder / "t.csv").write_text("a,b\n1,2\n")
    refused = oncarium("sources", "m.yaml", "--sensitivity", "t.csv", "--bib", "new.bib", cwd=folder)
    assert (
        refused.returncode == 2 and "no column readout, number" in refused.stderr and not (folder / "new.bib").exists()
    )
