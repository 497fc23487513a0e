"""JSON schema of model files, for editors: completion, units and meanings while typing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import catalog, vessels
from .cell import KINDS
from .environment import COMPAT, FACES, FACTOR_KEYS, FACTOR_UNITS, NUMERICS, SOLVERS
from .regions import REGIONS
from .sections import FIRST_LOOKS
from .slide.words import OTHERS, ROLES

QUANTITY = {
    "anyOf": [
        {
            "type": "string",
            "description": "number unit @Source M low..high (M, R or L), or number unit assumed low..high",
        },
        {"type": "number"},
    ]
}


def _quantity(unit: str, doc: str = "") -> dict[str, Any]:
    return {**QUANTITY, "description": f"{doc} [{unit}]".strip()}


def json_schema() -> dict[str, Any]:
    """The schema as a dict.

    >>> sorted(json_schema()["properties"])[:3]
    ['body', 'cells', 'clock']
    """
    sections: dict[str, Any] = {}
    for entry in catalog.columns().values():
        if not entry.settable:
            continue
        one = _quantity(entry.unit, entry.doc)
        value = (
            {
                "anyOf": [{"type": "object", "additionalProperties": one}, *QUANTITY["anyOf"]],
                "description": one["description"],
            }
            if entry.axis
            else one
        )
        section = sections.setdefault(
            entry.section, {"type": "object", "additionalProperties": False, "properties": {}}
        )
        section["properties"][entry.attribute] = value
    cycle = sections.setdefault("cycle", {"type": "object", "additionalProperties": False, "properties": {}})
    phase = {"anyOf": [{"type": "object", "additionalProperties": QUANTITY}, *QUANTITY["anyOf"]]}
    cycle["properties"] |= {
        "model": {"enum": list(catalog.cycles())},
        "exit": {**phase, "description": "exit rate of each phase [1/min]"},
        "duration": {**phase, "description": "mean duration of each phase [min]"},
        "fixed": {
            "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}],
            "description": "phases of fixed duration",
        },
    }
    sections["motility"]["properties"]["normalized"] = {
        "type": "boolean",
        "description": "normalize each gradient before weighting",
    }
    text = {"type": "string"}
    sentence = "<signal> increases|decreases <behavior> to <value>, half <value>, hill <number>, pathway <name>"
    sentences = {"type": "array", "items": {**text, "description": sentence}}
    pair = {"type": "array", "items": {"anyOf": [*QUANTITY["anyOf"], {"type": "null"}]}, "minItems": 2, "maxItems": 2}
    sections["network"] = {
        "type": "object",
        "description": "a Boolean network: file, settings, time, parameters, hold, inputs",
        "additionalProperties": True,
    }
    cell = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **sections,
            "library": text,
            "like": text,
            "doc": text,
            "custom": {
                "type": "object",
                "additionalProperties": QUANTITY,
                "description": "values of the model's custom variables",
            },
            "distributions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["column"],
                    "properties": {"column": text, "between": pair, **dict.fromkeys(KINDS, pair)},
                },
                "description": "values drawn for every cell placed at the start",
            },
            "sleeps": {
                "type": "object",
                "additionalProperties": text,
                "description": "rules that do nothing as long as nobody interferes: signal on behavior, and why",
            },
            "varies": {
                "type": "object",
                "additionalProperties": QUANTITY,
                "description": "behavior: standard deviation of its logarithm among the cells of this type",
            },
            "rules": {
                "anyOf": [
                    sentences,
                    {
                        "type": "object",
                        "properties": {
                            "add": {**sentences, "description": "rules besides those that lie below"},
                            "drop": {
                                "type": "array",
                                "items": {**text, "description": "rules to leave out: signal on behavior, * for any"},
                            },
                            "all": {"description": "the rules that are edited, as a list or as edits of a list"},
                        },
                        "additionalProperties": False,
                    },
                ]
            },
        },
    }
    condition = {
        "anyOf": [
            {"const": "no-flux"},
            *QUANTITY["anyOf"],
            {
                "type": "object",
                "properties": {"value": QUANTITY, "voxels": QUANTITY, "exchange": QUANTITY, "outside": QUANTITY},
                "additionalProperties": False,
            },
        ]
    }
    faces = {"type": "object", "properties": dict.fromkeys(FACES, condition), "additionalProperties": False}
    factor: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(FACTOR_KEYS, QUANTITY),
    }
    factor["properties"] |= {
        "library": text,
        "doc": text,
        "unit": {"enum": list(FACTOR_UNITS)},
        "solver": {"enum": list(SOLVERS)},
        "boundary": {"anyOf": [condition, faces]},
        "fixed": {"type": "array", "items": {"type": "object"}},
        "initial": {
            "anyOf": [
                *QUANTITY["anyOf"],
                {"type": "object", "properties": {"table": text}, "required": ["table"], "additionalProperties": False},
            ]
        },
    }
    interval = {"type": "array", "items": QUANTITY, "minItems": 2, "maxItems": 2}
    placement = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "cells": text,
            "count": {"type": "integer"},
            "packing": {"const": "hexagonal"},
            "spacing": QUANTITY,
            "table": text,
            "clip": {"type": "boolean", "description": "move cells outside the domain to its edge"},
            "inactive": {"type": "boolean", "description": "place cells outside the domain there; they take no part"},
            "with": {"type": "object", "description": "values that these cells start with, by the column's name"},
            "gives": {
                "type": "array",
                "items": text,
                "description": "further columns of the table; written by the program",
            },
            "outside": {
                "type": "integer",
                "description": "cells of the table that take no part; written by the program",
            },
            "numbers": {
                "type": "object",
                "additionalProperties": {"type": "integer"},
                "description": "number of each cell type in the table",
            },
            **{r: {} for r in REGIONS},
            "slide": {**text, "description": "cells of a slide: a table, AnnData, SpatialData or an image of labels"},
            "columns": {"type": "object", "properties": dict.fromkeys(ROLES, text), "additionalProperties": False},
            "pixel": _quantity("um", "um per pixel"),
            "y": {"enum": ["down", "up"], "description": "whether y counts down, as in images"},
            "origin": {"anyOf": [{"const": "center"}, pair], "description": "um of the slide in the middle"},
            "crop": {"type": "object", "description": "part of the slide that is taken: x and y, from and to"},
            "types": {"type": "object", "additionalProperties": text, "description": "name in the slide: cell type"},
            "others": {"enum": list(OTHERS), "description": "what becomes of cells of no type"},
            "classes": {**text, "description": "table of the labels of an image and their types"},
            "element": {**text, "description": "element of SpatialData"},
            "only": {"type": "object", "additionalProperties": text, "description": "column: value of rows to take"},
            "relax": {"type": "boolean", "description": "push overlapping cells apart before time 0"},
            "trust": {"type": "boolean", "description": "take positions whatever they look like"},
        },
    }
    region: dict[str, Any] = {r: {} for r in REGIONS}

    def numbers(units: Mapping[str, tuple[str, str]], **more: Any) -> dict[str, Any]:
        """A group of numbers: name -> unit and meaning."""
        properties = {name: _quantity(unit, doc) for name, (unit, doc) in units.items()} | more
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def inner(outer: str) -> dict[str, Any]:
        """Groups of numbers that mechanisms have in a section."""
        return {
            path.partition(".")[2]: numbers({n.name: (n.unit, n.doc) for n in told})
            for path, told in catalog.groups().items()
            if path.startswith(f"{outer}.")
        }

    def one_or_many(one: dict[str, Any]) -> dict[str, Any]:
        return {"anyOf": [one, {"type": "array", "items": one}]}

    laid = {
        way: one_or_many(numbers({name: (unit, "") for name, (unit, *_) in told.items()}, **region))
        for way, told in vessels.NUMBERS.items()
    }
    blood = {name: _quantity(unit, "of the blood that enters") for name, (unit, *_) in vessels.BLOOD.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Oncarium model",
        "type": "object",
        "additionalProperties": False,
        "required": ["domain"],
        "properties": {
            "oncarium": {"description": "format of this file: 1"},
            "name": text,
            "title": text,
            "look": {**text, "description": "what to look at in its results"},
            "description": text,
            "include": {"anyOf": [text, {"type": "array", "items": text}]},
            "domain": {
                "type": "object",
                "additionalProperties": False,
                "required": ["x", "y", "voxel"],
                "properties": {
                    "x": interval,
                    "y": interval,
                    "z": interval,
                    "thickness": QUANTITY,
                    "voxel": {"anyOf": [*QUANTITY["anyOf"], {"type": "array", "items": QUANTITY}]},
                    "open": {
                        "anyOf": [{"enum": ["all", *FACES]}, {"type": "array", "items": {"enum": ["all", *FACES]}}],
                        "description": "faces through which cells leave that are pushed out",
                    },
                },
            },
            "clock": {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys(("transport", "mechanics", "phenotype", "error"), QUANTITY),
            },
            "until": QUANTITY,
            "seed": {"type": "integer", "minimum": 0},
            "numerics": {"enum": list(NUMERICS), "description": "whose solvers and order of operations"},
            "compat": {"enum": list(COMPAT), "description": "reproduce the known bugs of this version of PhysiCell"},
            "internalise": {"type": "boolean", "description": "keep account of what each cell has taken up"},
            "start": {
                "enum": list(FIRST_LOOKS),
                "description": "concentrations that the first decisions see: solved, given, or in balance with cells",
            },
            "custom": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"unit": {"const": "1"}, "conserved": {"type": "boolean"}, "doc": text},
                },
                "description": "variables of your own that cells carry and rules may read and change",
            },
            "record": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    **dict.fromkeys(("cells", "fields", "checkpoint"), QUANTITY),
                    "columns": {"type": "array", "items": text},
                },
            },
            "factors": {"type": "object", "additionalProperties": factor},
            "cells": {"type": "object", "additionalProperties": cell},
            "initial": {"type": "array", "items": placement},
            "matrix": {
                "type": "object",
                "description": "density, crosslink, hyaluronan, fibres, order, patches, membrane, period",
                "properties": inner("matrix"),
            },
            "vessels": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "description": "blood vessels: where they are, their blood, and what becomes of them",
                "properties": {
                    **laid,
                    **blood,
                    "given": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": dict.fromkeys(vessels.FILES, text),
                    },
                    "split": {"enum": list(vessels.SPLITS), "description": "how red cells part at bifurcations"},
                    "species": {"enum": list(vessels.SPECIES), "description": "whose blood it is"},
                    "adapted": {"type": "boolean", "description": "whether radii adapt before time 0"},
                    "period": _quantity("min", "between updates of flow and walls"),
                    **inner("vessels"),
                },
            },
            "fluid": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "description": "interstitial fluid and the lymph vessels that drain it",
                "properties": {
                    "lymph": one_or_many(numbers({"density": ("1", "lymph vessels, 1 as in normal tissue")}, **region)),
                    "period": _quantity("min", "between solutions"),
                    "margin": _quantity("um", "of the same tumor beyond each face"),
                    **inner("fluid"),
                },
            },
            "represents": _quantity("um^3", "volume of the lesion of which this is a piece"),
            "supply": {
                "type": "array",
                "items": {"type": "object"},
                "description": "voxels that exchange factors with blood",
            },
            "body": {
                "type": "object",
                "description": "compartments of the body: start, gain, loss, grow, by, half, flows",
            },
            "entry": {
                "type": "array",
                "items": {"type": "object"},
                "description": "cells that enter: cells, from, at (edge, supply, vessel), rate, size, signal, half",
            },
            "exit": {
                "type": "array",
                "items": {"type": "object"},
                "description": "cells that leave: cells, to, at (edge, supply, lymph), rate, size, when, carries",
            },
            "stop_when": {
                "anyOf": [text, {"type": "array", "items": text}],
                "description": "when a run stops before its end, e.g. live.tumor < 1 for 1 day",
            },
            "sources": {"type": "object", "additionalProperties": text},
        },
    }
