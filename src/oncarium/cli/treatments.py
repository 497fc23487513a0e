"""The command that treats one tumor in several ways from one state, and sets the arms side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import OtherCode, Out, Overwrite, Quiet, Scheduler, SetOption, Until, Workers, load


def treat(
    given: Annotated[
        str, typer.Argument(metavar="MODEL|RUN", help="A model as  oncarium run  takes it, or the folder of a run.")
    ],
    arm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:DOSES", help="One arm: its name, and its doses with ';' between. May be repeated."),
    ] = None,
    arms: Annotated[Path | None, typer.Option(metavar="FILE", help="Arms from a YAML file.")] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="When the arms part: '14 day' or 'live.tumor > 500'; else the first dose."),
    ] = None,
    until: Until = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="N", help="Seeds: how many (3), or which (1,4,7); 3 when left out.")
    ] = None,
    species: Annotated[str | None, typer.Option(help="Whose plasma: human or mouse.")] = None,
    set: SetOption = None,
    out: Out = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    other_code: OtherCode = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Grow a tumor once, treat it in several ways from one state, and compare the arms with an untreated one."""
    from ..errors import InputError
    from ..run import api
    from ..study import treating
    from .options import say_problems
    from .studies import going_on, say, say_cost, scheduled, showing

    told: dict[str, Any] = treating.read_arms(arms) if arms is not None else {}
    wanted = {**told.get("arms", {})}
    for item in arm or ():
        name, doses = parted(item)
        if name in wanted:
            raise InputError(f"--arm {item}", f"two arms are called {name}.", remedy="Give each a name of its own.")
        wanted[name] = doses
    if not wanted:
        raise InputError(
            "--arm",
            "no arm is given;",
            "expected e.g. --arm 'anti-PD-1: pembrolizumab 200 mg every 3 weeks from day 14'.",
        )
    shared = {**told.get("therapy", {}), **({"species": species} if species else {})}
    what: Any = given
    if set and Path(given).is_dir():
        raise InputError("--set", "a run is given;", "expected changes in arms, as {PATH: VALUE} in a file of arms.")
    if not Path(given).is_dir():
        what = load(given, set)
    design = treating.treat_design(
        what, wanted, at or told.get("at"), until or told.get("until"), seeds or told.get("seeds"), shared,
        other_code=other_code,
    )  # fmt: skip
    known = {str(p) for p in what.problems} if not isinstance(what, str) else {""}
    say_problems([p for a in design.arms for p in a.model.problems if str(p) not in known and "therapy" in p.path])
    folder = out or api.new_folder(f"{treating.name_of(given)}-treat")
    say_cost(design, workers, quiet)
    with going_on(), scheduled(scheduler) as client:
        say(treating.perform(design, folder, workers=workers, overwrite=overwrite, progress=showing(quiet),
                             client=client))  # fmt: skip


def parted(item: str) -> tuple[str, str]:
    """Name and doses of an arm. Raises InputError.

    >>> parted("chemotherapy: doxorubicin 60 mg/m2 on day 3")
    ('chemotherapy', 'doxorubicin 60 mg/m2 on day 3')
    """
    from ..errors import InputError

    name, sign, doses = item.partition(":")
    if not sign or not name.strip() or not doses.strip():
        raise InputError(f"--arm {item}", "it has no name or no doses;", "expected NAME: DOSES; DOSES.")
    return name.strip(), doses.strip()
