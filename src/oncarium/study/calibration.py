"""Which numbers fit what was measured: the best ones (optuna), or all that fit (approximate Bayesian computation).

Numbers are searched within their ranges, in the logarithm where a range spans a factor. A point is run with every seed
and its read-outs are their means; how far it is from what was measured is counted in the errors of the measurements.
What is tried does not depend on workers: points come in batches of a fixed size, and the same file with the same seed
tries the same ones, so a calibration that was stopped goes on from the runs that are there.

ABC is a population Monte Carlo with a kernel of twice the spread of the population, and a tolerance that is the median
distance of the population before.

Source  Beaumont et al. 2009, Biometrika 96:983 (DOI 10.1093/biomet/asp052); tree-structured Parzen estimator: Akiba et
        al. 2019, KDD (DOI 10.1145/3292500.3330701).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.readout import complaint, read_out
from ..errors import InputError, ModelError, OncariumError, Problem, did_you_mean
from ..model.files import read
from ..model.model import Model
from ..model.reader import Reader
from ..run import api
from ..writing import whole
from .ensemble import Task, run_all
from .sensitivity import Uncertain, called, changed, read_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METHODS = ("optimise", "abc")
KEYS = ("model", "until", "seeds", "method", "runs", "batch", "seed", "set", "numbers", "targets")
NUMBER = ("name", "path", "unit")  # columns of numbers.csv: where they stand, so that a posterior may be a cohort
SPREAD = 2.0  # variance of the kernel, in variances of the population
ALIVE = 1e-12  # of a kernel's variance, so that a population of one point still moves
Distances = Callable[[np.ndarray], np.ndarray]
See = Callable[[int, int], Any]


@dataclass(frozen=True)
class Target:
    """What was measured: a read-out, its value, and its standard error (both in the read-out's unit).

    >>> oc.Target({"measure": "count", "of": "tumor"}, 60.0, 6.0).name
    'count tumor'
    """

    readout: Mapping[str, Any]
    value: float
    error: float

    @property
    def name(self) -> str:
        """What it is called."""
        return called(self.readout)


@dataclass(frozen=True)
class Found:
    """What a calibration found.

    points      one row per point: its numbers, read-outs, distance (in errors of the targets), generation
    posterior   the points that stay, with their weights (sum 1); the best one alone for `optimise`
    """

    points: pd.DataFrame
    posterior: pd.DataFrame
    numbers: tuple[Uncertain, ...]
    targets: tuple[Target, ...]

    @property
    def best(self) -> dict[str, str]:
        """What the nearest point sets: dotted path -> value, as `Model.with_` and --set take it."""
        row = self.points.loc[self.points["distance"].idxmin()]
        return {k: v for n in self.numbers for k, v in n.changes(float(row[f"share {n.name}"])).items()}


@dataclass(frozen=True)
class Calibration:
    """What to fit to what.

    model     to change         numbers   with their ranges          targets   what was measured
    until     of every run      seeds     of every point             method    optimise or abc
    runs      at most           batch     points tried at a time     seed      of the search

    >>> rate = Uncertain("division", ("cells.tumor.cycle.exit",), "0.001 1/min", "0.01 1/min")
    >>> grown = oc.Target({"measure": "count", "of": "tumor"}, 60.0, 6.0)
    >>> fit = oc.Calibration(oc.Model.from_text(oc.EXAMPLE), (rate,), (grown,), until="8 h", runs=8, batch=4)
    >>> found = fit.run("fits/grown", workers=1)
    >>> len(found.points), list(found.best)
    (8, ['cells.tumor.cycle.exit'])
    """

    model: Model
    numbers: tuple[Uncertain, ...]
    targets: tuple[Target, ...]
    until: Any = None
    seeds: tuple[int, ...] = (1,)
    method: str = "optimise"
    runs: int = 200
    batch: int = 16
    seed: int = 1
    given: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, path: str | Path) -> Calibration:
        """A calibration's file. Raises ModelError with everything that is wrong in it."""
        from .design import read_seeds

        document = read(Path(path), Path(path).name)
        reader = Reader(document)
        tree = reader.group(document.tree, "", KEYS)
        model: Model | None = None
        try:
            model = Model.load(_beside(path, reader.text(tree.get("model"), "model") or "reference"))
            if isinstance(tree.get("set"), Mapping):
                model = model.with_({str(k): str(v) for k, v in tree["set"].items()})
        except (ModelError, InputError) as error:
            reader.problems += error.problems
        numbers = tuple(read_numbers(reader, tree.get("numbers")))
        targets = tuple(_targets(reader, tree.get("targets")))
        method = reader.word(tree.get("method", METHODS[0]), "method", METHODS, "method") or METHODS[0]
        said: dict[str, Any] = {
            key: reader.whole(tree[key], key, 1, 10**6) for key in ("runs", "batch", "seed") if key in tree
        }
        seeds: tuple[int, ...] = (1,)
        try:
            seeds = read_seeds(tree["seeds"] if isinstance(tree.get("seeds"), list) else str(tree.get("seeds", 1)))
        except InputError as error:
            reader.complain("seeds", error.problem.message, error.problem.expected)
        until = reader.quantity(tree["until"], "until", "min", gt=0.0) if "until" in tree else None
        if model is not None:
            for n in numbers:
                for share in (0.0, 1.0):
                    try:
                        changed(model, n.of(model).changes(share))
                    except (ModelError, InputError) as error:
                        for p in error.problems:
                            reader.complain(f"numbers.{n.name}", p.message, p.expected)
                        break
        if reader.problems:
            raise ModelError(reader.problems)
        assert model is not None
        return cls(
            model, numbers, targets, until, seeds, method, **{k: v for k, v in said.items() if v is not None}
        ).checked()

    def checked(self) -> Calibration:
        """Itself. Raises InputError where it cannot be done."""
        if not self.numbers:
            raise InputError(
                "numbers", "there is nothing to change;", "expected NAME: {path: ..., range: [low, high]}."
            )
        if not self.targets:
            raise InputError("targets", "there is nothing to fit;", "expected read-outs with value and error.")
        if self.method not in METHODS:
            raise InputError("method", f"'{self.method}' is none.{did_you_mean(self.method, METHODS)}")
        if self.batch * len(self.seeds) > self.runs:
            raise InputError(
                "runs", f"{self.runs} are fewer than the first batch takes: {self.batch} points of"
                f" {len(self.seeds)} seed{'s' if len(self.seeds) > 1 else ''}.",
                remedy="Ask for more runs, or for a smaller batch.",
            )  # fmt: skip
        return self

    def run(
        self, folder: str | Path, *, workers: int | None = None, client: Any = None, see: See | None = None
    ) -> Found:
        """Search. Points that could not be run are infinitely far. Writes points.csv, posterior.csv, numbers.csv."""
        import pandas as pd

        numbers = tuple(n.of(self.model) for n in self.checked().numbers)
        rows: list[dict[str, Any]] = []

        def distances(points: np.ndarray) -> np.ndarray:
            """(point) how far each (point, number: 0 to 1) is from the targets, in their errors."""
            models = [
                changed(self.model, {k: v for n, x in zip(numbers, point) for k, v in n.changes(float(x)).items()})
                for point in points
            ]
            tasks = [[Task.of(m, self.until, s) for s in self.seeds] for m in models]
            before = len(rows) * len(self.seeds)
            done, failed = run_all(
                [t for of in tasks for t in of], Path(folder) / "arms", workers=workers, client=client,
                see=see and (lambda n, all: see(before + n, self.runs)),
            )  # fmt: skip
            for point, of in zip(points, tasks):
                read = [[_read(done.get(t), x.readout) for x in self.targets] for t in of]
                seen = np.mean(np.array(read, float), axis=0)
                away = np.array([(v - x.value) / x.error for v, x in zip(seen, self.targets)])
                far = float(np.sqrt(np.mean(away**2))) if np.isfinite(away).all() else math.inf
                rows.append(
                    {f"share {n.name}": float(x) for n, x in zip(numbers, point)}
                    | {n.name: n.value(float(x)) for n, x in zip(numbers, point)}
                    | {x.name: float(v) for x, v in zip(self.targets, seen)}
                    | {"distance": far, "failed": "; ".join(failed[t] for t in of if t in failed)}
                )
            return np.array([r["distance"] for r in rows[-len(points) :]])

        batches = self.runs // (len(self.seeds) * self.batch)
        if self.method == "abc":
            kept, weight = population(distances, len(numbers), self.batch, batches, self.seed)
        else:
            kept, weight = optimise(distances, [n.name for n in numbers], self.batch, batches, self.seed)
        points = pd.DataFrame(rows)
        points.insert(0, "batch", np.arange(len(points)) // self.batch + 1)
        if not np.isfinite(points["distance"]).any():
            first = next((r["failed"] for r in rows if r["failed"]), "no read-out could be taken")
            raise OncariumError(f"none of {len(points)} points could be run and read; the first: {first}")
        posterior = points.iloc[kept].assign(weight=weight).reset_index(drop=True)
        said = pd.DataFrame([(n.name, p, n.unit) for n in numbers for p in n.paths], columns=list(NUMBER))
        for name, table in (("points", points), ("posterior", posterior), ("numbers", said)):
            with whole(Path(folder) / f"{name}.csv") as part:
                table.to_csv(part, index=False, float_format="%.6g")
        return Found(points, posterior, numbers, self.targets)


def optimise(
    distances: Distances, names: list[str], batch: int, batches: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the nearest point among all that were tried (one), and its weight, 1. Raises InputError without optuna.

    distances   (point, number: 0 to 1) -> (point)

    >>> rows, _ = optimise(lambda x: np.abs(x[:, 0] - 0.3), ["x"], 8, 4, seed=1)
    >>> len(rows)
    1
    """
    try:
        import optuna
    except ImportError:
        raise InputError(
            "method: optimise", "the package optuna is not installed.", remedy='pip install "oncarium[calibrate]"'
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    search = optuna.create_study(sampler=sampler)
    space: dict[str, Any] = {n: optuna.distributions.FloatDistribution(0.0, 1.0) for n in names}
    found = np.empty(0)
    for _ in range(batches):
        trials = [search.ask(space) for _ in range(batch)]
        far = distances(np.array([[t.params[n] for n in names] for t in trials]))
        for trial, x in zip(trials, far):
            search.tell(trial, float(x)) if math.isfinite(x) else search.tell(trial, state=optuna.trial.TrialState.FAIL)
        found = np.concatenate([found, far])
    return np.array([int(np.argmin(found))]), np.ones(1)


def population(distances: Distances, count: int, batch: int, batches: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the last whole population among all points that were tried, and their weights (sum 1).

    distances   (point, number: 0 to 1) -> (point)     count   of numbers     batch    points of a population, and
                                                                                       points tried at a time

    Points are uniform in the unit cube at first. Then each is one of the population, drawn by its weight, moved by the
    kernel; it stays if it is within the median distance of the population before, and weighs 1 / (sum of weights x
    kernel).

    >>> far = lambda x: np.abs(x[:, 0] - 0.5)
    >>> rows, weight = population(far, 1, 64, 8, seed=1)
    >>> len(rows), round(float(weight.sum()), 9)
    (64, 1.0)
    """
    random = np.random.default_rng(seed)
    tried = random.random((batch, count))
    far = distances(tried)
    rows, weight = np.arange(batch), np.full(batch, 1.0 / batch)
    left = batches - 1
    while left > 0:
        order = np.argsort(far[rows], kind="stable")
        middle = int(np.searchsorted(np.cumsum(weight[order]), 0.5))
        tolerance = float(far[rows][order][middle])
        mean = weight @ tried[rows]
        around = tried[rows] - mean
        kernel = SPREAD * (around * weight[:, None]).T @ around + ALIVE * np.eye(count)
        new: list[int] = []
        while len(new) < batch and left > 0:
            places = tried[rows][random.choice(len(rows), batch, p=weight)]
            moved = places + random.multivariate_normal(np.zeros(count), kernel, batch)
            for _ in range(10_000):  # until each lies within the ranges: a kernel cut off there, as its density below
                out = ((moved < 0.0) | (moved > 1.0)).any(axis=1)
                if not out.any():
                    break
                places[out] = tried[rows][random.choice(len(rows), int(out.sum()), p=weight)]
                moved[out] = places[out] + random.multivariate_normal(np.zeros(count), kernel, int(out.sum()))
            moved = np.clip(moved, 0.0, 1.0)
            first = len(tried)
            tried = np.concatenate([tried, moved])
            far = np.concatenate([far, distances(moved)])
            left -= 1
            new += [first + k for k in range(batch) if far[first + k] <= tolerance]
        if len(new) < batch:
            break
        there = np.array(new[:batch])
        gap = tried[there][:, None, :] - tried[rows][None, :, :]
        density = np.exp(-0.5 * np.einsum("ijk,kl,ijl->ij", gap, np.linalg.inv(kernel), gap)) @ weight
        rows, weight = there, (1.0 / density) / (1.0 / density).sum()
    return rows, weight


def _beside(path: str | Path, model: str) -> str:
    """A model that lies beside the calibration's file, or what is named."""
    there = Path(path).parent / model
    return str(there) if there.exists() else model


def _targets(reader: Reader, tree: Any) -> list[Target]:
    out = []
    listed = reader.listed(tree, "targets", "read-outs such as {measure: count, of: tumor, value: 60, error: 6}.")
    for i, said in enumerate(listed):
        where = f"targets.{i}"
        what = {k: v for k, v in said.items() if k not in ("value", "error")} if isinstance(said, Mapping) else {}
        wrong = complaint(what) if what else "expected {measure: ..., value: ..., error: ...}."
        if wrong:
            reader.complain(where, wrong)
            continue
        numbers = []
        for key in ("value", "error"):
            try:
                numbers.append(float(said[key]))
                if not math.isfinite(numbers[-1]) or (key == "error" and numbers[-1] <= 0.0):
                    raise ValueError
            except (KeyError, TypeError, ValueError):
                given = str(said.get(key, "missing"))[:60]
                reader.complain(
                    f"{where}.{key}", f"is {given};",
                    f"expected a number{' above 0' if key == 'error' else ''} in the read-out's unit.",
                )  # fmt: skip
        if len(numbers) == 2:
            out.append(Target(what, *numbers))
    twice = [t.name for k, t in enumerate(out) if t.name in [o.name for o in out[:k]]]
    if twice:
        reader.problems.append(
            Problem(
                reader.document.where("targets"), "targets", f"two are called '{twice[0]}';", "give one: called: ..."
            )
        )
    return out


def _read(folder: Path | None, readout: Mapping[str, Any]) -> float:
    return math.nan if folder is None else float(read_out(api.open(folder), readout))


def figure(found: Found) -> Figure:
    """Every number (what was tried, and what stays by its weight), and every target beside what the model does."""
    import matplotlib

    from ..analysis.canvas import STYLE, new_figure
    from ..analysis.plot import PALETTE

    panels: list[Uncertain | Target] = [*found.numbers, *found.targets]
    across = min(4, len(panels))
    down = math.ceil(len(panels) / across)
    with matplotlib.rc_context(STYLE):
        fig = new_figure(2.5 * across, 2.1 * down)
        axes = fig.subplots(down, across, squeeze=False).flat
        stay, tried = found.posterior, found.points[np.isfinite(found.points["distance"])]
        for panel, ax in zip(panels, axes):
            if isinstance(panel, Uncertain):
                low, high = panel.value(0.0), panel.value(1.0)
                logarithmic = low > 0.0 and high / low > 5.0
                edges = np.geomspace(low, high, 13) if logarithmic else np.linspace(low, high, 13)
                share = np.full(len(tried), 1.0 / max(len(tried), 1))
                ax.hist(tried[panel.name], edges, weights=share, color="#CCCCCC", label="tried")
                if len(stay) > 1:
                    ax.hist(stay[panel.name], edges, weights=stay["weight"], histtype="step", lw=1.6, color=PALETTE[1],
                            label="stays")  # fmt: skip
                else:
                    ax.axvline(float(stay[panel.name].iloc[0]), color=PALETTE[1], lw=1.6, label="best")
                if logarithmic:
                    ax.set_xscale("log")
                    ticks = edges[[0, 6, 12]]
                    ax.set_xticks(ticks, [f"{x:.2g}" for x in ticks])
                    ax.set_xticks([], minor=True)
                ax.set_xlabel(f"{panel.name} ({panel.unit})" if panel.unit else panel.name)
                ax.set_ylabel("share of points")
            else:
                ax.plot(tried[panel.name], tried["distance"], ".", color="#BBBBBB", ms=4, label="tried")
                ax.plot(stay[panel.name], stay["distance"], "o", color=PALETTE[1], ms=4,
                        label="stays" if len(stay) > 1 else "best")  # fmt: skip
                ax.axvspan(panel.value - panel.error, panel.value + panel.error, color=PALETTE[0], alpha=0.2, lw=0,
                           label="measured, ± error")  # fmt: skip
                ax.axvline(panel.value, color=PALETTE[0], lw=1.0)
                ax.set_yscale("log")
                ax.set_xlabel(panel.name)
                ax.set_ylabel("distance (errors)")
        for ax in list(axes):
            ax.set_visible(False)
        for ax in (fig.axes[0], fig.axes[len(found.numbers)]):
            ax.legend(frameon=False, fontsize=7)
    return fig
