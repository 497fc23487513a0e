"""What does pressure do to growth? The same tumor with one sentence more, or less."""

import tempfile

import oncarium as oc

base = oc.edit(
    "hypoxic_tumor", set={"initial.0.disc.radius": "120 um", "until": "12 h", "cells.tumor.cycle.exit": "0.1 1/h"}
)
free = oc.edit(base, drop={"cells.tumor.rules": "pressure on cycle.exit.live"})
pressed = oc.edit(
    free, add={"cells.tumor.rules": "pressure decreases cycle.exit.live to 0 1/min, half 0.3, hill 4 assumed"}
)
print(*free.diff(pressed), sep="\n")
for name, model in {"free": free, "pressed": pressed}.items():
    result = oc.run(model, seed=2, out=tempfile.mkdtemp())
    print(f"{name:<8} {int(result.summary['events.division'].iloc[-1])} divisions")
