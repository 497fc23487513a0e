"""Which numbers matter: elementary effects (Morris) of uncertain numbers on read-outs, and shares of variance (Sobol).

Trajectories through the space of all numbers change one number at a time, by two thirds of its range; what a read-out
changes by, per range, is an elementary effect. Their mean size (mu*) says how much a number matters, their spread
(sigma) how much that depends on all other numbers. Effects are shares of the read-out's mean. Ranges are those that the
model says of its numbers, unless others are asked for; they are walked in the logarithm, since most span a factor.

Source  Morris 1991, Technometrics 33:161 (DOI 10.1080/00401706.1991.10484804); mu*: Campolongo et al. 2007, Environ
        Model Softw 22:1509 (DOI 10.1016/j.envsoft.2006.10.004); SALib: Herman and Usher 2017, J Open Source Softw 2:97
        (DOI 10.21105/joss.00097).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.readout import complaint, read_out
from ..errors import InputError, ModelError, OncariumError, Problem, did_you_mean
from ..model.files import read
from ..model.library import entry
from ..model.model import Model
from ..model.reader import Reader
from ..run import api
from ..units import ASSUMED
from .ensemble import Task, run_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# a number of a rule, as `oncarium sources` names it
RULE = re.compile(r"cells\.(?P<type>[^:]+): (?P<pair>.+), (?P<part>to|half|hill)")
LEVELS = 4  # values tried of each number
# mean size of an effect where there is nothing but chance, in standard deviations
NOISE = 2.0 / np.sqrt(np.pi) / (LEVELS / (2.0 * (LEVELS - 1.0)))


@dataclass(frozen=True)
class Uncertain:
    """A number to vary: where it stands (several places share one value), from and to (texts with unit; where they are
    empty, the range that the model says of it). A rule's number stands at "cells.tumor: egf on drive.rise, half"."""

    name: str
    paths: tuple[str, ...]
    low: str = ""
    high: str = ""

    def changes(self, share: float) -> dict[str, str]:
        """What the model says at 0 (low) to 1 (high), evenly in the logarithm, or evenly from a low of 0 on.

        >>> Uncertain("rate", ("a.b",), "0.1 1/min", "10 1/min").changes(0.5)
        {'a.b': '1 1/min assumed'}
        """
        return dict.fromkeys(self.paths, f"{self.value(share):.6g} {self.unit} assumed".replace("  ", " "))

    def value(self, share: float) -> float:
        """The number at 0 (low) to 1 (high), in its unit."""
        low, high = (_number(x)[0] for x in (self.low, self.high))
        return low * (high / low) ** share if low > 0.0 else low + (high - low) * share

    @property
    def unit(self) -> str:
        """Of its range."""
        return _number(self.low)[1]

    def of(self, model: Model) -> Uncertain:
        """This number, with the range that the model says of it where it has none. Raises InputError."""
        if self.low:
            return self
        known = {told.path: told.quantity for told in model.sources().numbers}
        found = next((known[p] for p in self.paths if p in known), None)
        if found is None:
            raise InputError(self.paths[0], f"the model has no such number.{did_you_mean(self.paths[0], known)}")
        if found.low is None or found.high is None:
            raise InputError(
                self.paths[0], "the model says no range of this number,", "expected e.g. '2 um assumed 1..4'."
            )
        unit = "" if found.unit == "1" else f" {found.unit}"
        return Uncertain(self.name, self.paths, f"{found.low:.10g}{unit}", f"{found.high:.10g}{unit}")


def _number(text: str) -> tuple[float, str]:
    value, _, unit = text.strip().partition(" ")
    return float(value), unit


