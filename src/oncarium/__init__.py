"""Oncarium: the tumor microenvironment, from a readable model to measured results.

    import oncarium as oc
    model = oc.load("hypoxic_tumor")
    result = oc.run(model, until="5 day", seed=1)
    oc.plot.tissue(result, "5 day")

Everything is imported when first used: `import oncarium` itself costs next to nothing.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

__version__ = "0.1.0"

_NAMES = {
    "EXAMPLE": "model.model",
    "Model": "model.model",
    "Simulation": "run.simulation",
    "Recorder": "run.recorder",
    "Result": "run.result",
    "Results": "run.results",
    "load": "run.api",
    "edit": "run.api",
    "check": "run.api",
    "open": "exchange",
    "export": "exchange.formats",
    "resume": "run.api",
    "branch": "study.branching",
    "treat": "study.treating",
    "scenarios": "run.api",
    "repeat": "study.verbs",
    "sweep": "study.verbs",
    "compare": "study.verbs",
    "Calibration": "study.calibration",
    "Target": "study.calibration",
    "Trial": "study.trial",
    "operating_points": "run.operating",
    "drug": "model.drug",
    "drugs": "model.drug",
    "levels": "analysis.plasma",
    "read_out": "analysis.responses",
    "responses": "analysis.responses",
    "report": "analysis.report",
    "preview": "analysis.preview",
    "movie": "analysis.movie",
    "dose_response": "analysis.dose_response",
    "read_doses": "model.doses",
    "read_cohort": "study.cohort",
    "Trait": "engine.column",
    "State": "engine.column",
    "Signal": "engine.column",
    "Behavior": "engine.column",
    "Process": "engine.process",
    "each_cell": "engine.loop",
    "each_contact": "engine.loop",
    "each_voxel": "engine.loop",
    "ModelError": "errors",
    "NumericsError": "errors",
    "DataError": "errors",
    "InputError": "errors",
    "OncariumError": "errors",
}
_MODULES = {"run": "run", "plot": "analysis.plot", "measure": "analysis.measure", "spatial": "analysis.spatial"}
_FORMER = {"spec": "model"}
__all__ = sorted([*_NAMES, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"oncarium.{_MODULES[name]}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"oncarium.{_NAMES[name]}"), name)
    if name in _FORMER:
        warnings.warn(f"oc.{name} is called oc.{_FORMER[name]} now", DeprecationWarning, stacklevel=2)
        return importlib.import_module(f"oncarium.{_FORMER[name]}")
    from .errors import did_you_mean

    raise AttributeError(f"oncarium has no {name!r}.{did_you_mean(name, __all__)}")


def __dir__() -> list[str]:
    return __all__
