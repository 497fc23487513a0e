"""Does it matter how fast T cells crawl? One state, continued twice."""

import tempfile
from pathlib import Path

import oncarium as oc

folder = Path(tempfile.mkdtemp())
model = oc.load("hypoxic_tumor").with_({"initial.0.disc.radius": "200 um"})
oc.run(model, "2 h", seed=3, out=folder / "first")
arms = {"control": {}, "slow": {"cells.cd8.motility.speed": "0.5 um/min"}}
results = oc.branch(folder / "first", arms, until="6 h", out=folder / "arms")
resumed = oc.resume(folder / "first", until="6 h")
print({name: int(results[name].summary["events.attack"].iloc[-1]) for name in results.arms})
assert resumed.digest == results["control"].digest  # an unchanged branch is the run itself