def uncertain(path: str | Path | None = None) -> tuple[list[Uncertain], list[dict[str, Any]]]:
    """Numbers and read-outs of a file; the library's when left out. Raises ModelError with everything that is wrong.

    >>> numbers, readouts = uncertain()
    >>> len(numbers), readouts[0]
    (31, {'measure': 'count', 'of': 'carcinoma', 'called': 'tumor cells'})
    """
    file = Path(path) if path else entry("claims", "uncertain")
    document = read(file, file.name)
    reader = Reader(document)
    problems, numbers = reader.problems, read_numbers(reader, document.tree.get("numbers"))
    readouts = reader.listed(document.tree.get("readouts"), "readouts", "read-outs such as {measure: count}.")
    for i, what in enumerate(readouts):
        wrong = complaint(what) if isinstance(what, Mapping) else "expected {measure: ...}."
        if wrong:
            problems.append(Problem(document.where(f"readouts.{i}"), f"readouts.{i}", wrong))
    if problems:
        raise ModelError(problems)
    return numbers, list(readouts)


def read_numbers(reader: Reader, tree: Any) -> list[Uncertain]:
    """Numbers to vary: NAME: {path: where, range: [low, high]}; what is wrong is told to the reader."""
    out = []
    for name, said in reader.group(tree, "numbers").items():
        try:
            low, high = said.get("range", ("", ""))
            if low and (not 0.0 < _number(low)[0] < _number(high)[0] or _number(low)[1] != _number(high)[1]):
                raise ValueError
            paths = [said["path"]] if isinstance(said["path"], str) else said["path"]
            if not all(isinstance(p, str) for p in paths):
                raise ValueError
            out.append(Uncertain(name, tuple(paths), str(low), str(high)))
        except (AttributeError, KeyError, TypeError, ValueError):
            expected = "expected {path: where}, and range: [low, high] with 0 < low < high in one unit."
            reader.complain(f"numbers.{name}", "is no number to vary;", expected)
    return out


def changed(model: Model, changes: Mapping[str, str]) -> Model:
    """The model with other numbers, also in rules; rules that share an end move it together. Raises ModelError.

    >>> from oncarium.model.model import EXAMPLE
    >>> other = changed(Model.from_text(EXAMPLE), {"cells.tumor: oxygen on death.necrosis, half": "5 mmHg assumed"})
    >>> other.type("tumor").rules[0].half
    5.0
    """
    plain: dict[str, Any] = {}
    for path, said in changes.items():
        found = RULE.fullmatch(path)
        if not found:
            plain[path] = said
            continue
        at, part = f"cells.{found['type']}.rules", found["part"]
        own = model.type(found["type"]).rules
        texts = plain.setdefault(at, [r.text for r in own])
        named = [r for r in own if " on ".join(r.pair) == found["pair"]]
        ends = {(r.behavior, r.increases, r.pathway) for r in named}
        for k, rule in enumerate(own):
            if rule in named or (part == "to" and (rule.behavior, rule.increases, rule.pathway) in ends):
                lead = " to " if part == "to" else f", {part} "
                number = said.removesuffix(f" {ASSUMED}")
                texts[k] = re.sub(f"({lead})[^,]+", rf"\g<1>{number}", texts[k], count=1)
    return model.with_(plain)


def morris(
    model: Model,
    numbers: Sequence[Uncertain],
    readouts: Sequence[Mapping[str, Any]],
    folder: str | Path,
    *,
    trajectories: int = 4,
    until: Any = None,
    seed: int = 1,
    repeats: int = 3,
    workers: int | None = None,
    see: Callable[[int, int], Any] | None = None,
) -> pd.DataFrame:
    """Run trajectories and measure: a table with a row per read-out and number.

    trajectories   each takes one run more than there are numbers       repeats   runs of the model as it is, for what
                                                                                  chance alone does
    seed           of all runs that differ in numbers, and of the trajectories
    columns        readout, number, mu_star, sigma, mu, error (95 % of mu_star), mean (of the read-out), chance (mu_star
                   where nothing matters)
    """
    import pandas as pd

    with _salib():
        from SALib.analyze.morris import analyze
        from SALib.sample.morris import sample
    numbers = [n.of(model) for n in numbers]
    problem = _problem(numbers)
    points = sample(problem, trajectories, num_levels=LEVELS, seed=seed)
    again = [Task.of(model, until, seed + k) for k in range(repeats)]
    values = _measured(model, numbers, points, readouts, folder, until, seed, again, workers, see)
    rows = []
    for what, (value, alike, mean) in zip(readouts, values):
        found = analyze(problem, points, value, num_levels=LEVELS, seed=seed)
        chance = NOISE * float(np.nanstd(alike, ddof=1)) / (mean or 1.0) if repeats > 1 else 0.0
        for k, n in enumerate(numbers):
            row = {key: float(found[key][k]) for key in ("mu_star", "sigma", "mu")}
            error = float(found["mu_star_conf"][k])
            rows.append(
                {"readout": called(what), "number": n.name, **row, "error": error, "mean": mean, "chance": chance}
            )
    return pd.DataFrame(rows)


