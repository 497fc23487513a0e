"""Nothing needs a call that only Linux has: with those hidden, the package imports, runs and checks itself."""

import re
import subprocess
import sys
from pathlib import Path

import oncarium

HIDDEN = """
import builtins, io, os, signal, sys
for name in ("sched_getaffinity", "sched_setaffinity", "sysconf", "killpg", "statvfs",
             "getloadavg", "sync", "mkfifo", "chown"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGALRM", "SIGKILL"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
read = builtins.open
def closed(path, *given, **named):
    if str(path).startswith(("/proc/", "/sys/")):
        raise FileNotFoundError(path)
    return read(path, *given, **named)
builtins.open = io.open = closed
"""
TINY = """
import oncarium as oc
from oncarium.model.model import EXAMPLE
result = oc.run(oc.Model.from_text(EXAMPLE), "30 min", seed=1, out="run")
oc.report(result)
oc.resume("run", "1 h")
print(oc.open("run").digest)
"""


def python(code, folder):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_tiny_run_without_the_calls_of_linux(tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "all").mkdir()
    without, with_all = python(HIDDEN + TINY, tmp_path / "hidden"), python(TINY, tmp_path / "all")
    assert without.returncode == 0, without.stderr
    assert without.stdout == with_all.stdout and len(without.stdout) == 65


def test_the_doctor_without_the_calls_of_linux(tmp_path):
    done = python(
        f"{HIDDEN}\nimport sys\nsys.argv = ['oncarium', 'doctor']\nfrom oncarium.cli import main\nmain()", tmp_path
    )
    assert done.returncode == 0 and "All is well." in done.stdout, done.stderr


def test_such_calls_are_guarded_wherever_they_stand():
    own = re.compile(
        r"os\.(sched_\w+|sysconf|fork|getuid|geteuid|statvfs|killpg)\("
        r"|import (fcntl|resource)|signal\.SIG(USR1|HUP)"
    )
    guarded = re.compile(r"hasattr\(os|getattr\((os|signal)|except|os\.name ==")
    for path in Path(oncarium.__file__).parent.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for k, line in enumerate(lines):
            if own.search(line):
                assert guarded.search("\n".join(lines[max(0, k - 3) : k + 9])), f"{path.name}:{k + 1}: {line.strip()}"
