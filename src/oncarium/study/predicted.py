"""Concentrations that a drug's model expects where a table of NONMEM has samples: the table's doses, resets and steady
states, given to the pharmacokinetics of each patient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from ..model.doses import Doses, Nonmem
    from ..model.plasma import Plasma

NOW = 1e-9  # min after a dose, for a sample of the same time that sees it


def predicted(
    table: Nonmem, plasma: Callable[[str], Plasma], mass: float, ties: str = "row", doses: Doses | None = None
) -> np.ndarray:  # fmt: skip
    """Total concentration in plasma (nM) at every sample of a table.

    plasma   of a patient, by its name     mass   of the drug, g/mol
    ties     whether a sample sees a dose of its own time: by the order of rows ("row"), or always ("dose first")
    doses    in place of those of the table

    A reset (EVID 3 or 4) leaves nothing; a steady state (SS 1) takes the place of what is there, or (SS 2) adds to it.
    Raises InputError: several drugs, an unknown way to count ties.

    >>> from oncarium.model.doses import read_nonmem
    >>> from oncarium.model.plasma import Plasma
    >>> found = read_nonmem("TIME,AMT,EVID,DV\\n0,3,1,.\\n24,0,0,9\\n", "d.csv")
    >>> body = Plasma(70.0, 1.8, central=3.0, clearance=3.0 * math.log(2) / 1440)
    >>> predicted(found, lambda patient: body, 1000.0).round(6).tolist()    # 3 mg = 3000 nmol in 3 l, half a day later
    [500.0]
    """
    from ..model.doses.nonmem import TIES

    if ties not in TIES:
        raise InputError("ties", f"'{ties}' is no way to count them;", f"expected {' or '.join(TIES)}.")
    given = table.doses() if doses is None else doses
    names = {d.what for d in given if d.kind == "drug"}
    if len(names) > 1:
        raise InputError("doses", f"they are of {', '.join(sorted(names))};", "expected one drug at a time.")
    out = np.full(len(table.samples), np.nan)
    for who in dict.fromkeys(s.patient for s in table.samples):
        body = plasma(who)
        own = given.of(who).resolved(dict.fromkeys(names, mass), body.weight, body.area)
        of = [k for k, s in enumerate(table.samples) if s.patient == who]
        out[of] = _patient([table.samples[k] for k in of], list(own), body, ties)
    return out


def _patient(samples: list[Any], doses: list[Any], body: Plasma, ties: str) -> np.ndarray:
    from ..biology.drugs.pharmacokinetics import Given, Pharmacokinetics

    blood = Pharmacokinetics(body)
    place = blood.states.index("central")
    state, now, going = blood.start(), 0.0, list[Any]()
    out = np.full(len(samples), np.nan)

    def forward(to: float) -> None:
        nonlocal state, now
        if to > now:
            state, now = blood.advance(state, now, to, going), to

    events = [(d.time, d.row, 0, k) for k, d in enumerate(doses)]
    late = math.inf if ties == "dose first" else 0.0  # at one time, samples after all doses
    events += [(s.time, s.row + late, 1, k) for k, s in enumerate(samples)]
    for time, _, kind, k in sorted(events):
        forward(time)
        if kind == 1:
            seen = any(d.time == time and not d.duration for d in going)
            out[k] = (blood.advance(state, now, now + NOW, going) if seen else state)[place] / body.central
            continue
        d = doses[k]
        if d.kind == "reset" or d.resets or (d.steady and not d.added):
            state, going = blood.start(), []
        if d.kind == "reset":
            continue
        forever = math.isinf(d.steady)
        one = Given(time, d.amount, d.route, d.duration)
        if d.steady:
            rest = blood.start()
            state = state + blood.steady(one, d.duration if forever else d.steady) - rest
        if not forever:
            going.append(one)
    return out
