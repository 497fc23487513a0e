"""The command that shows the library's drugs: their numbers, what these rest on, and their course in blood."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..model.drug import Drug


def drugs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="One of them, or a file of yours.")] = None,
    dose: Annotated[
        list[str] | None,
        typer.Option(metavar="DOSES", help="A regimen, e.g. '200 mg every 3 weeks'; the usual one when left out."),
    ] = None,
    species: Annotated[str, typer.Option(help="human or mouse.")] = "",
    until: Annotated[str | None, typer.Option(help="How long, e.g. '90 day'; eight intervals when left out.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Draw the concentration in plasma there.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """List the drugs of the library; or show one: its numbers, what they rest on, its effects, its course in blood."""
    from ..errors import InputError
    from ..model import drug as model

    if name is None:
        extra = [o for o, v in (("--dose", dose), ("--until", until), ("--out", out), ("--species", species)) if v]
        if extra:
            raise InputError(extra[0], "it needs a drug.", remedy="Name one:  oncarium drugs pembrolizumab.")
        print(_table([model.load_drug(n) for n in model.drugs()]))
        return
    if out and out.exists() and not overwrite:
        raise InputError(str(out), "this file exists.", remedy="Choose another name, or add --overwrite.")
    drug = model.load_drug(name)
    shown = [_head(drug), _numbers(drug), _effects(drug)]
    drawn = None
    if drug.plasma:
        from ..analysis.plasma import levels

        drawn = levels(drug, dose or "", species, until)
        shown.append(
            f"Levels in the {drawn.species} between the last two of {len(drawn.doses)} doses: "
            + ", ".join(
                f"{what} {v:.3g} nM ({drawn.mass(v):.3g} ug/mL)"
                for what, v in (("peak", drawn.peak), ("mean", drawn.mean), ("before the last", drawn.trough))
            )
            + "."
        )
    print("\n\n".join(s for s in shown if s))
    if out:
        from ..analysis.canvas import save
        from ..analysis.plasma import plasma

        if drawn is None:
            raise InputError(name, "it has no plasma to draw.")
        print(f"Wrote {save(plasma(drawn), out)}")


def half_life(drug: Drug, species: str) -> str:
    """In words; of a nonlinear body the longest, when all that saturates is full."""
    import math

    from ..biology.drugs.pharmacokinetics import Pharmacokinetics

    body = drug.plasma[species]
    found = Pharmacokinetics(body).half_life
    if math.isinf(found):
        return "by dose"
    value, unit = next((found / n, u) for n, u in ((1440.0, "d"), (60.0, "h"), (1.0, "min")) if found >= n or n == 1)
    return f"{'' if body.linear else '< '}{value:.3g} {unit}"


def _grades(drug: Drug) -> str:
    counted = Counter(q.grade for q in drug.numbers.values())
    return " ".join(f"{g}{counted[g]}" for g in "MRLA")


def _table(found: list[Drug]) -> str:
    rows = [("name", "class", "what it is", "usual", "half-life", "numbers")]
    for d in found:
        species = next(iter(d.plasma), "")
        life = half_life(d, species) + (" (mouse)" if species == "mouse" else "") if species else ""
        usual = d.usual if len(d.usual) <= 34 else d.usual[:33] + "…"
        rows.append((d.name, d.kind, d.doc, usual, life, _grades(d)))
    width = [max(len(r[k]) for r in rows) for k in range(6)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, width)).rstrip() for r in rows]
    lines.append("Numbers: M measured, R reported, L recalled, A assumed. One of them:  oncarium drugs NAME")
    return "\n".join(lines)


def _head(drug: Drug) -> str:
    lines = [f"{drug.name}: {drug.doc} ({drug.kind}; acts in {drug.cross})", f"usual: {drug.usual}"]
    for species in drug.plasma:
        p = drug.plasma[species]
        lines.append(f"{species}: half-life {half_life(drug, species)}; usually {p.route}; {', '.join(p.routes)}")
    return "\n".join(lines)


def _numbers(drug: Drug) -> str:
    """Every number as its file says it, with grade, range and sources."""
    from ..model.nested import flatten
    from ..units import split_source

    rows = [("number", "value", "grade", "range", "sources")]
    texts = flatten(drug.tree)
    for path, q in drug.numbers.items():  # those of rules stand in their sentences
        value, evidence = split_source(texts[path]) if path in texts else (f"{q.value:.6g} {q.unit}", q.evidence)
        value = value.removesuffix(" 1")
        ends = "" if evidence.low is None else f"{evidence.low:.6g}..{evidence.high:.6g}"
        rows.append((path, value, evidence.grade, ends, " ".join(evidence.sources)))
    width = [max(len(r[k]) for r in rows) for k in range(4)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(r, width)), r[4]]).rstrip() for r in rows)


def _effects(drug: Drug) -> str:
    """What it does, in words."""
    from ..units import split_source

    whom = {"*": "every cell type that has it", "vessels": "vessels", "matrix": "the matrix", "body": "the body"}
    lines = [f"binds {b.receptor}: half occupied at {b.affinity:g} nM" for b in drug.binds.values()]
    lines += [f"holds {n.factor}: half of it at {n.affinity:g} nM" for n in drug.neutralises.values()]
    if drug.activated:
        a = drug.activated
        lines.append(
            f"becomes {a.factor.name} at {a.rate:g} 1/min without oxygen, at half of that at {a.oxygen:g} mmHg"
        )
    for who, sentences in drug.effects.items():
        for said in sentences:
            plain = ", ".join(split_source(part)[0] for part in said.split(", "))
            lines.append(f"{whom.get(who, who)}: {plain}")
    return "\n".join(lines)
