"""What a trial comes to: endpoints of every arm against the control; subgroups, biomarkers, combinations, power."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError
from .cohort import Patient
from .diagnostics import Roc, roc, wilson
from .survival import cox, kaplan_meier, logrank
from .synergy import Synergy, synergy
from .trial_plan import Plan
from .trial_tables import Course, Enrolled, course_of, strata_of

if TYPE_CHECKING:
    import pandas as pd

DRAWS, COURSES = 20, 3000  # of growth within its error: as many as so many courses allow
RESAMPLES = 500
TRIALS = 100  # resampled, for each point of a power curve
SIGNIFICANT = 0.05
WITHIN = (0.05, 0.95)


@dataclass(frozen=True)
class Comparison:
    """An arm against the control: hazard ratio (ratio, low, high), its log-rank p; nan where none can be had, with the
    reason."""

    ratio: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    p: float = math.nan
    why: str = ""


@dataclass
class TrialResult:
    """A trial that was followed: who took part, their courses, and what they come to.

    courses    (patient, arm) -> course     excluded   (patient, arm, why) of those that could not be followed
    patients, visits, arms   the tables
    """

    plan: Plan
    enrolled: Enrolled
    folder: Path
    courses: Mapping[tuple[int, str], Course]
    excluded: Sequence[tuple[int, str, str]]
    who: Mapping[int, Patient] = field(repr=False)

    @classmethod
    def of(cls, plan: Plan, enrolled: Enrolled, folder: Path) -> TrialResult:
        """Work out the course of everybody who takes part."""
        who = {p.number: p for p in plan.enrolled()}
        courses, excluded = {}, [(k, "", why) for k, why in enrolled.failed.items()]
        for k in dict.fromkeys(enrolled.numbers):
            for arm in plan.arms:
                said = enrolled.found[k]["arms"].get(arm.name)
                if said is None or said["error"]:
                    excluded.append((k, arm.name, said["error"] if said else "not followed yet"))
                    continue
                try:
                    courses[k, arm.name] = course_of(plan, who[k], arm.name, said)
                except (InputError, ModelError) as error:
                    excluded.append((k, arm.name, error.problems[0].message))
        if not courses:
            first = next((why for *_, why in excluded), "")
            raise InputError("arms", f"nobody could be followed in any arm: {first}")
        return cls(plan, enrolled, folder, courses, excluded, who)

    def of_arm(self, arm: str) -> list[Course]:
        """Courses of an arm, one for everybody who takes part (as often as the weights say)."""
        return [self.courses[k, arm] for k in self.enrolled.numbers if (k, arm) in self.courses]

    def times(self, arm: str, end: str = "progression") -> tuple[np.ndarray, np.ndarray]:
        """Days and events (1, or 0 where somebody was lost) of an endpoint: progression or survival."""
        given = [getattr(c, end) for c in self.of_arm(arm)]
        return np.array([t for t, _ in given], float), np.array([float(e) for _, e in given])

    def stratum(self, number: int) -> str:
        """Of a patient."""
        return strata_of(self.plan, self.who[number], self.enrolled.values[number])

    def compared(self, arm: str, end: str = "progression", among: Sequence[int] | None = None) -> Comparison:
        """An arm against the control, within strata; among some patients, or all."""
        chosen = [c for a in (arm, self.plan.control) for c in self.of_arm(a) if among is None or c.number in among]
        return compare(
            [getattr(c, end) for c in chosen], [c.arm == arm for c in chosen],
            [self.stratum(c.number) for c in chosen] if self.plan.stratify else None,
        )  # fmt: skip

    @property
    def patients(self) -> pd.DataFrame:
        """One row for each virtual patient: numbers, read-outs, fate, and whether it takes part."""
        import pandas as pd

        e, rows = self.enrolled, []
        for k, p in self.who.items():
            fate = self.plan.fate(p)
            why = (
                "screened out" if k in e.screened else "failed" if k in e.failed else "absent" if k in e.absent else ""
            )
            row: dict[str, Any] = {
                "patient": k,
                "seed": p.seed,
                "archetype": p.archetype,
                "enrolled": e.numbers.count(k),
            }
            row |= {"why_not": why or ("" if k in e.numbers else "not drawn"), "lesions": len(fate.diameters)}
            row |= {"baseline_mm": sum(fate.diameters), **p.values}
            row |= e.values.get(k, {})
            if self.plan.stratify and k in e.values:
                row["stratum"] = self.stratum(k)
            rows.append(row)
        return pd.DataFrame(rows)

    @property
    def visits(self) -> pd.DataFrame:
        """One row for each visit: sum of diameters (mm), its change (%) with the 95 % interval of what growth leaves
        open, volume (cm^3), response, and whether growth was read or extrapolated."""
        import pandas as pd

        rows = []
        for c in self.courses.values():
            responses = ("", *c.found.responses)
            for k, day in enumerate(c.days):
                rows.append((c.arm, c.number, day, c.sums[k], c.change[k], c.low[k], c.high[k], c.volume[k],
                             responses[k], "read" if day <= c.read_until + 1e-9 else "extrapolated"))  # fmt: skip
        names = ["arm", "patient", "day", "sum_mm", "change", "change_low", "change_high", "volume_cm3", "response",
                 "growth"]  # fmt: skip
        order = {a.name: k for k, a in enumerate(self.plan.arms)}
        return pd.DataFrame(sorted(rows, key=lambda r: (order[r[0]], r[1], r[2])), columns=names)

    @property
    def arms(self) -> pd.DataFrame:
        """One row for each arm: what was given, how many were followed, and every endpoint against the control."""
        import pandas as pd

        return pd.DataFrame([self._arm(a.name, (*a.words, *a.changes)) for a in self.plan.arms])

    def _arm(self, arm: str, words: Sequence[str]) -> dict[str, Any]:
        found = self.of_arm(arm)
        row: dict[str, Any] = {"arm": arm, "doses": "; ".join(words), "patients": len(found)}
        row["excluded"] = sum(a == arm for _, a, _ in self.excluded)
        if not found:
            return row
        asked = self.plan.endpoints
        if "volume" in asked:
            best = np.array([c.found.best_change for c in found])
            row["best_change"] = float(np.nanmean(best)) if np.isfinite(best).any() else math.nan
            row["volume_ratio"] = float(np.median([c.ratio for c in found]))
        if "response" in asked:
            yes = sum(c.found.responder for c in found)
            row["responders"] = yes
            row |= dict(zip(("response", "response_low", "response_high"), wilson(yes, len(found))))
            row["disease_control"] = sum(c.found.best in ("CR", "PR", "SD") for c in found) / len(found)
        for end in ("progression", "survival"):
            if end not in asked:
                continue
            km = kaplan_meier(*self.times(arm, end))
            row |= dict(zip((f"{end}_median", f"{end}_low", f"{end}_high"), km.median))
            if arm != self.plan.control:
                c = self.compared(arm, end)
                row |= dict(zip((f"{end}_hazard", f"{end}_hazard_low", f"{end}_hazard_high"), c.ratio))
                row |= {f"{end}_p": c.p}
        for name in self.plan.read:
            if name in asked:
                row[name] = float(np.mean([c.reads[name] for c in found]))
        return row

    def drawn(self, arm: str) -> dict[str, tuple[float, float]]:
        """Response rate and hazard ratio of progression, 5 and 95 % over draws of every patch's growth within its
        error: what counting and extrapolation leave open, beside the chance of who takes part."""
        count = min(DRAWS, COURSES // max(1, 2 * len(self.enrolled.numbers)))
        rates, ratios = [], []
        for d in range(count):
            mine, theirs = (self._redrawn(a, d) for a in (arm, self.plan.control))
            rates.append(sum(c.found.responder for c in mine) / len(mine))
            both = [*mine, *theirs]
            ratios.append(compare([c.progression for c in both], [c.arm == arm for c in both]).ratio[0])
        ok = [r for r in ratios if math.isfinite(r)]
        out = {"response": tuple(np.quantile(rates, WITHIN))} if rates else {}
        return out | ({"hazard": tuple(np.quantile(ok, WITHIN))} if len(ok) > count // 2 else {})

    def _redrawn(self, arm: str, draw: int) -> list[Course]:
        place = [a.name for a in self.plan.arms].index(arm)
        out = []
        for k in self.enrolled.numbers:
            if (k, arm) in self.courses:
                off = np.random.default_rng((self.plan.cohort.seed, k, place, draw)).standard_normal(16)
                out.append(course_of(self.plan, self.who[k], arm, self.enrolled.found[k]["arms"][arm], off.tolist()))
        return out

    def subgroups(self, arm: str) -> list[tuple[str, tuple[float, float, float], int]]:
        """Hazard ratios of progression: all, each archetype and stratum, and halves by each biomarker."""
        numbers = [k for k in self.enrolled.numbers if (k, arm) in self.courses]
        groups: dict[str, set[int]] = {"all": set(numbers)}
        for k in numbers:
            groups.setdefault(f"archetype {self.who[k].archetype}", set()).add(k)
            if self.plan.stratify:
                groups.setdefault(self.stratum(k), set()).add(k)
        for name in self.plan.biomarkers:
            x = {k: self.enrolled.values[k][name] for k in numbers}
            middle = float(np.nanmedian(list(x.values())))
            groups[f"{name} above {middle:.3g}"] = {k for k in numbers if x[k] > middle}
            groups[f"{name} up to {middle:.3g}"] = {k for k in numbers if x[k] <= middle}
        rows, seen = [], list[set[int]]()
        for name, own in groups.items():
            if own in seen:
                continue
            seen.append(own)
            c = self.compared(arm, among=sorted(own))
            if math.isfinite(c.ratio[0]):
                rows.append((name, c.ratio, sum(k in own for k in numbers)))
        return rows

    def markers(self, arm: str) -> dict[str, Roc]:
        """How well each biomarker at the baseline tells responders of an arm; a marker that is lower in responders is
        turned round, and says so."""
        found = self.of_arm(arm)
        responded = [float(c.found.responder) for c in found]
        out = {}
        for name in self.plan.biomarkers:
            x = np.array([self.enrolled.values[c.number][name] for c in found])
            try:
                curve = roc(x, responded)
            except InputError:  # nobody responds, all do, or a value could not be read
                continue
            out[name if curve.area[0] >= 0.5 else f"{name}, low"] = (
                curve if curve.area[0] >= 0.5 else roc(-x, responded)
            )
        return out

    def combinations(self) -> list[tuple[str, str, str, dict[str, tuple[float, float, float]]]]:
        """(one, other, both, {bliss, hsa: excess with its interval}) for every arm that gives what two others give. The
        effect is what is missing of the control's volume at the end of the patch; the bootstrap draws patients."""
        words = {a.name: sorted(a.words) for a in self.plan.arms if a.words and not a.set}
        out = []
        for both, said in words.items():
            for one in words:
                for other in list(words)[list(words).index(one) + 1 :]:
                    if both not in (one, other) and said == sorted(words[one] + words[other]):
                        out.append((one, other, both, self._excess(one, other, both)))
        return out

    def _excess(self, one: str, other: str, both: str) -> dict[str, tuple[float, float, float]]:
        names = (one, other, both)
        rows = [[self._effect(k, a) for a in names] for k in self.enrolled.numbers]
        effects = np.array([r for r in rows if all(map(math.isfinite, r))])
        if len(effects) < 2:
            return {}
        random = np.random.default_rng(1)
        means = [effects.mean(0)] + [
            effects[random.integers(0, len(effects), len(effects))].mean(0) for _ in range(RESAMPLES)
        ]
        a, b, c = np.array(means).T
        found = {"bliss": c - (a + b - a * b), "hsa": c - np.maximum(a, b)}
        return {k: (float(v[0]), *map(float, np.quantile(v[1:], (0.025, 0.975)))) for k, v in found.items()}  # type: ignore[misc]

    def _effect(self, number: int, arm: str) -> float:
        if (number, arm) not in self.courses or (number, self.plan.control) not in self.courses:
            return math.nan
        return max(1.0 - self.courses[number, arm].ratio / self.courses[number, self.plan.control].ratio, -0.5)

    def grid(self) -> Synergy | None:
        """Bliss, HSA and Loewe where arms with `levels` form a grid of two drugs' doses; None where they do not."""
        import pandas as pd

        levels = [a for a in self.plan.arms if len(a.levels) == 2]
        names = {tuple(sorted(a.levels)) for a in levels}
        if len(names) != 1:
            return None
        (a, b), *_ = names
        rows = [
            (k, arm.levels[a], arm.levels[b], self._effect(k, arm.name))
            for arm in levels
            for k in set(self.enrolled.numbers)
        ]
        table = pd.DataFrame(rows, columns=["seed", a, b, "effect"])
        lacking = table.loc[table["effect"].isna(), "seed"].unique()
        try:
            return synergy(table[~table["seed"].isin(lacking)], a, b, "effect")
        except InputError:
            return None

    def power(self, arm: str, sizes: Sequence[int]) -> list[tuple[float, float, float]]:
        """The share of trials of each size (patients per arm, drawn from those of this trial) whose log-rank test of
        progression finds the arm better, with its interval."""
        mine, theirs = (list(zip(*self.times(a))) for a in (arm, self.plan.control))
        random = np.random.default_rng(1)
        out = []
        for n in sizes:
            shown = 0
            for _ in range(TRIALS):
                chosen = [mine[i] for i in random.integers(0, len(mine), n)]
                against = [theirs[i] for i in random.integers(0, len(theirs), n)]
                t, e = np.array([*chosen, *against]).T
                test = logrank(t, e, [1] * n + [0] * n) if e.any() else None
                shown += test is not None and test.p < SIGNIFICANT and test.observed[1] < test.expected[1]
            out.append(wilson(shown, TRIALS))
        return out


def compare(
    given: Sequence[tuple[float, bool]], treated: Sequence[bool], strata: Sequence[str] | None = None
) -> Comparison:
    """Hazard ratio of the treated, and the log-rank test; both within strata.

    >>> times = [(3.0, True), (5.0, True), (4.0, True), (9.0, True), (7.0, False), (8.0, True)]
    >>> found = compare(times, [False, False, False, True, True, True])
    >>> found.p < 0.05, found.why[:27]
    (True, 'it separates events complet')
    """
    t, e = np.array([x for x, _ in given], float), np.array([float(y) for _, y in given])
    x = np.array(treated, float)
    if len(set(treated)) < 2 or not e.any():
        return Comparison(why="no events" if len(set(treated)) > 1 else "nobody to compare with")
    test = logrank(t, e, list(x), strata)
    try:
        fit = cox(t, e, {"treated": x}, strata)
    except InputError as error:
        return Comparison(p=test.p, why=error.problem.message)
    return Comparison(fit.hazard_ratio(), test.p)