def sobol(
    model: Model,
    numbers: Sequence[Uncertain],
    readouts: Sequence[Mapping[str, Any]],
    folder: str | Path,
    *,
    samples: int = 64,
    until: Any = None,
    seed: int = 1,
    workers: int | None = None,
    see: Callable[[int, int], Any] | None = None,
) -> pd.DataFrame:
    """Shares of a read-out's variance that numbers carry: a table with a row per read-out and number.

    samples   a power of 2; each takes two runs more than there are numbers
    columns   readout, number, first (by itself), first_error (95 %), total (with all it interacts with), total_error,
              mean (of the read-out)

    Source  Saltelli et al. 2010, Comput Phys Commun 181:259 (DOI 10.1016/j.cpc.2009.09.018)
    """
    import pandas as pd

    with _salib():
        from SALib.analyze.sobol import analyze
        from SALib.sample.sobol import sample
    if samples < 2 or samples & (samples - 1):
        raise InputError("samples", f"{samples} is no power of 2;", "expected e.g. 64.")
    numbers = [n.of(model) for n in numbers]
    problem = _problem(numbers)
    points = sample(problem, samples, calc_second_order=False, seed=seed)
    values = _measured(model, numbers, points, readouts, folder, until, seed, [], workers, see)
    rows = []
    for what, (value, _, mean) in zip(readouts, values):
        still = np.ptp(value) == 0.0
        found = {} if still else analyze(problem, value, calc_second_order=False, seed=seed)
        names = {"first": "S1", "first_error": "S1_conf", "total": "ST", "total_error": "ST_conf"}
        for k, n in enumerate(numbers):
            row = {key: 0.0 if still else float(found[name][k]) for key, name in names.items()}
            rows.append({"readout": called(what), "number": n.name, **row, "mean": mean})
    return pd.DataFrame(rows)


@contextmanager
def _salib() -> Iterator[None]:
    """Within it, what is imported is told to be missing as our own error. Raises InputError."""
    try:
        yield
    except ImportError:
        raise InputError(
            "sensitivity", "the package SALib is not installed.", remedy='pip install "oncarium[study]"'
        ) from None


def _problem(numbers: Sequence[Uncertain]) -> dict[str, Any]:
    return {"num_vars": len(numbers), "names": [n.name for n in numbers], "bounds": [[0.0, 1.0]] * len(numbers)}


def _measured(
    model: Model, numbers: Sequence[Uncertain], points: np.ndarray, readouts: Sequence[Mapping[str, Any]],
    folder: str | Path, until: Any, seed: int, again: Sequence[Task], workers: int | None, see: Any,
) -> list[tuple[np.ndarray, np.ndarray, float]]:  # fmt: skip
    """Of every read-out: (point) its values as shares of their mean, those of the runs `again`, and that mean."""
    models = [
        changed(model, {k: v for n, share in zip(numbers, point) for k, v in n.changes(share).items()})
        for point in points
    ]
    tasks = [Task.of(m, until, seed) for m in models]
    done, failed = run_all([*tasks, *again], folder, workers=workers, see=see)
    if failed:
        raise OncariumError(
            f"{len(failed)} of {len(tasks) + len(again)} runs failed, the first with: {next(iter(failed.values()))}"
        )
    out = []
    for what in readouts:
        value, alike = (np.array([read_out(api.open(done[t]), what) for t in of], float) for of in (tasks, again))
        mean = float(np.nanmean(value))
        value = np.where(np.isnan(value), mean, value) / (mean or 1.0)  # a mean over cells that are gone says nothing
        out.append((value, alike, mean))
    return out


