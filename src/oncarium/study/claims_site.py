"""The site of claims: a table of all, a page for each, and the same numbers as JSON. Plain files that any server, or a
folder, can show."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis.page import Page, escaped
from ..errors import DataError, InputError, ModelError, did_you_mean
from ..model.files import read
from ..writing import write_text
from .claims import Claim
from .effects import LOGS, called, said
from .inference import SPENT, Estimate, false_discovery
from .verdicts import BUDGET, CONTRADICTED, FAILED, NOT, SUPPORTED, UNDECIDED, VERDICTS, WEAK, Judged, Outcome

COLORS = {SUPPORTED: "#00775a", WEAK: "#9a6a00", NOT: "#b04a00", CONTRADICTED: "#8b1a1a", UNDECIDED: "#666666",
          BUDGET: "#4f5d75", FAILED: "#a0447c"}  # fmt: skip
STYLE = """
.verdict{display:inline-block;color:#fff;border-radius:4px;padding:0 .5rem;font-size:.8rem;white-space:nowrap}
nav button{margin:.15rem;padding:.2rem .6rem;border:1px solid #ccc;border-radius:4px;background:#fff;font:inherit;
cursor:pointer}nav button[aria-pressed=true]{background:#1b1b1b;color:#fff}
.claims td:nth-child(2){min-width:15rem}.why{color:#555;font-size:.85rem}td{vertical-align:top}
svg{max-width:100%;height:auto}
"""
CHOOSE = """<script>document.querySelectorAll('nav button').forEach(b=>b.onclick=()=>{
document.querySelectorAll('nav button').forEach(o=>o.setAttribute('aria-pressed',o===b));
document.querySelectorAll('tr[data-verdict]').forEach(r=>r.hidden=b.value&&r.dataset.verdict!==b.value)})</script>"""
HOW = (
    "Each claim is an experiment with a control, a perturbed arm, both again with the mechanism switched off, and "
    "pairs of runs with the same seed. It has two read-outs, one of a state and one of a function. Supported: both "
    "effects are shown in the direction expected, their 90 % intervals lie in the band (a tenth wider) that the "
    "literature gives, "
    "and with the mechanism off nothing is left. Looks after 3, 5, 8, 12 and 20 pairs share one error of "
    f"{100 * SPENT[-1]:g} %; p counts all of them, q all claims. Verdicts were predicted before anything was run."
)


def say(effect: Estimate, kind: str) -> str:
    """An effect in words, with its 90 % interval.

    >>> say(Estimate(math.log(0.5), 0.05, 4.0, 5), "ratio")
    '0.5x (0.449 to 0.556)'
    """
    if not effect.n or math.isnan(effect.value):
        return "nothing to measure"
    if effect.same:
        return f"{said(kind, effect.value):.3g}{'x' if kind in LOGS else ''} (the same course in both arms)"
    low, high = (said(kind, x) for x in effect.interval())
    return f"{said(kind, effect.value):.3g}{'x' if kind in LOGS else ''} ({low:.3g} to {high:.3g})"


def read_notes(path: Path, claims: Sequence[str], allowed: Sequence[str] = ()) -> dict[str, str]:
    """Claim -> a word or a text on it, from a YAML file: verdicts predicted before a run (`allowed`), or what was
    changed after a result. Raises InputError with all that is wrong."""
    if not path.exists():
        raise DataError(str(path), "there is no such file.")
    try:
        tree = read(path, path.name).tree
    except ModelError as error:
        raise InputError(str(path), f"{error.problems[0].message}", "Expected  CLAIM: text  in every line.") from None
    wrong = [f"{name}: no such claim.{did_you_mean(name, claims)}" for name in tree if name not in claims]
    wrong += [f"{n}: '{v}' is no verdict.{did_you_mean(str(v), allowed)}" for n, v in tree.items()
              if allowed and v not in allowed]  # fmt: skip
    if wrong:
        more = f" ... and {len(wrong) - 5} more." if len(wrong) > 5 else ""
        raise InputError(str(path), " ".join(wrong[:5]) + more, f"Verdicts: {', '.join(allowed)}." if allowed else "")
    return {str(k): str(v) for k, v in tree.items()}


def site(
    outcomes: Sequence[Outcome], folder: str | Path, *, predicted: Mapping[str, str] | None = None,
    changed: Mapping[str, str] | None = None, about: Mapping[str, Any] | None = None,
    operating: Mapping[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Write index.html, <claim>.html and claims.json into a folder; returns the path of the index.

    predicted, changed   claim -> verdict foretold; what was changed of it after a result
    about                provenance: hashes and versions (protocol.freeze)
    operating            rule ("type: signal on behavior") -> its operating point in words, where it was looked at
    """
    folder, predicted, changed = Path(folder), predicted or {}, changed or {}
    folder.mkdir(parents=True, exist_ok=True)
    q = dict(zip([o.claim.id for o in outcomes], false_discovery([o.p for o in outcomes])))
    for o in outcomes:
        text = _page(o, q[o.claim.id], predicted, changed, about or {}, operating or {})
        write_text(folder / f"{o.claim.id}.html", text)
    records = [_record(o, q[o.claim.id], predicted, changed) for o in outcomes]
    write_text(folder / "claims.json", json.dumps(_known({"about": dict(about or {}), "claims": records}), indent=1))
    page = Page("Claims", STYLE).text(HOW)
    counts = {v: sum(o.verdict == v for o in outcomes) for v in VERDICTS}
    page.text(
        f"{len(outcomes)} claims: " + ", ".join(f"{n} {v}" for v, n in counts.items() if n)
        + f". Were there no effect anywhere, {SPENT[-1] * len(outcomes):.1f} of either read-out would seem shown."
    )  # fmt: skip
    if guessed := [o for o in outcomes if o.claim.id in predicted]:
        hits = sum(predicted[o.claim.id] == o.verdict for o in guessed)
        page.text(f"{hits} of {len(guessed)} verdicts came out as predicted.")
    buttons = "".join(
        f"<button value='{escaped(v)}' aria-pressed=false>{v} ({n})</button>" for v, n in counts.items() if n
    )
    page.add(f"<nav><button value='' aria-pressed=true>all</button>{buttons}</nav>")
    heads = (
        "claim",
        "statement",
        "verdict",
        "state",
        "function",
        "mechanism off",
        "pairs",
        "q",
        "predicted",
        "changed after result",
    )
    rows = "".join(_row(o, q[o.claim.id], predicted, changed) for o in outcomes)
    page.add(
        "<div class='scroll claims'><table><tr>"
        + "".join(f"<th class=t>{h}" for h in heads) + f"{rows}</table></div>{CHOOSE}"
    )  # fmt: skip
    page.text(f"Oncarium {__version__}." + (f" Frozen {about['since']}." if about and "since" in about else ""))
    return page.write(folder / "index.html")


def _known(x: Any) -> Any:
    """What JSON can say: numbers that are none become null."""
    if isinstance(x, Mapping):
        return {k: _known(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [_known(v) for v in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x


def badge(verdict: str) -> str:
    """A verdict as HTML."""
    return f"<span class=verdict style='background:{COLORS[verdict]}'>{verdict}</span>"


def _row(o: Outcome, q: float, predicted: Mapping[str, str], changed: Mapping[str, str]) -> str:
    name = o.claim.id
    effects = [_cell(o.judged.get(role), "main") for role in ("state", "function")]
    off = "; ".join(dict.fromkeys(x.control for x in o.judged.values()))
    guess = predicted.get(name, "")
    words = [f"<a href='{escaped(name)}.html'>{escaped(name)}</a>", escaped(o.claim.says),
             f"{badge(o.verdict)}<div class=why>{escaped(o.error or o.why)}</div>", *effects, escaped(off), str(o.n),
             _number(q), escaped(guess), escaped(changed.get(name, ""))]  # fmt: skip
    return f"<tr data-verdict='{escaped(o.verdict)}'>" + "".join(f"<td class=t>{w}" for w in words)


def _cell(judged: Judged | None, which: str) -> str:
    if judged is None:
        return ""
    what, effect = judged.readout, getattr(judged, which)
    told = f"{called(what.what)}: {say(effect, what.effect)}"
    return f"{escaped(told)}<div class=why>{escaped(_expected(judged))}</div>"


def _expected(x: Judged) -> str:
    low, high = x.readout.band
    return f"expected {x.readout.direction}, {low:g} to {high:g}"


def _number(x: float) -> str:
    return "" if math.isnan(x) else f"{x:.2g}"


def _page(
    o: Outcome, q: float, predicted: Mapping[str, str], changed: Mapping[str, str], about: Mapping[str, Any],
    operating: Mapping[str, Any],
) -> str:  # fmt: skip
    c = o.claim
    page = Page(f"{c.id}: {c.says}", STYLE).add(
        f"<p><a href='index.html'>all claims</a> {badge(o.verdict)} {escaped(o.error or o.why)}"
    )
    page.text(f"Mechanism: {c.mechanism}")
    guess = f" Predicted: {predicted[c.id]}." if c.id in predicted else ""
    page.text(f"Tissue {c.tissue}, {c.until}, {o.n} pairs of seeds.{guess}")
    if c.id in changed:
        page.text(f"Changed after a result: {changed[c.id]}")
    if o.judged or o.table is not None:
        from .claims_figure import figure

        page.add(f"<figure>{_svg(figure(o))}</figure>")
    if o.judged:
        page.heading("Read-outs")
        heads = ("", "read-out", "effect (90 % interval)", "expected", "source", "told", "mechanism off", "", "sham",
                 "positive control", "p", "q", "variance that pairing leaves")  # fmt: skip
        page.table(heads, [
            (role, called(x.readout.what), say(x.main, x.readout.effect), _expected(x).removeprefix("expected "),
             x.readout.source, x.told, say(x.off, x.readout.effect), x.control,
             *(say(y, "ratio" if x.readout.effect in LOGS else "difference") for y in (x.sham, x.positive)),
             _number(x.p), _number(q), _number(x.gain))
            for role, x in o.judged.items()
        ], words=True)  # fmt: skip
    if c.notes:
        page.text(c.notes)
    page.heading("Rules that carry it")
    if c.rules:
        page.table(("rule", "operating point"), [(r, operating.get(r, "not looked at")) for r in c.rules], words=True)
    else:
        page.text("None that the claim names: its mechanism is not written as rules.")
    page.heading("Arms")
    page.table(("arm", "changes"), _changes(c), words=True)
    names = [called(w) for w in (c.state.what, c.function.what, *c.also)]
    if o.values:
        page.heading("Every run")
        page.table(("arm", "seed", *names, "run"), [
            (arm, s + 1, *(f"{row[s].value:.4g}" for row in rows), o.keys.get(arm, ("",) * (s + 1))[s])
            for arm, rows in o.values.items() for s in range(len(rows[0]))
        ], words=True)  # fmt: skip
    page.heading("Provenance")
    known = {"claim file": c.digest, **{k: v for k, v in about.items() if k != "claims"}}
    return page.table(("", ""), known.items(), words=True).html()


def _changes(c: Claim) -> list[tuple[str, str]]:
    every = (("every arm", c.changes), ("control", c.control), ("perturbed", c.perturbed), ("second", c.second),
             *((f"{x:g} ({c.along})", what) for x, what in c.series), ("mechanism off, besides", c.off),
             *c.controls().items())  # fmt: skip
    return [(name, ", ".join(f"{k} = {v}" for k, v in what.items()) or "nothing") for name, what in every
            if what or name == "control"]  # fmt: skip


def _svg(fig: Any) -> str:
    from ..analysis.canvas import close

    text = io.StringIO()
    fig.savefig(text, format="svg", metadata={"Date": None})
    close(fig)
    return text.getvalue()[text.getvalue().index("<svg") :]


def _record(o: Outcome, q: float, predicted: Mapping[str, str], changed: Mapping[str, str]) -> dict[str, Any]:
    def plain(x: Estimate) -> dict[str, Any]:
        return {"value": x.value, "error": x.error, "df": x.df, "n": x.n, "same": x.same, "interval": x.interval()}

    record: dict[str, Any] = {
        "claim": o.claim.id, "verdict": o.verdict, "why": o.why, "error": o.error, "n": o.n, "p": o.p, "q": q,
        "predicted": predicted.get(o.claim.id, ""), "changed": changed.get(o.claim.id, ""),
        "readouts": {
            role: {
                "called": called(x.readout.what), "effect": x.readout.effect, "direction": x.readout.direction,
                "band": x.readout.band, "told": x.told, "control": x.control, "p": x.p, "pairing": x.gain,
                **{k: plain(getattr(x, k)) for k in ("main", "off", "sham", "positive")},
            }
            for role, x in o.judged.items()
        },
        "values": {arm: [[x.value for x in row] for row in rows] for arm, rows in o.values.items()},
        "runs": {k: list(v) for k, v in o.keys.items()},
    }  # fmt: skip
    if o.table is not None:
        t = o.table
        record["table"] = {"factors": t.factors, "readouts": t.readouts, "log2": t.change.tolist(),
                           "sigmas": t.sigmas.tolist(), "heard": t.heard}  # fmt: skip
    return record
