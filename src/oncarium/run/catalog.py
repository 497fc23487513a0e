"""Write model/catalog.json from the mechanisms:  python -m oncarium.run.catalog"""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any

import numpy as np

from .. import biology
from ..biology.cycle import CYCLES
from ..biology.fluid.state import Fluid
from ..biology.matrix.state import Matrix
from ..biology.metastasis.state import Spread
from ..biology.order import ORDERS
from ..biology.vessels.state import Vessels
from ..engine.column import Column
from ..engine.fields import Grid
from ..engine.loop import Maker
from ..engine.process import Process, plain
from ..model.catalog import PATH


def _modules() -> list[Any]:
    return [
        importlib.import_module(m.name)
        for m in sorted(pkgutil.walk_packages(biology.__path__, f"{biology.__name__}."), key=lambda m: m.name)
    ]


def declaring() -> list[Any]:
    """Every Process and loop of the biology that declares a column."""
    found = [
        v
        for m in _modules()
        for v in vars(m).values()
        if isinstance(v, Maker) or (isinstance(v, type) and issubclass(v, Process))
    ]
    return [v for v in dict.fromkeys(found) if v.declared]


def declared_columns() -> list[Column]:
    """Every column that a module of the biology declares, in the order of their names."""
    columns = [v for m in _modules() for v in vars(m).values() if isinstance(v, Column) and v.name]
    columns += [c for mechanism in declaring() for c in mechanism.declared.values()]
    return sorted({c.name: c for c in reversed(columns)}.values(), key=lambda c: c.name)


def mechanisms() -> list[dict]:
    """What a model must know of every mechanism: the sections it answers for, the words that switch it on, what it
    works on and makes, and the numerics that have it."""
    kinds = {c.name: c.kind for c in declared_columns()}
    out: dict[str, dict] = {}
    for numerics, order in ORDERS.items():
        for m in order.mechanisms:
            m = plain(m)
            own = (m.section,) if getattr(m, "section", "") else ()
            sections = m.serves or tuple(dict.fromkeys([*own, *(c.partition(".")[0] for c in m.declared if "." in c)]))
            words = m.words or own
            modulates = [w for w in getattr(m, "adds", ()) if kinds.get(w) == "behavior"]
            known = {
                "serves": sections,
                "words": words,
                "needs": m.needs,
                "makes": m.makes,
                "part": m.part,
                "modulates": modulates,
            }
            entry = out.setdefault(m.__name__, {"name": m.__name__, **known, "numerics": []})
            if numerics not in entry["numerics"]:
                entry["numerics"].append(numerics)
    return list(out.values())


def groups() -> dict[str, list[dict]]:
    """Numbers of the mechanisms by the group of a model where they stand."""
    out: dict[str, list[dict]] = {}
    for order in ORDERS.values():
        for m in order.mechanisms:
            m = plain(m)
            if getattr(m, "group", ""):
                known = {n["name"] for n in out.setdefault(m.group, [])}
                out[m.group] += [vars(n) for n in m.numbers if n.name not in known]
    return out


def summary() -> dict[str, dict[str, str]]:
    """Series of a run's summary, name -> unit: of every cell type, and of members of the tissue (the matrix
    with its membrane)."""
    columns = [*declared_columns()]
    cells = {group: "1" for c in columns for group in c.counted} | {c.summed: c.unit for c in columns if c.summed}
    grid = Grid((0, 0, 0), (1, 1, 1), (1, 1, 2))
    matrix = Matrix(grid)
    matrix.enclose(np.array([[[True, False]]]))
    members: dict[str, Any] = {
        "matrix": matrix,
        "vessels": Vessels.empty(),
        "fluid": Fluid(grid),
        "metastasis": Spread(),
    }
    return {"cells": cells} | {
        name: {k.partition(".")[2]: unit for k, (_, unit) in part.summary().items()} for name, part in members.items()
    }


def text() -> str:
    """The catalog as JSON."""
    columns = [
        {
            "name": c.name, "unit": c.unit, "kind": c.kind, "default": float(c.default), "ge": c.ge, "le": c.le,
            "axis": c.axis, "settable": c.settable, "wakes": c.wakes, "at_death": c.at_death, "doc": c.doc,
        }
        for c in declared_columns()
    ]  # fmt: skip
    cycles = [{"name": m.name, "phases": m.phases, "rates": m.rates, "fixed": m.fixed} for m in CYCLES.values()]
    events = list(dict.fromkeys(e for order in ORDERS.values() for e in order.events))
    told = {
        "columns": columns,
        "cycles": cycles,
        "mechanisms": mechanisms(),
        "groups": groups(),
        "events": events,
        "summary": summary(),
    }
    return json.dumps(told, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
