"""How do results get into other programs? Tables, AnnData, outlines; and who is near whom."""

import tempfile
from pathlib import Path

import oncarium as oc

folder = Path(tempfile.mkdtemp())
model = oc.load("hypoxic_tumor").with_({"initial.0.disc.radius": "150 um", "record.cells": "1 h"})
result = oc.run(model, "2 h", seed=1, out=folder / "run")
for path in oc.export(result, folder / "tables", to="csv", at=["0 h", "2 h"]):
    print(path.name, f"{path.stat().st_size / 1e3:.0f} kB")
print(oc.export(result, folder / "cells.geojson", at="2 h", only=["tumor"])[0].name)
print(oc.spatial.mixing(result, t="all"))
print(oc.spatial.enrichment(result, permutations=200).pivot(index="source", columns="target", values="z").round(1))
oc.plot.save(oc.plot.infiltration(result), folder / "infiltration.png")
