"""Other systems: runs work where Linux's calls are missing (no fcntl, no /proc, no sched_getaffinity, no resource,
os.kill that kills)."""

import subprocess
import sys

HIDE = """
import os, sys
# they ask for the system themselves
import numpy, numba, zarr, pandas, xarray, scipy.fft, pint, asyncio, subprocess, multiprocessing
for module in ("fcntl", "resource", "pwd", "grp", "termios", "msvcrt"):
    sys.modules[module] = None  # an import of it raises ImportError, as on Windows
for name in ("sched_getaffinity", "sched_setaffinity", "uname", "getuid", "geteuid", "fork", "getpgid", "killpg",
             "pread", "register_at_fork", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
def kill(*_):
    raise AssertionError("os.kill ends processes on Windows")
os.kill = kill
real = os.open
def open_(path, *arguments, **options):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return real(path, *arguments, **options)
os.open = open_
import builtins, io
plain = io.open
def opened(path, *arguments, **options):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return plain(path, *arguments, **options)
io.open = builtins.open = opened
"""

RUN = """
import json, sys
from pathlib import Path
import oncarium as oc
from oncarium.errors import DataError
from oncarium.run import lock
from oncarium.study.ensemble import Task, run_all
lock.POSIX = False
assert lock.lock_file is None and lock.boot() == "" and lock.started(1) == ""
place = Path(sys.argv[1])
model = oc.Model.from_text(oc.EXAMPLE)
first = oc.run(model, "1 h", 1, out=place / "run", see=lambda s: s.tick == 30)
def intrude(simulation):
    try:
        oc.resume(place / "run")
    except DataError as error:
        assert "another run is writing here" in str(error)
    else:
        raise AssertionError("two runs write into one folder")
    return False
assert oc.resume(place / "run", see=lambda s: s.tick == 40 and intrude(s)).finished
held = lock.lock_of(place / "run" / "run.zarr")
held.write_text(json.dumps({"host": "elsewhere", "pid": 1, "boot": ""}))
assert oc.resume(place / "run", "2 h", take_over=True).finished and not held.exists()
done, failed = run_all([Task.of(model, "10 min", 1)], place / "many", workers=1)
assert done and not failed
print(first.seed, oc.open(place / "run").digest[:8])
"""


def test_runs_locks_and_studies_work_where_linux_is_not(tmp_path):
    answer = subprocess.run([sys.executable, "-c", HIDE + RUN, str(tmp_path)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_windows_is_not_asked_whether_a_process_lives(tmp_path, monkeypatch):
    """There, os.kill(pid, 0) sends Ctrl+C; only the heart of a lock tells."""
    from oncarium.run import lock

    monkeypatch.setattr(lock.os, "kill", lambda *_: (_ for _ in ()).throw(AssertionError))
    monkeypatch.setattr(lock, "POSIX", False)
    monkeypatch.setattr(lock, "boot", lambda: "")
    assert lock.alive({"pid": 1, "boot": ""}) is None
