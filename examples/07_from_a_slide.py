"""Cells of a slide become a tissue: look, say whose cells are whose, run."""

import random
from pathlib import Path

import oncarium as oc

draw = random.Random(1)
rows = [(i, j) for i in range(16) for j in range(16)]  # a table as a segmentation leaves it: in pixels, y down
place = [(100 + 17 * i + draw.uniform(-4, 4), 80 + 17 * j + draw.uniform(-4, 4), i) for i, j in rows]
table = [
    f"{x:.2f},{y:.2f},{draw.randint(110, 190)},{('Epithelium', 'Lymphocyte', 'Vessel')[i // 7]}" for x, y, i in place
]
Path("slide.csv").write_text("X_centroid,Y_centroid,Area,phenotype\n" + "\n".join(table))

words = {"pixel": "0.65 um", "columns": {"nucleus": "Area"}}
seen = oc.preview("slide.csv", **words)
print(seen)
print(oc.spatial.composition(seen.table).round(3).to_string())
slide = {"slide": "slide.csv", **words, "types": {"Epithelium": "tumor", "Lymphocyte": "cd8"}}
small = {"domain.x": ["-120 um", "120 um"], "domain.y": ["-120 um", "120 um"]}
text = oc.load("hypoxic_tumor").with_({**small, "initial": []}).to_yaml()
model = oc.Model.from_text(text, folder=".").with_({"initial": [slide]})
oc.preview(model).save("start.html")  # data and start side by side
result = oc.run(model, "1 h", seed=1)
print(result.cells()["type"].value_counts().to_string())
