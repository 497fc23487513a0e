"""Results: several runs that belong together, by arm and seed, read lazily."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError, did_you_mean
from ..units import bare, say_time
from ..writing import write_text
from . import words
from .api import STORE
from .result import Result
from .series import as_numbers, check_series, quantiles, units_of

if TYPE_CHECKING:
    import pandas

FILE = "study.json"
FORMAT = "oncarium-study-1"


@dataclass(frozen=True)
class Run:
    """One run of several: its arm, its seed, where it lies, what decides its outcome, and why it failed, if it did."""

    arm: str
    seed: int
    path: Path
    key: str = ""
    error: str = ""


@dataclass(frozen=True)
class Arm:
    """What runs of one arm share: its name, what was set (dotted path -> text), and the digest of its model."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


class Results:
    """Several runs, such as replicates, a sweep, or models side by side.

    arms      names, in order             paths     dotted paths that were set differently
    seeds     of all runs, in order       folder    where they lie together, if they do; `page`: their page there

    A run that has left nothing yet is in `table` and nowhere else.

    >>> import oncarium as oc
    >>> results = oc.repeat(oc.Model.from_text(oc.EXAMPLE), seeds=2, until="2 h", out="runs/twice", workers=1)
    >>> results.seeds, len(results), results[0].types
    ([1, 2], 2, ('tumor',))
    >>> results.bands("live.tumor").columns.tolist()
    ['arm', 'time', 'median', 'low', 'high', 'n']
    """

    def __init__(self, title: str, arms: Sequence[Arm], runs: Sequence[Run], folder: Path | None = None,
                 design: Mapping[str, Any] | None = None):  # fmt: skip
        self.title, self.folder = title, folder
        self._arms, self.runs = {a.name: a for a in arms}, tuple(runs)
        self.design: dict[str, Any] = dict(design or {})
        self._opened: dict[Path, Result] = {}

    # -- what they are ----------------------------------------------------------------------------------------------

    @property
    def arms(self) -> list[str]:
        """Names of the arms, in order."""
        return list(self._arms)

    @property
    def paths(self) -> list[str]:
        """Dotted paths that arms set."""
        return list(dict.fromkeys(path for arm in self._arms.values() for path in arm.settings))

    @property
    def seeds(self) -> list[int]:
        """Seeds of all runs, in order."""
        return list(dict.fromkeys(run.seed for run in self.runs))

    @property
    def kind(self) -> str:
        """repeat, sweep, compare, branch or treat."""
        return str(self.design.get("kind", "compare"))

    @property
    def page(self) -> Path | None:
        """Their page, where it was written."""
        pages = [] if self.folder is None else [self.folder / f"{name}.html" for name in ("treat", "compare", "report")]
        return next((page for page in pages if page.exists()), None)

    def settings(self, arm: str) -> Mapping[str, str]:
        """What an arm sets, dotted path -> text. Raises InputError."""
        if arm not in self._arms:
            raise InputError("arm", f"no arm is called '{arm}'.{did_you_mean(arm, self.arms)}",
                             f"Arms: {', '.join(self.arms[:20])}.")  # fmt: skip
        return self._arms[arm].settings

    def label(self, arm: str) -> str:
        """An arm in words: its name, or what it sets in a sweep."""
        said = self.settings(arm)
        if self.kind != "sweep" or not said:
            return arm
        return ", ".join(f"{self.short(path)} {bare(value)}" for path, value in said.items())

    def short(self, path: str) -> str:
        """The last words of a path that tell it from the others."""
        parts = path.split(".")
        for n in range(2, len(parts)):
            tail = ".".join(parts[-n:])
            if sum(p == path or p.endswith(f".{tail}") for p in self.paths) == 1:
                return tail
        return path

    # -- the runs ---------------------------------------------------------------------------------------------------

    def of(self, arm: str) -> Results:
        """The runs of one arm. Raises InputError."""
        self.settings(arm)
        runs = [run for run in self.runs if run.arm == arm]
        out = Results(self.title, [self._arms[arm]], runs, self.folder, self.design)
        out._opened = self._opened
        return out

    def open(self, run: Run) -> Result | None:
        """A run's result; None where it has left nothing yet."""
        return self.open_path(run.path)

    def open_path(self, path: Path) -> Result | None:
        """The result that lies in a folder; None where nothing does yet."""
        if path not in self._opened:
            try:
                store = path / STORE
                self._opened[path] = Result.open(store if store.exists() else path)
            except DataError:
                return None
        return self._opened[path]

    @cached_property
    def there(self) -> list[tuple[Run, Result]]:
        """Runs that have left something, each with its result."""
        return [(run, result) for run in self.runs if (result := self.open(run)) is not None]

    def __iter__(self) -> Iterator[Result]:
        return (result for _, result in self.there)

    def __len__(self) -> int:
        return len(self.there)

    def __getitem__(self, which: int | str | tuple[str, int]) -> Result:
        """A result by its number, by its arm where that has one run, or by (arm, seed). Raises InputError."""
        if isinstance(which, int):
            return self.there[which][1]
        arm, seed = which if isinstance(which, tuple) else (which, None)
        found = [result for run, result in self.of(arm).there if seed is None or run.seed == seed]
        if len(found) == 1:
            return found[0]
        if not found:
            raise InputError(f"{arm}, seed {seed}" if seed is not None else arm, "no such run has left anything.")
        raise InputError(
            arm,
            f"this arm has {len(found)} runs.",
            remedy=f"Take results.of('{arm}'), or one by its seed: results['{arm}', {self.seeds[0]}].",
        )

    def first(self) -> Result:
        """The first result. Raises DataError where there is none."""
        if not self.there:
            errors = [run.error for run in self.runs if run.error]
            raise DataError(
                str(self.folder or self.title), f"no run has left anything{': ' + errors[0] if errors else ''}."
            )
        return self.there[0][1]

    def only(self) -> Result:
        """The one result there is. Raises InputError where there are several."""
        if len(self.runs) == 1:
            return self.first()
        example = f", such as {self.runs[0].path}." if self.runs else "."
        raise InputError(str(self.folder or self.title), f"{len(self.runs)} runs lie here;", f"expected one{example}")

    # -- tables -----------------------------------------------------------------------------------------------------

    @cached_property
    def table(self) -> pandas.DataFrame:
        """One row per run: arm, what was set (a number where it is one, its unit in attrs["units"]), seed, time
        reached (min), finished, stopped (the rule), folder, error."""
        import pandas as pd

        rows: dict[str, list[Any]] = {"arm": [run.arm for run in self.runs]}
        units = {}
        for path in self.paths:
            texts = {arm: self._arms[arm].settings.get(path) for arm in self.arms}
            values, units[path] = as_numbers(texts)
            rows[path] = [values[run.arm] for run in self.runs]
        results = [self.open(run) for run in self.runs]
        rows["seed"] = [run.seed for run in self.runs]
        rows["time"] = [float(r.times[-1]) if r else np.nan for r in results]
        rows["finished"] = [bool(r and r.finished) for r in results]
        rows["stopped"] = [r.stopped if r else "" for r in results]
        rows["folder"] = [str(run.path) for run in self.runs]
        rows["error"] = [run.error for run in self.runs]
        out = pd.DataFrame(rows)
        out.attrs["units"] = units
        return out

    def curves(self, names: Sequence[str] | None = None) -> pandas.DataFrame:
        """The summaries of all runs in long form: arm, what was set, seed, time (min), quantity, unit, value."""
        import pandas as pd

        keys = [k for k in ("arm", *self.paths, "seed")]
        parts = []
        for row, run in zip(self.table[keys].itertuples(index=False, name=None), self.runs):
            result = self.open(run)
            if result is None:
                continue
            chosen = self._chosen(result, names)
            units = units_of(result)
            long = chosen.reset_index().melt("time", var_name="quantity", value_name="value")
            long.insert(2, "unit", long["quantity"].map(units))
            for k, (key, value) in enumerate(zip(keys, row)):
                long.insert(k, key, value)
            parts.append(long)
        columns = [*keys, "time", "quantity", "unit", "value"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def _chosen(self, result: Result, names: Sequence[str] | None) -> pandas.DataFrame:
        for name in names or ():
            check_series(result, name)
        return result.summary if names is None else result.summary[list(names)]

    def bands(self, name: str, share: float = 0.9) -> pandas.DataFrame:
        """A series of the summary over time and seeds: arm, time (min), median, and the band that holds this share of
        the seeds (5 to 95 %), n: how many seeds were seen then. Raises InputError.

        Seeds may be seen at other times than others (one that stopped earlier): `n` says how many were."""
        return self.spread({run: check_series(result, name) for run, result in self.there}, share)

    def spread(self, series: Mapping[Run, pandas.Series], share: float = 0.9) -> pandas.DataFrame:
        """Median and band over the seeds of every arm of series over time (min), one per run."""
        import pandas as pd

        if not 0.0 < share <= 1.0:
            raise InputError("share", f"{share} is out of range;", "expected more than 0 and at most 1.")
        parts = []
        for arm in self.arms:
            of = [s for run, s in series.items() if run.arm == arm]
            if not of:
                continue
            wide = pd.concat(of, axis=1).sort_index()
            values = wide.to_numpy(float)
            low, median, high = quantiles(values, (0.5 - share / 2, 0.5, 0.5 + share / 2))
            told = {
                "time": wide.index,
                "median": median,
                "low": low,
                "high": high,
                "n": np.isfinite(values).sum(axis=1),
            }
            parts.append(pd.DataFrame({"arm": arm, **told}))
        columns = ["arm", "time", "median", "low", "high", "n"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    # -- words ------------------------------------------------------------------------------------------------------

    @property
    def head(self) -> str:
        """How many runs of what, in one line."""
        n, left = len(self.runs), len(self.runs) - int(self.table["finished"].sum())
        failed = sum(bool(run.error) for run in self.runs)
        arms = f"{len(self.arms)} arms, " if len(self.arms) > 1 else ""
        seeds = f"{len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}"
        state = f", {failed} failed" if failed else f", {left} not finished" if left else ""
        return f"{self.title}: {n} run{'s' if n > 1 else ''} ({arms}{seeds}){state}"

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        types = list(dict.fromkeys(t for result in self for t in result.types))
        rows = []
        for arm in self.arms:
            of = self.of(arm)
            if not len(of):
                rows.append([self.label(arm), "0", "", *("" for _ in types)])
                continue
            ends = [r.summary.iloc[-1] for r in of]
            cells = []
            for t in types:
                live = np.array([end.get(f"live.{t}", np.nan) for end in ends])
                low, mid, high = quantiles(live[None], (0.05, 0.5, 0.95))[:, 0]
                cells.append(
                    "" if np.isnan(mid) else f"{mid:,.0f}" + (f" ({low:,.0f}-{high:,.0f})" if len(ends) > 1 else "")
                )
            rows.append([self.label(arm), str(len(of)), say_time(max(float(r.times[-1]) for r in of)), *cells])
        return ["arm", "runs", "until", *(f"live {t}" for t in types)], rows

    def __str__(self) -> str:
        heads, rows = self._rows()
        widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
        lines = ["  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths)))
                 for row in [heads, *rows]]  # fmt: skip
        said = "\nlive cells at the end: median (5-95 % of the seeds)" if len(self.seeds) > 1 else ""
        return "\n".join([self.head, *(line.rstrip() for line in lines)]) + said

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        import html

        return f"<p><b>{html.escape(self.head)}</b></p>" + words.table(*self._rows())

    def __repr__(self) -> str:
        return f"<Results {self.head!r}{f', {self.folder}' if self.folder else ''}>"

    # -- on disk ----------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write study.json into the folder: all that is needed to open, go on with, or draw them again."""
        assert self.folder is not None
        told = {
            "format": FORMAT, "title": self.title, "design": self.design,
            "arms": [{"name": a.name, "settings": dict(a.settings), "digest": a.digest} for a in self._arms.values()],
            "runs": [{"arm": r.arm, "seed": r.seed, "folder": relative(r.path, self.folder), "key": r.key,
                      **({"error": r.error} if r.error else {})} for r in self.runs],
        }  # fmt: skip
        write_text(self.folder / FILE, json.dumps(told, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: str | Path) -> Results:
        """The runs that a folder's study.json names, finished or not. Raises DataError."""
        given = Path(folder)
        try:
            told = json.loads((given / FILE).read_text(encoding="utf-8"))
            if told["format"] != FORMAT:
                raise DataError(str(given / FILE), f"its format is {told['format']};", f"this version reads {FORMAT}.")
            arms = [Arm(a["name"], dict(a["settings"]), a["digest"]) for a in told["arms"]]
            runs = [
                Run(r["arm"], int(r["seed"]), given / r["folder"], r["key"], r.get("error", "")) for r in told["runs"]
            ]
            return cls(told["title"], arms, runs, given, told["design"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise DataError(str(given / FILE), "this is no list of runs, or it is damaged.") from None

    @classmethod
    def joined(
        cls,
        title: str,
        given: Mapping[str, Result | Results],
        folder: Path | None = None,
        design: Mapping[str, Any] | None = None,
    ) -> Results:
        """Results and sets of them under names of arms; a set of several arms brings each as an arm."""
        arms, runs, opened = [], [], {}
        for name, what in given.items():
            if isinstance(what, Result):
                arms.append(Arm(name, {}, what.attrs.get("model_digest", "")))
                place = what.path.parent if what.path.name == STORE else what.path
                runs.append(Run(name, what.seed, place))
                opened[place] = what
                continue
            for arm in what._arms.values():
                called = name if len(what.arms) == 1 and not arm.settings else f"{name}: {what.label(arm.name)}"
                arms.append(replace(arm, name=called))
                runs += [replace(run, arm=called) for run in what.runs if run.arm == arm.name]
            opened |= what._opened
        out = cls(title, arms, runs, folder, design or {"kind": "compare"})
        out._opened = opened
        return out


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, with forward slashes; as it is where there is no way."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return str(path.resolve())
