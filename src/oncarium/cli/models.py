"""Commands that write models, check them and look into them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..model.model import Model

from .options import Compat, Ignore, ModelArgument, Numerics, SetOption, changes, load, say_problems


def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("model.yaml"),
    scenario: Annotated[
        str, typer.Option("--from", help="The scenario, or model file, to start from.")
    ] = "hypoxic_tumor",
    set: SetOption = None,
) -> None:
    """Write a model file to start from: a copy of a scenario, or (with --set) only what is changed in it."""
    import os

    from ..errors import InputError
    from ..model.files import emit
    from ..model.library import entry
    from ..model.model import Model
    from ..model.nested import layer
    from ..writing import write_text

    if file.exists():
        raise InputError(str(file), "this file exists.", remedy="Choose another name.")
    base = Model.load(scenario)
    own = Path(scenario).is_file()
    if set:
        changed = base.with_(changes(set))
        name = os.path.relpath(scenario, file.parent) if own else scenario
        write_text(file, emit(layer(name, changed.document.tree, changes(set))))
    else:
        write_text(file, (Path(scenario) if own else entry("scenarios", scenario)).read_text(encoding="utf-8"))
    print(f"Wrote {file}. Check it with:  oncarium check {file}")


def import_physicell(
    file: Annotated[Path, typer.Argument(help="The settings XML.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write.")] = Path("model.yaml"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Write a PhysiCell model as a model file that runs identically."""
    from ..errors import InputError
    from ..writing import write_text

    if out.exists() and not overwrite:
        raise InputError(str(out), "this file exists.", remedy="Choose another name, or add --overwrite.")
    model = load(str(file), None, numerics, compat, ignore)
    write_text(out, model.to_yaml(out.parent))
    print(f"Wrote {out}. Run it with:  oncarium run {out}")


def list_() -> None:
    """Scenarios, factors and cell types of the library."""
    from ..model.files import read
    from ..model.library import entry, on_shelf

    for shelf in ("scenarios", "factors", "cells"):
        print(shelf)
        for name in on_shelf(shelf):
            tree = read(entry(shelf, name)).tree
            print(f"  {name:<28}{tree.get('title') or tree.get('doc', '')}")


def check(
    model: ModelArgument,
    set: SetOption = None,
    describe: Annotated[bool, typer.Option("--describe", help="Say the model in English.")] = False,
    operating: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Grow it until then, and say of every rule what it does there: works, masked, silent, ...",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table of --operating as CSV, too.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of --operating.")] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="Change every biological number, and list those that nothing hears.")
    ] = False,
    plausible: Annotated[
        bool, typer.Option("--plausible", help="Hold secretion, diffusion and rates against what is known.")
    ] = False,
    only: Annotated[str, typer.Option(metavar="TEXT", help="For --dead: only numbers whose path has this text.")] = "",
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Check a model: every problem at once, with file and line."""
    from ..errors import InputError, ModelError
    from ..model.model import Model

    opened = Model.open(model, (), numerics, compat, ignore or ())
    if opened.errors:
        say_problems([p for p in opened.problems if p.severity != "error"])
        raise ModelError(opened.errors)
    if set:
        opened = opened.with_(changes(set))
    say_problems(opened.problems)
    if csv and not operating:
        raise InputError("--csv", "there is no table to write.", remedy="Add --operating '5 day'.")
    if plausible:
        from ..model.plausible import plausible as hold_against

        checked = hold_against(opened)
        odd = [c for c in checked if not c.usual]
        print("\n".join(str(c) for c in odd or checked))
        print(f"{len(checked)} numbers held against what is known, {len(odd)} of them unusual.")
        return
    if dead:
        _say_dead(opened, only)
        return
    if operating:
        from ..run.operating import operating_points
        from ..writing import write_text

        found = operating_points(opened.with_({"until": operating}), seed=seed)
        print(found)
        if csv:
            write_text(csv, found.frame().to_csv(index=False, float_format="%.6g"))
            print(f"Wrote {csv}")
        return
    print(opened.describe() if describe else f"{model} is fine: {opened!r}")


def _say_dead(model: Model, only: str) -> None:
    from rich.console import Console
    from rich.progress import track

    from ..run.dead_numbers import asked, by_section, dead_numbers, why_dead

    numbers = list(asked(model, only))
    shown = track(numbers, "numbers", transient=True, console=Console(stderr=True))
    found = list(dead_numbers(model, shown))
    for section, dead in by_section(found).items():
        print(section)
        for d in dead:
            print(f"  {d}" + (f": {why}" if (why := why_dead(d)) else ""))
    explained = sum(bool(why_dead(d)) for d in found)
    print(f"{len(numbers)} numbers asked, {len(found)} that nothing hears, {explained} of them for a known reason.")


def diff(
    one: ModelArgument, other: ModelArgument, numerics: Numerics = None, compat: Compat = None, ignore: Ignore = None
) -> None:
    """What the second model says differently."""
    from ..model.model import Model

    first, second = (Model.load(name, (), numerics, compat, ignore or ()) for name in (one, other))
    print("\n".join(first.diff(second)) or "The models say the same.")


def plan(
    model: ModelArgument,
    set: SetOption = None,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks to run for the timings.")] = 60,
    wiring: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw who acts on whom instead: .png, .svg, .pdf or .html.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Say why each mechanism is there, or is not.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say what of the time each cell adds, and what took it.")
    ] = False,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Print the plan of a model: what acts when, what it reads and writes, and what it costs. Or why, or draw its
    wiring."""
    from ..run.simulation import Simulation

    chosen = load(model, set, numerics, compat, ignore)
    if why:
        from ..biology.order import reasons

        told = reasons(chosen)
        wide = max(len(name) for name, _ in told)
        print("\n".join(f"{'yes' if r else 'no':<4}{name:<{wide}}  {r.because}" for name, r in told))
        return
    if wiring:
        from ..analysis.wiring_page import write

        print(f"Wrote {write(chosen, wiring)}")
        return
    if profile:
        from ..run import profile as profiling

        print(profiling.profile(chosen, ticks))
        return
    simulation = Simulation(chosen)
    for _ in range(max(simulation.plan.every)):  # loading and compiling do not count
        simulation.step()
    simulation.plan.forget_times()
    for _ in range(ticks):
        simulation.step()
    print(simulation.plan)


def schema(out: Annotated[Path | None, typer.Option("--out", "-o", help="The file to write.")] = None) -> None:
    """JSON schema of model files, for editors."""
    import json

    from ..model.schema import json_schema
    from ..writing import write_text

    text = json.dumps(json_schema(), indent=1)
    if out:
        write_text(out, text + "\n")
        print(f"Wrote {out}")
    else:
        print(text)
