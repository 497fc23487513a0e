"""Drugs that failed in patients: what the model says of marimastat and PEGPH20, and why (carlumab: ccl2.py).

python validation/therapy/failed.py [seeds, 5]
"""

from __future__ import annotations

from pool import HERE, seeds, seen, tissue

FRONT = {
    "breached": ({"measure": "matrix", "name": "breached", "at": "last 8 day"}, "breached share of the membrane"),
    "front": ({"measure": "front_speed", "of": "carcinoma", "since": "1 day"}, "speed of the front (um/day)"),
    "drug": ({"measure": "factor", "name": "marimastat"}, "free marimastat in tissue (nM)"),
    "mmp": ({"measure": "factor", "name": "mmp", "at": "last 5 day"}, "active MMP"),
}
VESSELS = {
    "hyaluronan": ({"measure": "matrix", "name": "hyaluronan", "at": "last 5 day"}, "hyaluronan"),
    "perfused": ({"measure": "tissue", "name": "vessels.perfused", "at": "last 5 day"}, "perfused share of vessels"),
    "pressure": ({"measure": "tissue", "name": "fluid.pressure", "at": "last 5 day"}, "fluid pressure (mmHg)"),
    "apoptosis": ({"measure": "rate", "kind": "apoptosis", "of": "carcinoma", "since": "1 day"},
                  "apoptoses per tumor cell and day"),
    "growth": ({"measure": "growth", "of": "carcinoma", "since": "1 day"}, "growth (1/day)"),
}  # fmt: skip
GEM = "gemcitabine 1000 mg/m^2 over 30 min on days 0, 7"
RICH, PLENTY = {"matrix.hyaluronan": "times 3"}, "pegph20 0.003 mg/kg on days 0, 3, 7"
ARMS = {  # label -> (scenario, changes, read-outs)
    "front": ("front", {}, FRONT),
    "front, marimastat 10 mg twice a day": ("front", {"therapy.doses": ["marimastat 10 mg twice a day"]}, FRONT),
    "gemcitabine, usual hyaluronan": ("reference", {"therapy.doses": [GEM]}, VESSELS),
    "gemcitabine and PEGPH20, usual hyaluronan": ("reference", {"therapy.doses": [GEM, PLENTY]}, VESSELS),
    "gemcitabine, three times the hyaluronan": ("reference", {"therapy.doses": [GEM]} | RICH, VESSELS),
    "gemcitabine and PEGPH20, three times": ("reference", {"therapy.doses": [GEM, PLENTY]} | RICH, VESSELS),
}


def main() -> None:
    out, n = [], 0
    for read in (FRONT, VESSELS):
        out += ["| arm | " + " | ".join(words for _, words in read.values()) + " |", "|---|" + "---|" * len(read)]
        for label, (name, changes, its) in ARMS.items():
            if its is not read:
                continue
            given = str(changes.get("therapy.doses", ""))
            wanted = {k: what for k, (what, _) in read.items() if k != "drug" or "marimastat" in given}
            runs = [seen(label, tissue(name, changes), "10 day", s, wanted) for s in seeds(5)]
            n = len(runs)
            mean = [f"{sum(r[k] for r in runs) / n:.3g}" if k in wanted else "0" for k in read]
            out.append(f"| {label} | " + " | ".join(mean) + " |")
        out.append("")
    text = f"{n} seed{'s' if n > 1 else ''} per arm, ten days.\n\n" + "\n".join(out)
    (HERE / "failed.md").write_text(text.rstrip("\n") + "\n")
    print(text)


if __name__ == "__main__":
    main()
