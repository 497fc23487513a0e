"""The page of a trial, and its tables: what was asked, who took part, arms, endpoints, who is missing, provenance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..analysis import trial_curves, trial_plots
from ..analysis.canvas import axes, close, picture, styled
from ..analysis.page import Page
from ..analysis.trial_plots import ARMS
from ..run.identity import sources
from ..writing import write_text
from .survival import kaplan_meier
from .trial_plan import DAY
from .trial_results import Comparison, TrialResult

MOST_COURSES = 40  # in a swimmer's plot
REPEATS = 100  # of a visual predictive check
SIZES = (5, 10, 20, 40, 80, 160)
ENDS = {"progression": "progression-free survival", "survival": "overall survival (proxy)"}
HEADS = 60  # rows of tables on the page


def write(results: TrialResult) -> Path:
    """Write patients.csv, visits.csv, arms.csv and trial.html into the trial's folder; returns the path of the page."""
    tables = {name: getattr(results, name) for name in ("patients", "visits", "arms")}
    texts = {f"{name}.csv": table.to_csv(index=False, float_format="%.6g") for name, table in tables.items()}
    for name, text in texts.items():
        write_text(results.folder / name, text)
    page = Page(results.plan.title)
    _asked(page, results)
    _patients(page, results)
    _arms(page, results, tables["arms"])
    for end in ENDS:
        if end in results.plan.endpoints:
            _survival(page, results, end)
    _sizes(page, results)
    _subgroups(page, results)
    _combinations(page, results)
    _power(page, results)
    _missing(page, results)
    page.heading("Tables")
    for name, text in texts.items():
        page.download(name, text)
    _provenance(page, results)
    return page.write(results.folder / "trial.html")


def _asked(page: Page, results: TrialResult) -> None:
    p = results.plan
    ends = p.ends
    page.text(
        f"{p.patients} virtual patients, each in {len(p.arms)} arms; the control is {p.control}. A patch of each tumor "
        f"grows for {_days(p.grow / DAY)} before the baseline (day 0 of doses and visits) and is followed for "
        f"{_days(p.until / DAY)}; its lesions follow V' = g V, g divisions less deaths per {' or '.join(p.tumor)} "
        "cell. Later g goes on as in the last week that was read, with an error that grows. Patients are visited "
        f"{len(p.visits) - 1} times in {_days(p.follow)}."
    )
    page.text(
        "Responses are RECIST 1.1 with confirmation. Survival is a proxy: a patient dies on the day on which all "
        f"lesions together reach a volume drawn for it (assumed: {_said(ends.burden)}), and of nothing else. "
        + (f"New lesions appear at {ends.new:.3g} per year and baseline volume (assumed). " if ends.new else "")
        + (f"A share of {ends.drop_out:.3g} is lost before the end of follow-up. " if ends.drop_out else "")
        + "Every patient has the same numbers, lesions, chance and losses in every arm; groups are compared as if they "
        "were of different patients, so intervals are those of a real trial of this size."
    )


def _days(days: float) -> str:
    return f"{days:.4g} day{'s' if days != 1 else ''}" if days >= 1.0 else f"{24 * days:.3g} h"


def _said(d: Any) -> str:
    return f"{d.kind} {'..'.join(f'{x:g}' for x in d.ends)} {d.unit}" if not d.kind.endswith("normal") else (
        f"{d.kind} {d.ends[0]:g} {d.unit} sd {d.ends[1]:g}"
    )  # fmt: skip


