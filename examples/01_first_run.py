"""What does a small tumor do in a day?"""

import tempfile

import oncarium as oc

model = oc.load("hypoxic_tumor").with_({"initial.0.disc.radius": "150 um", "until": "6 h"})
result = oc.run(model, seed=1, out=tempfile.mkdtemp())
print(result)
print("figure:", oc.plot.save(oc.plot.tissue(result), f"{result.path.parent}/tissue.png"))
