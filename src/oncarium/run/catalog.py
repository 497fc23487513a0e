"""Write spec/catalog.json from the mechanisms:  python -m oncarium.run.catalog"""

from __future__ import annotations

import importlib
import json
import pkgutil

from .. import biology
from ..biology.cycle import CYCLES
from ..engine.column import Column
from ..engine.loop import Maker
from ..engine.process import Process
from ..spec.catalog import PATH


def declared_columns() -> list[Column]:
    """Every column that a module of the biology declares, in the order of the modules' names."""
    found: dict[str, Column] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(biology.__path__)):
        for value in vars(importlib.import_module(f"{biology.__name__}.{module}")).values():
            columns: list[Column] = []
            if isinstance(value, Column) and value.name:
                columns = [value]
            elif isinstance(value, type) and issubclass(value, Process):
                columns = list(value.declared.values())
            elif isinstance(value, Maker):
                columns = list(value.options.get("columns", ()))
            for c in columns:
                found.setdefault(c.name, c)
    return sorted(found.values(), key=lambda c: c.name)


def text() -> str:
    """The catalog as JSON."""
    columns = [
        {"name": c.name, "unit": c.unit, "kind": c.kind, "default": float(c.default), "ge": c.ge, "le": c.le, "axis": c.axis, "doc": c.doc}
        for c in declared_columns()
    ]
    cycles = [{"name": m.name, "phases": m.phases, "rates": m.rates, "fixed": m.fixed} for m in CYCLES.values()]
    return json.dumps({"columns": columns, "cycles": cycles}, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
