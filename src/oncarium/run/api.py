"""The verbs of one run: load, check, run, open, resume."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, InputError, ModelError, Problem
from ..model.library import on_shelf
from ..model.model import Model
from ..units import UnitError, say_time, to_minutes
from .progress import Bar
from .result import Result

if TYPE_CHECKING:
    from ..engine.process import Process
    from .recorder import Recorder
    from .simulation import Simulation

STORE = "run.zarr"
See = Callable[[Any], Any]


def load(
    path: str | Path,
    processes: Sequence[Process] = (),
    *,
    numerics: str | None = None,
    compat: str | None = None,
    ignore: Sequence[str] = (),
) -> Model:
    """A model from a file, a PhysiCell settings XML, or a scenario of the library by name. Raises ModelError with
    everything that is wrong.

    processes   mechanisms of your own, where rules of the file speak of their columns
    numerics    "oncarium", or "physicell": its solvers, time steps and order of operations, to the digit
    compat      "1.14.2": with the known bugs of that version of PhysiCell
    ignore      ("intracellular",): cells without the intracellular models that are beyond this program

    >>> load("hypoxic_tumor").types[0].name
    'tumor'
    """
    return Model.load(path, processes, numerics, compat, ignore)


def edit(
    model: Model | str | Path,
    set: Mapping[str, Any] | None = None,
    add: Mapping[str, Any] | None = None,
    drop: Mapping[str, Any] | None = None,
) -> Model:
    """A model with some values set, some entries added to its lists, and some dropped from them; the model itself stays
    as it is. Raises ModelError.

    model   a Model, or what `load` takes
    set     dotted path -> value
    add     dotted path of a list -> an entry or several: rules of a type, cells of `initial`, columns of `record`
    drop    dotted path of a list -> entries to leave out; rules by "signal on behavior", * for any

    >>> tumor = edit("hypoxic_tumor", set={"until": "2 day"}, drop={"cells.tumor.rules": "pressure on *"})
    >>> tumor.until, len(tumor.type("tumor").rules), len(load("hypoxic_tumor").type("tumor").rules)
    (2880.0, 4, 5)
    """
    given = model if isinstance(model, Model) else load(model)
    changes = {**(set or {}), **{f"{p}-": v for p, v in (drop or {}).items()}}
    return given.with_({**changes, **{f"{p}+": v for p, v in (add or {}).items()}})


def check(
    path: str | Path, *, numerics: str | None = None, compat: str | None = None, ignore: Sequence[str] = ()
) -> list[Problem]:
    """Everything worth saying about a model file: errors, warnings, notices; empty when all is well.

    >>> check("hypoxic_tumor")
    []
    """
    try:
        return list(Model.open(path, (), numerics, compat, ignore).problems)
    except ModelError as error:
        return error.problems


def scenarios() -> list[str]:
    """Names of the library's scenarios.

    >>> "spheroid" in scenarios()
    True
    """
    return on_shelf("scenarios")


def open(path: str | Path) -> Result:
    """A run: its folder, or its store (`oncarium.exchange.open` opens results of other programs, too). Raises
    DataError."""
    return Result.open(store_of(path))


def store_of(path: str | Path) -> Path:
    """The store inside a run's folder."""
    given = Path(path)
    inside = given / STORE
    if inside.exists():
        return inside
    if not given.exists():
        raise DataError(str(path), f"no run here: {given.resolve()}")
    return given


