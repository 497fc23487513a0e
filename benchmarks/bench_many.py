"""Many runs on warm workers:  python benchmarks/bench_many.py [WORKERS]

Ten replicates of hypoxic_tumor for a day, against as many as each worker has one after another in this process, which
is warm already: 1 is the best that can be had, whatever the machine.
"""

import sys
import tempfile
import time

import oncarium as oc
from oncarium.study.ensemble import Task, run_all

if __name__ == "__main__":
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    model = oc.load("hypoxic_tumor")
    oc.run(model, "1 h", out=tempfile.mkdtemp(), threads=1)
    began = time.perf_counter()
    for seed in range(1, 10 // workers + 1):
        oc.run(model, "1 day", seed, out=tempfile.mkdtemp(), threads=1)
    alone = time.perf_counter() - began
    began = time.perf_counter()
    done, failed = run_all([Task.of(model, "1 day", s) for s in range(1, 11)], tempfile.mkdtemp(), workers=workers)
    assert len(done) == 10 and not failed
    many = time.perf_counter() - began
    print(
        f"{10 // workers} in one warm process {alone:.1f} s, 10 on {workers} workers {many:.1f} s: {many / alone:.2f}"
    )