def _patients(page: Page, results: TrialResult) -> None:
    e, plan = results.enrolled, results.plan
    page.heading("Patients")
    rows: list[tuple[str, Any]] = [("virtual patients", plan.patients), ("not followed yet", len(e.absent))]
    rows += [("failed", len(e.failed)), ("screened out", len(e.screened))]
    rows += [(f"refused by {text}", n) for text, n in e.refused.items()]
    if e.weighted is not None:
        rows += [("effective sample size", f"{e.weighted.size:.1f}")]
        rows += [("worst marginal distance", f"{e.weighted.worst:.3f}")]
        rows += [(name, f"{said:.4g} (wanted {want:.4g})") for name, (want, said) in e.weighted.told.items()]
        rows += [(f"{name}, held out", f"{said:.4g}") for name, (_, said) in e.weighted.held_out.items()]
    rows += [("take part", len(e.numbers))]
    kinds = [results.who[k].archetype for k in e.numbers]
    rows += [(f"of archetype {k}", kinds.count(k)) for k in dict.fromkeys(kinds) if len(set(kinds)) > 1]
    page.table(["", "patients"], rows)
    if e.weighted is not None:
        page.text("Those who take part are drawn by their weights, as many as weigh in effect.")


def _arms(page: Page, results: TrialResult, table: Any) -> None:
    page.heading("Arms")
    given = [(a.name, "; ".join((*a.words, *a.changes)) or "nothing") for a in results.plan.arms]
    page.table(["arm", "what is given; days count from the baseline"], given, True)
    heads, rows = ["arm", "patients"], [[r["arm"], r["patients"]] for _, r in table.iterrows()]

    def column(head: str, cells: Iterable[str]) -> None:
        heads.append(head)
        for row, cell in zip(rows, cells):
            row.append(cell)

    every = [r for _, r in table.iterrows()]
    if "response" in results.plan.endpoints:
        column("response rate (95 %)", (_three(r, "response", "response_low", "response_high") for r in every))
    if "volume" in results.plan.endpoints:
        column("best change, mean %", (_number(r.get("best_change")) for r in every))
        column("volume after the patch, median ratio", (_number(r.get("volume_ratio")) for r in every))
    for end in ENDS:
        if end in results.plan.endpoints:
            column(
                f"{end}, median days (95 %)", (_three(r, f"{end}_median", f"{end}_low", f"{end}_high") for r in every)
            )
            column(
                "hazard ratio (95 %)", (_three(r, *(f"{end}_hazard{x}" for x in ("", "_low", "_high"))) for r in every)
            )
            column("log-rank p", (_number(r.get(f"{end}_p")) for r in every))
    for name in results.plan.read:
        if name in results.plan.endpoints:
            column(f"{name}, mean", (_number(r.get(name)) for r in every))
    page.table(heads, rows)
    for arm in results.plan.treated:
        if not results.of_arm(arm.name):
            continue
        said = results.drawn(arm.name)
        words = [f"{name} {low:.2f} to {high:.2f}" for name, (low, high) in
                 ((n.replace("hazard", "hazard ratio of progression").replace("response", "response rate"), v)
                  for n, v in said.items())]  # fmt: skip
        if words:
            page.text(f"{arm.name}: {'; '.join(words)} (5 to 95 %) as growth may be within its error.")


def _number(x: Any) -> str:
    return (
        "" if x is None or (isinstance(x, float) and math.isnan(x)) else "not reached" if math.isinf(x) else f"{x:.3g}"
    )


def _three(row: Any, *names: str) -> str:
    a, b, c = (_number(row.get(n)) for n in names)
    return f"{a} ({b} to {c})" if a and b else a


def _survival(page: Page, results: TrialResult, end: str) -> None:
    found = [a.name for a in results.plan.arms if results.of_arm(a.name)]
    curves = [kaplan_meier(*results.times(a, end), name=a) for a in found]
    said = [
        f"{a.name}: {_ratio(results.compared(a.name, end))}" for a in results.plan.treated if results.of_arm(a.name)
    ]
    page.heading(ENDS[end].capitalize())
    page.pictures([(_png(trial_plots.kaplan_meier(curves, title=ENDS[end], said="\n".join(said))),
                    f"Kaplan-Meier with 95 % bands; hazard ratios against {results.plan.control}.", True)])  # fmt: skip


def _ratio(c: Comparison) -> str:
    ratio, low, high = c.ratio
    p = f", p {c.p:.2g}" if math.isfinite(c.p) else ""
    return f"HR {ratio:.2f} ({low:.2f} to {high:.2f}){p}" if math.isfinite(ratio) else f"no hazard ratio{p}"