def new_folder(name: str, parent: Path = Path("runs")) -> Path:
    """A folder for a run that does not exist yet: runs/name, runs/name-2, ..."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("._") or "run"
    for k in range(1, 100_000):
        folder = parent / (safe if k == 1 else f"{safe}-{k}")
        if not folder.exists():
            return folder
    raise InputError(str(parent), f"there are too many runs called {safe}.")


def minutes(until: Any, model: Model | None = None) -> float:
    """When a run ends, min; None: as the model says."""
    if until is None and model is not None:
        return model.until
    try:
        value = to_minutes(until)
    except UnitError as error:
        raise InputError("until", f"{error}.", "Expected a time such as '5 day' or '36 h'.") from None
    if value < 0:
        raise InputError("until", f"{until} is negative.")
    return value


def run(
    model: Model | str | Path,
    until: Any = None,
    seed: int | None = None,
    *,
    out: str | Path | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    see: See | None = None,
    watch: Sequence[Callable[[Any], None]] = (),
    progress: bool | None = None,
    asked: Mapping[str, Any] | None = None,
    take_over: bool = False,
    stop_when: str | Sequence[str] | None = None,
) -> Result:
    """Run a model and leave a Result.

    until   when to stop ("5 day", or minutes; the model's own time when left out)     seed   of all randomness
    out     folder of the run (runs/<name> when left out)     threads   as many as there are; no result depends on it
    see     called with the Simulation after every tick; returning True ends the run, resumable
    watch   observers besides: called with the Simulation before the first tick and after every tick
    progress   show how far it is; left out: in notebooks only
    asked   what else was asked for and is to stand in the store     take_over   write although the folder is locked by
                                                                                 a run that is gone
    stop_when  rules that end the run earlier ("live.tumor < 1 for 1 day"), in place of the model's own

    Raises ModelError before anything is written, NumericsError or DataError while running.

    >>> import oncarium as oc
    >>> result = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", seed=1)
    >>> result.times.tolist(), result.fields["oxygen"].dims
    ([0.0, 60.0], ('time', 'z', 'y', 'x'))
    """
    from .simulation import Simulation

    believed = stopping((model if isinstance(model, Model) else load(model)).checked(), stop_when)
    end = minutes(until, believed)
    check_seed(seed)
    folder = Path(out) if out is not None else new_folder(believed.name or "run")
    if (folder / STORE).exists() and not overwrite:
        raise InputError(
            str(folder), "a run already lies here.", remedy="Choose another folder, allow overwriting, or resume it."
        )
    simulation = Simulation(believed, seed, threads)
    recorder = _recorder(folder / STORE, simulation, overwrite=overwrite, until=end, asked=asked, take_over=take_over)
    return _go(simulation, recorder, end, see, watch, progress)


def stopping(model: Model, rules: str | Sequence[str] | None) -> Model:
    """The model with these rules to stop by; None: with its own. Raises ModelError."""
    if rules is None:
        return model
    return model.with_({"stop_when": [rules] if isinstance(rules, str) else list(rules)})


def _recorder(store: Path, simulation: Simulation, **options: Any) -> Recorder:
    """A recorder that sees what the model asks for."""
    from .recorder import Recorder

    record = simulation.model.record
    return Recorder(
        store,
        simulation,
        cells_every=record.cells,
        fields_every=record.fields,
        checkpoint_every=record.checkpoint,
        columns=record.columns,
        **options,
    )


def check_seed(seed: int | None) -> None:
    """A seed is a whole number from 0 to 2^63 - 1."""
    if seed is not None and not 0 <= seed < 2**63:
        raise InputError("seed", f"{seed} is out of range;", "expected a whole number from 0 to 2^63 - 1.")


def _go(
    simulation: Simulation,
    recorder: Recorder,
    end: float,
    see: See | None,
    watch: Sequence[Callable[[Any], None]] = (),
    progress: bool | None = None,
) -> Result:
    """Tick until the end, or until `see` returns True; whatever happens, what was reported stays."""
    with Bar(simulation.model.title, end, progress) as bar:
        _tick(simulation, recorder, end, see, [recorder.see, *watch, bar])
    return Result.open(recorder.path)


def _tick(
    simulation: Simulation, recorder: Recorder, end: float, see: See | None, observers: Sequence[Callable[[Any], None]]
) -> None:
    last = round(end / simulation.plan.tick_minutes)
    finished = False
    try:
        for observe in observers:
            observe(simulation)
        while simulation.tick < last and not recorder.stops(simulation.tick):
            simulation.step()
            for observe in observers:
                observe(simulation)
            if see and see(simulation):
                break
        finished = simulation.tick >= last or bool(recorder.stops(simulation.tick))
    except BaseException:
        recorder.abort()
        raise
    recorder.close(simulation, finished=finished)


def resume(
    path: str | Path,
    until: Any = None,
    *,
    threads: int | None = None,
    see: See | None = None,
    watch: Sequence[Callable[[Any], None]] = (),
    progress: bool | None = None,
    processes: Sequence[Process] = (),
    other_code: bool = False,
    take_over: bool = False,
) -> Result:
    """Go on from a run's last checkpoint; the end is bit for bit that of a run that was never interrupted. Raises
    DataError.

    until        when to stop; left out: when the run was asked to stop     threads, see, watch, progress   as for a run
    processes    the mechanisms of your own that the run had (a store knows them by content and does not hold them)
    other_code   go on although versions, sources or mechanisms differ from those that the run had; the store notes what
                 differs
    take_over    write although the folder is locked by a run that is gone

    A run that no checkpoint is left of goes on from time 0.

    >>> import oncarium as oc
    >>> model = oc.Model.from_text(oc.EXAMPLE)
    >>> first = oc.run(model, "1 h", out="runs/first")
    >>> oc.resume("runs/first", "2 h").digest == oc.run(model, "2 h", out="runs/whole").digest
    True
    """
    from .past import Past
    from .simulation import Simulation

    past = Past.of(store_of(path))
    model, state, notes = past.before(processes, other_code)
    end = float(past.attrs["until"]) if until is None else minutes(until, model)
    simulation = Simulation(model, int(past.attrs["seed"]), threads)
    if state is not None:
        simulation.restore(state)
    if until is not None and end < max(simulation.time, past.tick * simulation.plan.tick_minutes) - 1e-9:
        raise InputError(
            f"until {until}", f"this run is at {say_time(simulation.time)} already.", remedy="Choose a later time."
        )
    if end != past.attrs["until"]:
        notes["until"] = end
    asked = past.attrs.get("asked")
    begun = past.tick >= 0
    recorder = _recorder(
        past.store,
        simulation,
        resume=begun,
        overwrite=not begun,
        notes=notes,
        until=end,
        asked=asked,
        take_over=take_over,
    )
    return _go(simulation, recorder, end, see, watch, progress)


def fork(
    path: str | Path,
    model: Model,
    until: Any,
    out: str | Path,
    seed: int | None = None,
    *,
    threads: int | None = None,
    progress: bool | None = None,
    other_code: bool = False,
    overwrite: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> Result:
    """Go on from a run's last checkpoint under another model, in a run of its own: one arm of `oc.branch`. Raises
    DataError."""
    from .past import Past
    from .simulation import Simulation

    past = Past.of(store_of(path))
    believed, state, notes = past.before(model.processes, other_code)
    origin = Simulation(believed, int(past.attrs["seed"]), threads)
    simulation = Simulation(model, origin.seed if seed is None else seed, threads)
    simulation.adopt(origin.state() if state is None else state, origin)
    end, told = minutes(until, model), {**(asked or {}), "branched": True, "since": simulation.time}
    recorder = _recorder(Path(out) / STORE, simulation, notes=notes, until=end, asked=told, overwrite=overwrite)
    return _go(simulation, recorder, end, None, progress=progress)
