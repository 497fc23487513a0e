"""What does chance do, and what does a number do? The same model with several seeds, then under several values."""

import oncarium as oc

MODEL = """
title: A small tumor
domain: {x: [-150 um, 150 um], y: [-150 um, 150 um], voxel: 25 um}
record: {cells: 1 h, fields: 6 h}
factors: {oxygen: {library: oxygen, boundary: 38 mmHg assumed}}
cells: {tumor: {cycle: {model: live, exit: 0.05 1/h assumed}}}
initial: [{cells: tumor, disc: {radius: 80 um}, packing: hexagonal}]
"""

if __name__ == "__main__":  # workers import this file
    model = oc.Model.from_text(MODEL)
    results = oc.repeat(model, seeds=4, until="12 h", out="runs/four")
    print(results)
    last = results.bands("live.tumor").iloc[-1]
    expected = len(results[0].cells(0)) * 2.71828 ** (0.05 * 12)  # each cell divides at 0.05 per hour
    print(
        f"after 12 h {last['median']:.0f} cells ({last['low']:.0f} to {last['high']:.0f}); by the rate {expected:.0f}"
    )
    rates = {"cells.tumor.cycle.exit": ["0.02 1/h", "0.05 1/h", "0.1 1/h"]}
    sweep = oc.sweep(model, rates, seeds=2, until="6 h", out="runs/rates")
    print(oc.responses(sweep, ["live.tumor at end"]).drop(columns=["time", "finished"]).to_string(index=False))
    oc.plot.save(oc.plot.growth(results), "growth.png")
    print("pages:", results.page, sweep.page)