def _sizes(page: Page, results: TrialResult) -> None:
    page.heading("Size of lesions")
    said = (
        "Volume of all lesions of those who are followed; lines are medians, bands hold 90 % of the patients; behind "
    )
    page.pictures([(_png(volumes(results)), f"{said}the dotted line growth is extrapolated.", True)])
    for arm in results.plan.arms:
        found = results.of_arm(arm.name)
        if not found:
            continue
        best = [c.found.best for c in found]
        shown = [
            (_png(trial_plots.waterfall([c.found.best_change for c in found], best, title=f"{arm.name}: best change")),
             f"{arm.name}: best change of the sum of diameters before progression."),
            (_png(trial_plots.spider([c.days for c in found], [c.change for c in found], best, title=arm.name)),
             f"{arm.name}: the sum of diameters at visits, whatever comes after progression included."),
            (_png(trial_plots.swimmer([_swum(c) for c in found[:MOST_COURSES]], title=arm.name)),
             f"{arm.name}: {min(len(found), MOST_COURSES)} of {len(found)} patients."),
        ]  # fmt: skip
        page.pictures(shown)
    if results.plan.observed:
        page.pictures((_png(_vpc(results, a.name)), f"{a.name}: what was observed over the trial's patients.")
                      for a in results.plan.arms if results.of_arm(a.name))  # fmt: skip


def _swum(c: Any) -> dict[str, Any]:
    first = next((d for d, r in zip(c.days[1:], c.found.responses) if r in ("CR", "PR")), None)
    return {
        "name": str(c.number), "until": max(c.survival[0], 1e-9), "best": c.found.best,
        "progression": c.found.progression, "response": first if c.found.responder else None,
        "death": c.survival[0] if c.survival[1] else None,
    }  # fmt: skip


@styled
def volumes(results: TrialResult, ax: Any = None) -> Any:
    """Volume of all lesions at the visits: median and 90 % of the patients of every arm."""
    ax = axes(ax, (5.6, 3.4))
    for k, arm in enumerate(results.plan.arms):
        found = results.of_arm(arm.name)
        days = [d for d in results.plan.visits if any(d in c.days for c in found)]
        many = [[c.volume[c.days.index(d)] for c in found if d in c.days] for d in days]
        if not days:
            continue
        low, mid, high = np.array([np.quantile(v, (0.05, 0.5, 0.95)) for v in many]).T
        color = ARMS[k % len(ARMS)]
        ax.fill_between(days, low, high, color=color, alpha=0.13, lw=0)
        ax.plot(days, mid, color=color, ls=("-", "--", "-.", ":")[k % 4], marker="os^D"[k % 4], ms=3.5, lw=1.6,
                label=arm.name)  # fmt: skip
    ax.axvline(results.plan.until / DAY, color="black", lw=0.9, ls=":")
    ax.set_yscale("log")
    ax.set(xlabel="days from baseline", ylabel="volume of all lesions (cm³)", title="volume")
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _vpc(results: TrialResult, arm: str) -> Any:
    import pandas as pd

    table = pd.read_csv(results.plan.observed)
    table = table[table["arm"] == arm] if "arm" in table and (table["arm"] == arm).any() else table
    courses = [c for c in results.of_arm(arm) if len(c.days) > 1]
    own = table["patient"].astype(str) if "patient" in table else pd.Series(range(len(table))).astype(str)
    names = {n: k for k, n in enumerate(dict.fromkeys(own))}
    random = np.random.default_rng(1)
    day, simulated = table["day"].to_numpy(float), []
    for _ in range(REPEATS):
        chosen = random.integers(0, len(courses), len(names))
        simulated.append([
            float(np.interp(t, courses[chosen[names[n]]].days, courses[chosen[names[n]]].change))
            for t, n in zip(day, own)
        ])  # fmt: skip
    name = "change from baseline (%)"
    return trial_curves.vpc(day, table["change"].to_numpy(float), np.array(simulated), name=name)


