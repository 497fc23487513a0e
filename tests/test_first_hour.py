"""What a user meets first: version, help, what the first run compiles, what the package says of itself."""

import inspect
import os
import pydoc
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import oncarium as oc
from oncarium.engine import compiling

ROOT = Path(__file__).resolve().parent.parent


def oncarium(*words, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "oncarium", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | environment,
    )


def test_version(tmp_path):
    done = oncarium("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"oncarium {oc.__version__}\n")


def test_help_of_the_verb_that_is_also_a_package():
    text = pydoc.render_doc(oc.run, renderer=pydoc.plaintext)
    assert (
        "Run a model and leave a Result." in text
        and "until   when to stop" in text
        and "run(model: Model | str | Path, until" in text
    )
    assert list(inspect.signature(oc.run).parameters)[:3] == ["model", "until", "seed"]


def test_compilation_is_told_loop_by_loop(tmp_path):
    """With an empty cache the loops are named and counted; the next time there is nothing to say."""
    code = (
        "from numba import njit; from oncarium.engine import compiling\n"
        "import oncarium.engine.kernels.coupling as c, numpy as np\n"
        "said = []\nwith compiling.told(lambda n, name: said.append((n, name))):\n"
        "    for _ in range(2): c.voxel_at(1.0, 2.0, 3.0, np.zeros(3), np.ones(3), (4, 4, 4))\n"
        "print(said, compiling.loops() >= len(said))"
    )
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"ONCARIUM_CACHE": str(tmp_path)}
    twice = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=300).stdout
        for _ in range(2)
    ]
    assert twice == ["[(1, 'coupling.voxel_at')] True\n", "[] True\n"]


def test_nobody_listens_after_the_run_has_begun():
    from numba import njit

    said = []
    with compiling.told(lambda n, name: said.append(name)):
        pass
    njit(lambda x: x + 1)(1)
    assert said == []


def test_the_package_describes_itself():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert project["version"] == oc.__version__ == re.search(r"^version: (.+)$", citation, re.M)[1]
    assert project["license"] == re.search(r"^license: (.+)$", citation, re.M)[1]
    assert (Path(oc.__file__).parent / "py.typed").exists() and "Typing :: Typed" in project["classifiers"]
