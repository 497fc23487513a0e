"""What differs between two models? Side by side, with the same seeds, and from one state on."""

import oncarium as oc

MODEL = """
title: A small tumor
domain: {x: [-150 um, 150 um], y: [-150 um, 150 um], voxel: 25 um}
record: {cells: 1 h, fields: 6 h, checkpoint: 3 h}
factors: {oxygen: {library: oxygen, boundary: 38 mmHg assumed}}
cells: {tumor: {cycle: {model: live, exit: 0.05 1/h assumed}}}
initial: [{cells: tumor, disc: {radius: 80 um}, packing: hexagonal}]
"""

if __name__ == "__main__":  # workers import this file
    slow = oc.Model.from_text(MODEL).with_({"name": "slow"})
    fast = slow.with_({"name": "fast", "cells.tumor.cycle.exit": "0.1 1/h"})
    print(*slow.diff(fast), sep="\n")
    both = oc.compare(slow, fast, seeds=3, until="6 h", out="runs/both")
    print(both)
    for arm in both.arms:
        last = both.of(arm).bands("live.tumor").iloc[-1]
        print(f"{arm}: {last['median']:.0f} cells ({last['low']:.0f} to {last['high']:.0f})")
    oc.run(slow, "3 h", seed=1, out="runs/before")  # one state goes on twice
    arms = oc.branch("runs/before", {"control": {}, "fast": {"cells.tumor.cycle.exit": "0.1 1/h"}}, until="6 h")
    print({name: len(arms[name].cells()) for name in arms.arms}, arms.page)
