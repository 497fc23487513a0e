"""What a study runs: arms (a model, and what each sets) times seeds. Grids, lists, and Latin hypercubes of values.

Everything wrong with a design is said at once, before a model is read twice or anything runs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ModelError, Problem, did_you_mean
from ..model.model import Model
from ..run.api import check_seed, minutes
from ..units import NUMBER, UnitError, bare, factor

if TYPE_CHECKING:
    import pandas as pd

    from .ensemble import Origin, Task

METHODS = ("grid", "list", "lhs")
AT_MOST = 10_000  # runs, unless more are asked for
RANGE = ".."  # between the ends of a range


@dataclass(frozen=True)
class Settled:
    """One arm: its name, its model, and what it sets (dotted path -> text)."""

    name: str
    model: Model
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """Arms times seeds, until a time (min) that may differ between arms; random numbers are paired: every arm has the
    same seeds.

    origins   seed -> the run that its arms go on from
    grown     seed -> the run that comes first, and whose end its arms go on from
    moment    the rule that ends it, where no time does

    >>> from oncarium.model.model import EXAMPLE
    >>> design = Design.of("Two", [Settled("a", Model.from_text(EXAMPLE))], 2, "1 h")
    >>> design.runs, design.seeds
    (2, (1, 2))
    """

    title: str
    arms: tuple[Settled, ...]
    seeds: tuple[int, ...]
    ends: Mapping[str, float]
    origins: Mapping[int, Origin] = field(default_factory=dict)
    grown: Mapping[int, Task] = field(default_factory=dict)
    moment: str = ""

    @classmethod
    def of(cls, title: str, arms: Iterable[Settled], seeds: Any, until: Any = None) -> Design:
        """A design. Raises InputError."""
        arms = tuple(arms)
        return cls(title, arms, read_seeds(seeds), {a.name: minutes(until, a.model) for a in arms})

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return len(self.arms) * len(self.seeds)

    def seconds(self, workers: int) -> float:
        """A guess of how long it takes, by the cells and voxels at the start: cells that grow, rules and contacts make
        it longer, a slow or busy machine, too."""

        def cost(model: Model, long: float) -> float:
            return max(long, 0.0) / model.clock.tick * tick_seconds(model)

        first = [cost(t.model, t.until) for t in self.grown.values()]
        begun = max((t.until for t in self.grown.values()), default=0.0) if not self.moment else 0.0
        one = sum(cost(a.model, self.ends[a.name] - begun) for a in self.arms)
        return (sum(first) + one * len(self.seeds)) / max(1, min(workers, self.runs))


def say_seconds(seconds: float) -> str:
    """A guess of a time, in words.

    >>> say_seconds(3.0), say_seconds(50.0), say_seconds(1200.0), say_seconds(3e6)
    ('a few seconds', '50 s', '20 min', '35 days')
    """
    for most, size, unit in (
        (10.0, 0.0, "a few seconds"),
        (100.0, 1.0, "s"),
        (6000.0, 60.0, "min"),
        (2e5, 3600.0, "h"),
    ):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}" if size else unit
    return f"{seconds / 86400:,.0f} days"


def tick_seconds(model: Model) -> float:
    """Seconds of one tick on one thread, as measured with the library's scenarios."""
    return 2e-4 + 3.6e-6 * model.cells_at_start + 1.7e-7 * model.domain.voxels * max(1, len(model.factors))


def read_seeds(given: Any) -> tuple[int, ...]:
    """Seeds: a number of them (1, 2, ...), a list, or a text of either. Raises InputError.

    >>> read_seeds(3), read_seeds([4, 7]), read_seeds("4,7")
    ((1, 2, 3), (4, 7), (4, 7))
    """
    expected = "expected how many (10), or a list of whole numbers (1,4,7)."
    try:
        if isinstance(given, str):
            given = [int(part) for part in given.split(",")] if "," in given else int(given)
        if isinstance(given, bool) or (not isinstance(given, Sequence) and int(given) != given):
            raise ValueError
        seeds = (
            tuple(int(s) for s in given) if isinstance(given, Sequence) else tuple(range(1, min(int(given), 10**7) + 1))
        )
        if isinstance(given, Sequence) and any(isinstance(s, bool) or int(s) != s for s in given):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InputError("seeds", f"'{str(given)[:60]}' is no number of seeds;", expected) from None
    if not seeds:
        raise InputError("seeds", f"{given} leaves nothing to run;", expected)
    for seed in seeds:
        check_seed(seed)
    if len(set(seeds)) < len(seeds):
        twice = next(s for k, s in enumerate(seeds) if s in seeds[:k])
        raise InputError("seeds", f"{twice} stands twice;", "each seed is run once.")
    return seeds


