"""The table of README.md from a run of all claims.

oncarium claims -o runs/claims
python validation/claims/table.py [runs/claims/site]     copies claims.json, writes the table into README.md
"""

import json
import math
import shutil
import sys
from pathlib import Path

from oncarium.study.effects import LOGS, said

HERE = Path(__file__).parent
FROM, TO = "<!-- table.py writes what follows -->", "<!-- to here -->"


def told(effect: dict, kind: str) -> str:
    if not effect["n"] or effect["value"] is None:
        return ""
    value, low, high = (math.nan if x is None else said(kind, x) for x in (effect["value"], *effect["interval"]))
    return f"{value:.3g}{'×' if kind in LOGS else ''} ({low:.3g} to {high:.3g})"


def row(o: dict) -> str:
    state, function = (o["readouts"].get(r) for r in ("state", "function"))
    cells = [f"{r['called']}: {told(r['main'], r['effect'])}" if r else "" for r in (state, function)]
    off = "; ".join(dict.fromkeys(r["control"] for r in (state, function) if r))
    verdict = o["verdict"] if o["verdict"] == "supported" else f"**{o['verdict']}**"
    q = "" if o["q"] is None else f"{o['q']:.2g}"
    return f"| {o['claim']} | {' | '.join(cells)} | {off} | {o['n']} | {q} | {o['predicted']} | {verdict} {o['why']} |"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        shutil.copy(Path(sys.argv[1]) / "claims.json", HERE / "claims.json")
    lines = [
        "| claim | state (90 % interval) | function | mechanism off | pairs | q | predicted | verdict |",
        "|---|---|---|---|---|---|---|---|",
        *map(row, json.loads((HERE / "claims.json").read_text())["claims"]),
    ]
    page = HERE / "README.md"
    before, _, rest = page.read_text().partition(FROM)
    page.write_text("\n".join([before + FROM, *lines, TO]) + rest.partition(TO)[2])
