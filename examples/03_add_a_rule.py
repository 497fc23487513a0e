"""What does pressure do to growth? The same tumor with and without one sentence."""

import tempfile

import oncarium as oc

base = oc.load("hypoxic_tumor").with_(
    {"initial.0.disc.radius": "120 um", "until": "12 h", "cells.tumor.cycle.exit": "0.1 1/h"}
)
rule = "pressure decreases cycle.exit.live to 0 1/min, half 0.3, hill 4 assumed"
for name, rules in {"free": [], "pressed": [rule]}.items():
    result = oc.run(base.with_({"cells.tumor.rules": rules}), seed=2, out=tempfile.mkdtemp())
    print(f"{name:<8} {int(result.summary['events.division'].iloc[-1])} divisions")
