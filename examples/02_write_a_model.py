"""How is a model written, checked and described?"""

import oncarium as oc

text = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {library: oxygen, boundary: 38 mmHg assumed}
cells:
  tumor:
    library: tumor_simple
    secretion: {uptake: {oxygen: 10 1/min assumed}}
    rules:
      - oxygen increases cycle.exit.live to 0.05 1/h, half 20 mmHg, hill 4 assumed
initial:
  - {cells: tumor, disc: {radius: 60 um}, packing: hexagonal}
"""
model = oc.Model.from_text(text)
print(model.describe())
try:
    oc.Model.from_text(text.replace("oxygen increases", "oxgen increases").replace("20 um", "20 fortnight"))
except oc.ModelError as error:
    print(error)
    assert len(error.problems) == 2
