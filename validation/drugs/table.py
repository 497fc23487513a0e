"""Writes the table of README.md: half-lives and levels of the library's drugs against what was read of them.

    python validation/drugs/table.py

Each line: a drug, a regimen, what is compared (half-life in h; peak, mean or trough in ug/mL), what was read with its
range, and where. Levels are those of the last interval, after eight half-lives.
"""

from __future__ import annotations

from pathlib import Path

from oncarium.analysis.plasma import levels
from oncarium.biology.drugs.pharmacokinetics import Pharmacokinetics
from oncarium.model.drug import drugs, load_drug

HERE = Path(__file__).parent
READ = (
    ("pembrolizumab", "200 mg every 3 weeks", "half-life", 528, 360, 768, "P01"),
    ("pembrolizumab", "200 mg every 3 weeks", "trough", 29, None, None, "specification"),
    ("nivolumab", "240 mg every 2 weeks", "trough", 70, 60, 80, "specification, recalled"),
    ("atezolizumab", "1200 mg every 3 weeks", "half-life", 648, 480, 840, "P07"),
    ("pexidartinib", "400 mg twice a day", "half-life", 26.6, 17, 42, "P09"),
    ("pexidartinib", "400 mg twice a day", "peak", 8.6, None, None, "specification"),
    ("bevacizumab", "5 mg/kg every 2 weeks", "half-life", 480, 264, 1200, "P22"),
    ("bevacizumab", "5 mg/kg every 2 weeks", "trough", 80, 45, 128, "P23"),
    ("ramucirumab", "8 mg/kg every 2 weeks", "half-life", 336, 192, 576, "P25"),
    ("sunitinib", "50 mg daily", "half-life", 50, 40, 60, "P26"),
    ("sunitinib", "50 mg daily", "mean", 0.08, 0.063, 0.101, "P26, with its metabolite"),
    ("trebananib", "15 mg/kg weekly", "half-life", 94.9, 93.9, 95.9, "P27"),
    ("vanucizumab", "30 mg/kg every 2 weeks", "half-life", 175, 144, 216, "P29"),
    ("imatinib", "400 mg daily", "half-life", 18, 13, 24, "P30"),
    ("imatinib", "400 mg daily", "peak", 2.6, 1.0, 4.2, "P30"),
    ("imatinib", "400 mg daily", "trough", 1.2, 0.0, 2.8, "P30"),
    ("marimastat", "10 mg twice a day", "half-life", 7, 4, 10, "P31"),
    ("marimastat", "10 mg twice a day", "peak", 0.039, 0.02, 0.08, "P32"),
    ("odanacatib", "50 mg weekly", "half-life", 80, 40, 97, "P34"),
    ("losartan", "50 mg daily", "half-life", 2.1, 1.5, 2.5, "P36"),
    ("galunisertib", "150 mg twice a day", "half-life", 8, 7, 10, "P37"),
    ("plerixafor", "0.24 mg/kg daily", "half-life", 4, 3, 5, "P38"),
    ("plerixafor", "0.24 mg/kg daily", "peak", 0.9, None, None, "specification, recalled"),
    ("tocilizumab", "8 mg/kg over 1 h every 4 weeks", "peak", 183, None, None, "P39"),
    ("tocilizumab", "8 mg/kg over 1 h every 4 weeks", "trough", 9.7, None, None, "P39"),
    ("doxorubicin", "60 mg/m^2 over 10 min every 3 weeks", "half-life", 30, 20, 48, "P40"),
    ("gemcitabine", "1000 mg/m^2 over 30 min weekly", "half-life", 0.167, 0.038, 0.27, "P42"),
    ("gemcitabine", "1000 mg/m^2 over 30 min weekly", "peak", 10.5, 5.3, 16, "specification, recalled"),
    ("paclitaxel", "175 mg/m^2 over 3 h every 3 weeks", "half-life", 20, 13, 53, "P44"),
    ("paclitaxel", "175 mg/m^2 over 3 h every 3 weeks", "peak", 3.65, None, None, "P44"),
    ("evofosfamide", "340 mg/m^2 over 30 min weekly", "peak", 6.7, 4.5, 9, "specification, recalled"),
)


# what a volume, clearance or flow was derived from: no proof, but that the arithmetic is right
LIVES = (
    "trebananib", "vanucizumab", "marimastat", "odanacatib", "losartan", "galunisertib", "plerixafor", "doxorubicin",
    "gemcitabine", "imatinib",
)  # fmt: skip
CHOSEN = {*((name, "half-life") for name in LIVES), ("marimastat", "peak")}


def table() -> tuple[str, int, int]:
    """Markdown; how many lines that nothing was set by have a range, and how many of these lie in it."""
    out = [
        "| drug | regimen | what | read | range | here | within | row | set by it |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ranged = inside = 0
    for name, regimen, what, value, low, high, row in READ:
        drug = load_drug(name)
        life = Pharmacokinetics(drug.plasma["human"]).half_life
        if what == "half-life":
            here, unit = life / 60.0, "h"
        else:
            found = levels(drug, regimen, until=max(8.0 * life, 8 * 28 * 1440.0))
            here, unit = found.mass(getattr(found, what)), "ug/mL"
        within = "" if low is None else "yes" if low <= here <= high else "no"
        if (name, what) not in CHOSEN:
            ranged, inside = ranged + (low is not None), inside + (within == "yes")
        span = "" if low is None else f"{low:g} to {high:g}"
        chosen = "yes" if (name, what) in CHOSEN else ""
        row_of = (name, regimen, what, f"{value:g} {unit}", span, f"{here:.3g}", within, row, chosen)
        out.append(f"| {' | '.join(row_of)} |")
    return "\n".join(out), ranged, inside


if __name__ == "__main__":
    page = HERE / "README.md"
    head = page.read_text(encoding="utf-8").partition("<!-- table -->")[0]
    lines, ranged, inside = table()
    several = len({r[0] for r in READ})
    count = (
        f"{len(READ)} numbers of {several} of {len(drugs())} drugs. Of those that nothing was set by and that have a "
        f"range, {inside} of {ranged} lie in it."
    )
    page.write_text(f"{head}<!-- table -->\n\n{count}\n\n{lines}\n", encoding="utf-8")