def sweep_settings(
    values: Mapping[str, Any] | pd.DataFrame | str | Path,
    method: str = "grid",
    samples: int | None = None,
    seed: int = 1,
) -> list[dict[str, str]]:
    """What each arm of a sweep sets. Raises ModelError with everything that is wrong, InputError.

    values   path -> values (grid, list), or path -> "low..high" or (low, high) (lhs); or a table, one column per path
             and one row per arm, as a DataFrame or a CSV file

    >>> sweep_settings({"a": [1, 2], "b": ["x"]})
    [{'a': '1', 'b': 'x'}, {'a': '2', 'b': 'x'}]
    >>> sweep_settings({"a": "0 um..1 um"}, "lhs", samples=2)
    [{'a': '0.475232 um'}, {'a': '0.57208 um'}]
    """
    if method not in METHODS:
        raise InputError(
            "method", f"'{method}' is none.{did_you_mean(method, METHODS)}", f"Methods: {', '.join(METHODS)}."
        )
    if not isinstance(values, Mapping):
        return _of_table(values)
    if not values:
        raise InputError("sweep", "no path is given;", "expected PATH=a,b,c, or a table.")
    if method == "lhs":
        return _hypercube(values, samples, seed)
    problems, lists = [], {}
    for path, given in values.items():
        texts = [_text(v) for v in _listed(given)]
        twice = next((t for k, t in enumerate(texts) if t in texts[:k]), None)
        if not texts or any(t == "" for t in texts):
            problems.append(
                Problem(f"{path}={','.join(texts)}", "", "it has an empty value;", f"expected {path}=a,b,c.")
            )
        elif twice is not None:
            problems.append(
                Problem(path, "", f"the value {twice} stands twice.", remedy="Leave one out; seeds are repeats.")
            )
        lists[path] = texts
    if problems:
        raise ModelError(problems)
    if method == "grid":
        count_runs(math.prod(len(v) for v in lists.values()), None)
        return [dict(zip(lists, one)) for one in itertools.product(*lists.values())]
    lengths = {path: len(v) for path, v in lists.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{path} {n}" for path, n in lengths.items())
        raise InputError(
            "sweep", f"its lists differ in length: {said};", "a list needs one value of each path per arm."
        )
    return [dict(zip(lists, one)) for one in zip(*lists.values())]


def count_runs(count: int, at_most: int | None, seconds: float = 0.0) -> None:
    """Raise InputError where there are more runs than asked for (None: than could ever be); seconds: a guess of how
    long one takes."""
    if count > (10**6 - 1 if at_most is None else at_most):
        cost = f", about {say_seconds(seconds * count)} on one core" if seconds else ""
        raise InputError(
            "sweep", f"{count:,} {'arms' if at_most is None else 'runs'} are asked for{cost};",
            f"expected at most {10**6 - 1 if at_most is None else at_most:,}.",
            "Give fewer values or seeds, or a Latin hypercube (--lhs 200)"
            + ("." if at_most is None else "; or say that you mean it: --yes (at_most=...)."),
        )  # fmt: skip


def _listed(given: Any) -> list[Any]:
    return [given] if isinstance(given, str | bytes) or not isinstance(given, Iterable) else list(given)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value).strip()