def _subgroups(page: Page, results: TrialResult) -> None:
    shown: list[Any] = []
    for arm in results.plan.treated:
        rows = results.subgroups(arm.name) if "progression" in results.plan.endpoints else []
        if len(rows) > 1:
            better = [f"for {a}" for a in (arm.name, results.plan.control)]
            drawn = trial_plots.forest(rows, less=better[0], more=better[1], title=f"{arm.name}: by subgroup")
            shown.append((_png(drawn), f"{arm.name}: hazard ratios of progression.", True))
        markers = results.markers(arm.name)
        if markers:
            shown.append((_png(trial_curves.roc(markers, title=f"{arm.name}: who responds?")),
                          f"{arm.name}: read-outs at the baseline as biomarkers of response."))  # fmt: skip
    if shown:
        page.heading("Subgroups and biomarkers").pictures(shown)


def _combinations(page: Page, results: TrialResult) -> None:
    found, grid = results.combinations(), results.grid()
    if found or grid is not None:
        page.heading("Combinations")
        page.text("The effect is the share of the control's volume that is missing at the end of the patch; an excess "
                  "above 0 is more than expected. Intervals (95 %) are over patients.")  # fmt: skip
    if found:
        rows = [
            (f"{both} ({one} + {other})", *(_interval(excess.get(m)) for m in ("bliss", "hsa")))
            for one, other, both, excess in found
        ]
        page.table(["combination", "beyond Bliss", "beyond the better one (HSA)"], rows)
        if grid is None:
            page.text(
                "Loewe's expectation needs several doses of each: arms with  levels: {A: 1, B: 0}  that form a grid."
            )
    if grid is not None:
        page.pictures([(_png(trial_curves.synergy_map(grid)), "Excess of every pair of doses.", True)])


def _interval(x: tuple[float, float, float] | None) -> str:
    return "" if x is None else f"{x[0]:+.2f} ({x[1]:+.2f} to {x[2]:+.2f})"


def _power(page: Page, results: TrialResult) -> None:
    if "progression" not in results.plan.endpoints:
        return
    shares = {
        a.name: results.power(a.name, SIZES)
        for a in results.plan.treated
        if results.of_arm(a.name) and results.of_arm(results.plan.control)
    }
    if shares:
        page.heading("Power")
        said = "Share of trials, their patients drawn from these arms, whose log-rank test of progression finds the arm"
        page.pictures([(_png(trial_curves.power(SIZES, shares)), f"{said} better (two-sided 0.05).")])


def _missing(page: Page, results: TrialResult) -> None:
    if results.excluded:
        page.heading("Who is missing, and why")
        page.text(f"{len(results.excluded)} courses could not be followed; the others are reported without them.")
        page.table(["patient", "arm", "why"], results.excluded[:HEADS], True)
    stopped = [c for c in results.courses.values() if c.stopped]
    if stopped:
        page.text(f"In {len(stopped)} courses reading ended before the patch did, for want of tumor cells: growth is "
                  "extrapolated from there.")  # fmt: skip


def _provenance(page: Page, results: TrialResult) -> None:
    page.heading("Provenance")
    plan = results.plan
    rows = [
        ("oncarium", __version__),
        ("sources of the package", sources()[:16]),
        ("seed of the cohort", plan.cohort.seed),
    ]
    rows += [(f"model {Path(name).name}", digest[:16]) for name, digest in plan.bases.items()]
    page.table(["", ""], rows, True)
    lines = [
        f"{k:>6}  {arm:<20} {run['run']}  {run['digest'][:16]}"
        for k in dict.fromkeys(results.enrolled.numbers)
        for arm, said in results.enrolled.found[k]["arms"].items()
        for run in said["runs"]
    ]
    page.folded("Runs: patient, arm, folder below arms, digest of the result", "\n".join(lines))
    if plan.text:
        page.folded("The trial's file", plan.text)


def _png(drawn: Any) -> bytes:
    figure = getattr(drawn, "figure", None) or drawn
    png = picture(figure, 150)
    close(figure)
    return png