def ranking(model: Model, table: pd.DataFrame, numbers: Sequence[Uncertain] | None = None) -> pd.DataFrame:
    """What a study found, one row per number, the most influential first, with what the number rests on.

    table     of `morris`     numbers   that it varied; the library's when left out
    columns   number, path, value, grade, mu_star (the largest), readout (where that is), chance (of that read-out)
    """
    known = {n.name: n for n in (uncertain()[0] if numbers is None else numbers)}
    most = table.sort_values("mu_star", ascending=False, kind="stable").drop_duplicates("number")
    there = {told.path: told.quantity for told in model.sources().numbers}
    most = most[[n in known and known[n].paths[0] in there for n in most["number"]]]
    quantities = [there[known[n].paths[0]] for n in most["number"]]
    return most.assign(
        path=[known[n].paths[0] for n in most["number"]],
        value=[str(q) for q in quantities],
        grade=[q.grade or "none" for q in quantities],
    )[["number", "path", "value", "grade", "mu_star", "readout", "chance"]].reset_index(drop=True)


def called(what: Mapping[str, Any]) -> str:
    """What a read-out is called."""
    return str(
        what.get("called") or " ".join(str(what[k]) for k in ("measure", "of", "column", "name", "kind") if k in what)
    )


def figure(table: pd.DataFrame) -> Figure:
    """Every number, a panel per read-out: mu* (full), sigma (open), what chance (grey); after Sobol its share of the
    variance with all that it interacts with (full) and alone (open)."""
    import matplotlib

    from ..analysis.canvas import STYLE, new_figure
    from ..analysis.plot import PALETTE

    shares = "total" in table
    most, other, error = ("total", "first", "total_error") if shares else ("mu_star", "sigma", "error")
    readouts = list(dict.fromkeys(table["readout"]))
    order = list(table.groupby("number", sort=False)[most].max().sort_values().index)
    with matplotlib.rc_context(STYLE):
        size = (2.2 + 1.5 * len(readouts), 0.6 + 0.21 * len(order))
        fig = new_figure(*size)
        axes = fig.subplots(1, len(readouts), sharey=True, squeeze=False)
        y = np.arange(len(order))
        color = PALETTE[1]
        for ax, name in zip(axes[0], readouts):
            rows = table[table["readout"] == name].set_index("number").loc[order]
            if not shares:
                ax.axvspan(0, float(rows["chance"].iloc[0]), color="#DDDDDD", lw=0)
            ax.hlines(y, rows[most] - rows[error], rows[most] + rows[error], color=color, lw=1.2)
            ax.plot(rows[other], y, "o", ms=4, mfc="white", mec="#555555", mew=0.8)
            ax.plot(rows[most], y, "o", ms=5, color=color)
            ax.set_title(name)
            ax.set_xlim(left=0)
            ax.grid(axis="y", color="#EEEEEE", lw=0.6)
            ax.set_axisbelow(True)
            ax.set_ylim(-0.7, len(order) - 0.3)
        axes[0, 0].set_yticks(y, order)
        fig.supxlabel(
            "share of the read-out's variance\nwith all interactions (full, 95 %), alone (open)"
            if shares
            else "effect over the range, share of the read-out's mean\nmu* (full, 95 %), sigma (open); grey: chance",
            fontsize=9,
        )
    return fig
