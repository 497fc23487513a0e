"""The table of README.md from a run of all claims.

oncarium claims -o runs/claims
python validation/claims/table.py [runs/claims]     copies claims.json, writes the table into README.md
"""

import json
import shutil
import sys
from pathlib import Path

from oncarium.study.claims import library, read_claim
from oncarium.study.claims_page import say
from oncarium.study.effects import Effect

HERE = Path(__file__).parent
FROM, TO = "<!-- table.py writes what follows -->", "<!-- to here -->"


def told(effect: dict, kind: str) -> str:
    return say(Effect(effect["value"], *effect["interval"], (), ()), kind).replace("x (", "× (")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        shutil.copy(Path(sys.argv[1]) / "claims.json", HERE / "claims.json")
    claims = {c.id: c for c in map(read_claim, library())}
    lines = [
        "| claim | decisive read-out | effect (95 % interval) | expected | mechanism off | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for o in json.loads((HERE / "claims.json").read_text()):
        c = claims[o["claim"]]
        main, off = (told(x[0], c.effect) if x else o["error"] for x in (o["effects"], o["mechanism off"]))
        verdict = o["verdict"] if o["verdict"] == "supported" else f"**{o['verdict']}**"
        lines.append(
            f"| {c.id} | {o['readouts'][0]} | {main} | {c.direction} {c.band[0]:g} to {c.band[1]:g} | {off} "
            f"| {verdict} |"
        )
    page = HERE / "README.md"
    before, _, rest = page.read_text().partition(FROM)
    page.write_text("\n".join([before + FROM, *lines, TO]) + rest.partition(TO)[2])
