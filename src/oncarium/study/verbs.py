"""Repeat, sweep and compare: a design, its runs, their tables and their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.responses import Readout, check_readouts
from ..errors import DataError, InputError
from ..exchange import open as open_any
from ..model.model import Model
from ..run import api
from ..run.result import Result
from ..run.results import Results
from .conduct import See, conduct
from .design import AT_MOST, Design, Settled, read_seeds, sweep_arms, sweep_settings

if TYPE_CHECKING:
    import pandas as pd

Given = Model | str | Path
Rules = str | Sequence[str] | None


def repeat(
    model: Given,
    seeds: Any = 10,
    until: Any = None,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    stop_when: Rules = None,
    readouts: Sequence[Readout] | None = None,
    overwrite: bool = False,
    progress: bool | None = None,
    see: See | None = None,
    client: Any = None,
) -> Results:
    """Run a model with several seeds, side by side. Raises ModelError, InputError.

    seeds      how many (1, 2, ...), or a list of them       until      when each ends; as the model says when left out
    out        the folder (runs/<name>-repeat when left out), which holds a folder per run, tables and report.html; the
               same command again goes on where it was stopped
    workers    processes, one thread each; as many as there are processors       client   a dask client, for a cluster
    stop_when  rules that end a run earlier       readouts   what the table reads (see oc.read_out)
    see        called with (runs done, all)       progress   show how many are done; left out: in notebooks only

    >>> import oncarium as oc
    >>> results = oc.repeat(oc.Model.from_text(oc.EXAMPLE), seeds=3, until="1 h", out="runs/three", workers=1)
    >>> results.bands("live.tumor")["n"].tolist()
    [3, 3]
    """
    return perform(repeat_design(model, seeds, until, stop_when), "repeat", out, workers=workers, readouts=readouts,
                   overwrite=overwrite, progress=progress, see=see, client=client)  # fmt: skip


def repeat_design(model: Given, seeds: Any = 10, until: Any = None, stop_when: Rules = None) -> Design:
    """One model, several seeds."""
    chosen = _model(model, stop_when)
    return Design.of(chosen.title, [Settled(chosen.name or chosen.title, chosen)], seeds, until)


def sweep(
    model: Given,
    values: Mapping[str, Any] | pd.DataFrame | str | Path,
    seeds: Any = 3,
    until: Any = None,
    *,
    method: str = "grid",
    samples: int | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    stop_when: Rules = None,
    readouts: Sequence[Readout] | None = None,
    overwrite: bool = False,
    at_most: int | None = AT_MOST,
    progress: bool | None = None,
    see: See | None = None,
    client: Any = None,
) -> Results:
    """Run a model under every combination of values, each with the same seeds. Raises ModelError, InputError.

    values   dotted path -> values; or a table with a column per path and a row per arm (a DataFrame, or a CSV file)
    method   grid: all combinations; list: the first values together, the second ones, and so on; lhs: a Latin hypercube
             of so many `samples` over ranges ("0.1 1/h..0.5 1/h")
    at_most  refuse more runs than this; None: run as many as asked for      the others   as for oc.repeat

    >>> import oncarium as oc
    >>> model = oc.Model.from_text(oc.EXAMPLE)
    >>> rates = {"cells.tumor.cycle.exit": ["0.02 1/h", "0.5 1/h"]}
    >>> results = oc.sweep(model, rates, seeds=2, until="2 h", out="runs/rates", workers=1)
    >>> results.table["cells.tumor.cycle.exit"].tolist(), results.arms
    ([0.02, 0.02, 0.5, 0.5], ['1', '2'])
    """
    design = sweep_design(
        model, values, seeds, until, method=method, samples=samples, stop_when=stop_when, at_most=at_most
    )
    return perform(design, "sweep", out, workers=workers, readouts=readouts, overwrite=overwrite, at_most=at_most,
                   progress=progress, see=see, client=client)  # fmt: skip


def sweep_design(
    model: Given,
    values: Mapping[str, Any] | pd.DataFrame | str | Path,
    seeds: Any = 3,
    until: Any = None,
    *,
    method: str = "grid",
    samples: int | None = None,
    stop_when: Rules = None,
    at_most: int | None = AT_MOST,
) -> Design:
    """The arms of a sweep; everything wrong with it is said here, before anything runs."""
    from .design import count_runs, minutes, tick_seconds

    chosen, numbers = _model(model, stop_when), read_seeds(seeds)
    settings = sweep_settings(values, method, samples)
    one = minutes(until, chosen) / chosen.clock.tick * tick_seconds(chosen)
    count_runs(len(settings) * len(numbers), at_most, one)
    return Design.of(chosen.title, sweep_arms(chosen, settings), numbers, until)


def perform(
    design: Design, kind: str, out: str | Path | None, *, readouts: Sequence[Readout] | None = None, **how: Any
) -> Results:
    """Run a design, and write its tables and its page."""
    for arm in design.arms[:1]:
        check_readouts(list(readouts or ()), arm.model)
    results = conduct(design, kind, out, readouts=list(readouts or ()), **how)
    write_page(results)
    return results


def write_page(results: Results) -> Path:
    """Tables and page of runs that lie in a folder; returns the path of the page."""
    if results.kind in ("compare", "branch"):
        from ..analysis.compare_page import write

        return write(results)
    if results.kind == "treat":
        from ..analysis import treat_page

        return treat_page.write(results)
    from ..analysis import study_page

    return study_page.write(results)


def compare(
    *given: Given | Result | Results,
    seeds: Any = 1,
    until: Any = None,
    out: str | Path | None = None,
    workers: int | None = None,
    stop_when: Rules = None,
    overwrite: bool = False,
    progress: bool | None = None,
    see: See | None = None,
    client: Any = None,
) -> Results:
    """Set models or runs side by side: what the models say differently, tissue, fields, curves and read-outs, on one
    page (compare.html in the folder `out`). Raises ModelError, InputError, DataError.

    given    each a model (a name, a file, a Model), which is run with these seeds; or what was run: a Result, Results,
             or the folder of either, which is taken as it is
    the others   as for oc.repeat

    >>> import oncarium as oc
    >>> model = oc.Model.from_text(oc.EXAMPLE)
    >>> fast = model.with_({"name": "fast", "cells.tumor.cycle.exit": "0.2 1/h"})
    >>> results = oc.compare(model, fast, seeds=2, until="3 h", out="runs/both", workers=1)
    >>> results.arms, results.page.name
    (['A small tumor', 'fast'], 'compare.html')
    """
    return set_side_by_side(*sort_given(given), seeds=seeds, until=until, out=out, workers=workers, stop_when=stop_when,
                            overwrite=overwrite, progress=progress, see=see, client=client)  # fmt: skip


def sort_given(
    given: Sequence[Given | Result | Results],
) -> tuple[dict[str, Model], dict[str, Result | Results], list[str]]:
    """Models and runs by the name of their arm, and all names in order. Raises InputError, ModelError."""
    if len(given) < 2:
        raise InputError(
            "compare",
            f"{'nothing' if not given else 'only one thing'} is given;",
            "expected two or more models or runs.",
        )
    models, runs, names = dict[str, Model](), dict[str, Result | Results](), list[str]()
    for what in given:
        found = opened(what)
        name = _name(what, found)
        k = 2
        while name in names:
            name, k = f"{name.removesuffix(f' {k - 1}')} {k}", k + 1
        names.append(name)
        if isinstance(found, Model):
            models[name] = found
        else:
            runs[name] = found
    return models, runs, names


def set_side_by_side(
    models: Mapping[str, Model], runs: Mapping[str, Result | Results], names: Sequence[str], *, seeds: Any = 1,
    until: Any = None, out: str | Path | None = None, stop_when: Rules = None, **how: Any,
) -> Results:  # fmt: skip
    """Run the models, take the runs, write the page."""
    design = compare_design(models, runs, names, seeds, until, stop_when)
    results = conduct(design, "compare", out, taken=runs, order=names, **how)
    write_page(results)
    return results


def compare_design(
    models: Mapping[str, Model], runs: Mapping[str, Result | Results], names: Sequence[str], seeds: Any = 1,
    until: Any = None, stop_when: Rules = None,
) -> Design:  # fmt: skip
    """The arms that are to be run. Raises InputError where things cannot be set side by side."""
    from ..analysis.compare_page import check_alike

    check_alike({name: models[name] if name in models else runs[name] for name in names})
    title = " and ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} others"
    return Design.of(title, [Settled(n, api.stopping(m, stop_when)) for n, m in models.items()], seeds, until)


def _model(given: Given, stop_when: Rules = None) -> Model:
    return api.stopping((given if isinstance(given, Model) else api.load(given)).checked(), stop_when)


def opened(what: Given | Result | Results) -> Model | Result | Results:
    """What one of the things to compare is."""
    if isinstance(what, Model | Result | Results):
        return what.checked() if isinstance(what, Model) else what
    path = Path(what)
    if path.is_dir():
        from ..model.physicell import is_project

        if is_project(path):
            return api.load(path)
        try:
            return open_any(path)
        except DataError as error:
            raise InputError(str(what), f"neither a run nor a model: {error.problem.message}") from None
    return api.load(what)


def _name(what: Given | Result | Results, found: Model | Result | Results) -> str:
    if isinstance(what, str | Path):
        path = Path(what)
        return (path.resolve() if path.exists() else path).stem if not path.is_dir() else path.resolve().name
    if isinstance(found, Model):
        return found.name or found.title
    if isinstance(found, Result):
        return found.path.parent.name
    return found.folder.name if found.folder is not None else found.title