def _of_table(given: pd.DataFrame | str | Path) -> list[dict[str, str]]:
    """Arms of a table, one per row."""
    import pandas as pd

    where, table = "table", given
    if not isinstance(given, pd.DataFrame):
        where = str(given)
        try:
            table = pd.read_csv(given, dtype=str, keep_default_na=False, comment="#", skipinitialspace=True)
        except FileNotFoundError:
            raise InputError(where, "no such file.") from None
        except (ValueError, OSError) as error:
            raise InputError(where, f"it cannot be read as a table: {error}.") from None
    assert isinstance(table, pd.DataFrame)
    if table.empty or not len(table.columns):
        raise InputError(where, "the table is empty;", "expected one column per path and one row per arm.")
    said = [[_text(v) for v in row] for row in table.itertuples(index=False, name=None)]
    names = [str(c).strip() for c in table.columns]
    problems = []
    empty = [(k, n) for k, row in enumerate(said) for n, v in zip(names, row) if v in ("", "nan", "None", "<NA>")]
    if empty:
        more = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
        problems.append(
            Problem(
                f"{where}, row {empty[0][0] + 1}",
                empty[0][1],
                f"the value is missing{more};",
                "expected one in every cell.",
            )
        )
    twice = [(k, said.index(row)) for k, row in enumerate(said) if said.index(row) < k]
    if twice:
        problems.append(
            Problem(
                f"{where}, row {twice[0][0] + 1}",
                "",
                f"it is row {twice[0][1] + 1} again.",
                remedy="Leave one out; seeds are repeats.",
            )
        )
    if len(set(names)) < len(names):
        problems.append(Problem(where, "", f"two columns are called {next(n for n in names if names.count(n) > 1)}."))
    if problems:
        raise ModelError(problems)
    return [dict(zip(names, row)) for row in said]


def _hypercube(values: Mapping[str, Any], samples: int | None, seed: int) -> list[dict[str, str]]:
    """Points of a Latin hypercube over the ranges."""
    import numpy as np

    if samples is None or isinstance(samples, bool) or int(samples) != samples or not 1 <= samples < 10**6:
        raise InputError("lhs", f"{samples} is no number of samples;", "expected a whole number, 1 or more.")
    ranges, problems = {}, []
    for path, given in values.items():
        try:
            ranges[path] = _range(given)
        except (UnitError, ValueError) as error:
            problems.append(
                Problem(f"{path}={_said(given)}", "", f"{error}", f"expected a range, e.g. {path}='0.1 1/h..0.5 1/h'.")
            )
    if problems:
        raise ModelError(problems)
    random = np.random.default_rng(seed)  # every path has one point in each of as many slices as there are samples
    points = np.array([(random.permutation(int(samples)) + random.random(int(samples))) / samples for _ in ranges]).T
    return [
        {
            path: f"{low + share * (high - low):.6g} {unit}".strip()
            for share, (path, (low, high, unit)) in zip(point, ranges.items())
        }
        for point in points
    ]


def _said(given: Any) -> str:
    return given if isinstance(given, str) else ",".join(map(_text, _listed(given)))


def _range(given: Any) -> tuple[float, float, str]:
    """Lowest and highest value, and their unit."""
    ends = given.split(RANGE) if isinstance(given, str) else [_text(v) for v in _listed(given)]
    if len(ends) == 1 and isinstance(given, list | tuple) and RANGE in ends[0]:
        ends = ends[0].split(RANGE)
    if len(ends) != 2:
        raise ValueError("it is no range;")
    parts = []
    for end in ends:
        text = bare(end)
        found = NUMBER.match(text)
        if found is None or not math.isfinite(float(found.group())):
            raise ValueError(f"'{text[:40]}' is no number;")
        parts.append((float(found.group()), text[found.end() :].strip()))
    (low, first), (high, second) = parts
    unit = second or first
    low *= factor(first or unit, unit) if unit else 1.0
    if not low < high:
        raise ValueError(f"its lower end {ends[0].strip()} is not below its upper end {ends[1].strip()};")
    return low, high, unit


def sweep_arms(model: Model, settings: Sequence[Mapping[str, str]]) -> list[Settled]:
    """The arms of a sweep, numbered. Every value is tried alone first. Raises ModelError."""
    problems: dict[tuple[str, Any], Problem] = {}
    alike: dict[tuple[str, Any], str] = {}
    for path in settings[0]:
        for text in dict.fromkeys(said[path] for said in settings):
            try:
                one = model.with_({path: text})
            except ModelError as error:
                for p in error.problems:
                    where = p.where.removeprefix("--set ")
                    problems.setdefault((path, p.message), Problem(where, p.path, p.message, p.expected, p.remedy))
                continue
            meant = (path, one.numbers[path].value if path in one.numbers else text)
            if alike.setdefault(meant, text) != text:
                message = f"the values {alike[meant]} and {text} are the same."
                problems.setdefault(meant, Problem(path, "", message, remedy="Leave one out; seeds are repeats."))
    if problems:
        raise ModelError(list(problems.values()))
    width = len(str(len(settings)))
    return [Settled(f"{k + 1:0{width}d}", model.with_(dict(said)), dict(said)) for k, said in enumerate(settings)]
