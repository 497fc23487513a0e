"""What stands beside a network of vessels: how thick its blood is, how its cells divide, the oxygen of its tissue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import InputError, ModelError, Problem, nearest
from .files import Document, is_there, parse, read_bytes
from .named_columns import SHARE
from .rows import number_in

PLASMA, HUMAN, RAT = 1.0466, 92.0, 55.0  # cP; fl of a red cell: as the law of 1994 was used by its authors
LAWS = ("constant", "pries_in_vivo_1994")
RULES = ("fixed", "phase_separation")
WORDS = ("viscosity", "hematocrit", "flow", "oxygen", "modes", "default", "domain_um", "box_um", "tissue_points",
         "target_pressure_mmHg", "target_shear_dyn_cm2", "bias_factor_kappa")  # fmt: skip
ENDLESS = (-math.inf, math.inf)


@dataclass(frozen=True)
class VesselParameters:
    """The parameters of one network.

    constant   cP everywhere; None: by diameter and haematocrit      plasma   cP     cell   fl, of a red cell
    fixed      discharge haematocrit everywhere; None: cells divide by the law of phase separation
    given      flow and haematocrit are columns of the segments, not results
    oxygen     what is said of blood and tissue, as texts            box      x, y and z that all nodes lie in, um
    tissue     size of the box of tissue from the origin, um
    target     pressure (mmHg) and shear (Pa) where ends are unknown; a shear of nan: by pressure
    bias       factor on the shear; None: from the solution
    """

    constant: float | None = None
    plasma: float = PLASMA
    cell: float = HUMAN
    fixed: float | None = None
    given: bool = False
    oxygen: Mapping[str, Any] = field(default_factory=dict)
    box: tuple[tuple[float, float], ...] | None = None
    tissue: tuple[float, float, float] | None = None
    target: tuple[float, float] = (31.0, math.nan)
    bias: float | None = None
    mode: str = ""


class _Reader:
    """Texts of a document as numbers; problems are collected."""

    def __init__(self, document: Document, name: str):
        self.document, self.name = document, name
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str, expected: str = "", remedy: str = "") -> None:
        self.problems.append(Problem(self.document.where(path) or self.name, path, message, expected, remedy))

    def number(self, path: str, text: Any, expected: str = "a finite number", least: float = -math.inf) -> float:
        value = number_in(text) if isinstance(text, str) else None
        if value is None or not math.isfinite(value) or value <= least:
            self.wrong(path, f"it is '{text}';", f"expected {expected}.")
            return math.nan
        return value

    def word(self, path: str, text: Any, allowed: tuple[str, ...]) -> str:
        if text not in allowed:
            near = nearest(str(text), allowed)
            self.wrong(
                path,
                f"it is '{text}';",
                f"expected {' or '.join(allowed)}.",
                f"Did you mean '{near[0]}'?" if near else "",
            )
            return ""
        return str(text)


def read_parameters(folder: Path, mode: str | None = None) -> VesselParameters:
    """Read parameters.yaml of a folder, or of the folder that it lies in; without either, the defaults.

    mode   one of its modes; left out: the one that the file calls its default

    Raises ModelError with all problems, InputError where there is no such mode.

    >>> _ = Path("parameters.yaml").write_text("viscosity: {law: constant, cP: 3.0}")
    >>> read_parameters(Path(".")).constant
    3.0
    """
    path = next(
        (p for p in (folder / "parameters.yaml", folder.resolve().parent / "parameters.yaml") if is_there(p)), None
    )
    if path is None:
        if mode:
            raise InputError(f"--mode {mode}", "there is no parameters.yaml, and so no mode.", remedy="Leave it out.")
        return VesselParameters()
    document = parse(read_bytes(path).decode("utf-8", "replace"), path.name)
    reader = _Reader(document, path.name)
    tree = dict(document.tree)
    for word in tree:
        near = nearest(word, WORDS)
        if word not in WORDS and near and near[0][:4] == word[:4]:
            reader.wrong(word, f"'{word}' is not known.", remedy=f"Did you mean '{near[0]}'?")
    modes = tree.get("modes")
    if modes is not None and not isinstance(modes, dict):
        reader.wrong("modes", f"it is '{modes}';", "expected names with their viscosity and hematocrit.")
        modes = None
    if mode and mode not in (modes or {}):
        near = nearest(mode, modes or ())
        known = f"{path.name} has {', '.join(modes)}." if modes else f"{path.name} has no modes."
        raise InputError(f"--mode {mode}", known, remedy=f"Did you mean '{near[0]}'?" if near else "")
    chosen = mode or tree.get("default") or ""
    prefix = ""
    if modes and not chosen and not {"viscosity", "hematocrit"} & set(tree):
        raise InputError("--mode", "several modes, and none is the default.", f"Expected one of {', '.join(modes)}.")
    if modes and chosen:
        if chosen not in modes or not isinstance(modes[chosen], dict):
            reader.wrong("default", f"no mode is called '{chosen}'.", f"There are {', '.join(modes)}.")
        else:
            tree |= modes[chosen]
            prefix = f"modes.{chosen}."
    parameters = _read(reader, tree, prefix, str(chosen))
    if reader.problems:
        raise ModelError(reader.problems)
    return parameters


def _read(reader: _Reader, tree: Mapping[str, Any], prefix: str, mode: str) -> VesselParameters:
    out = VesselParameters(mode=mode)
    for key in ("viscosity", "hematocrit", "oxygen", "domain_um"):
        if key in tree and not isinstance(tree[key], dict):
            reader.wrong(prefix + key, f"it is '{tree[key]}';", "expected a group of values.")
            return out
    viscosity = tree.get("viscosity", {})
    at = f"{prefix}viscosity"
    if viscosity:
        law = reader.word(f"{at}.law", viscosity.get("law"), LAWS)
        if law == "constant":
            out = replace(out, constant=reader.number(f"{at}.cP", viscosity.get("cP"), "cP, above 0", 0.0))
        elif law:
            plasma = reader.number(f"{at}.plasma_cP", viscosity.get("plasma_cP", str(PLASMA)), "cP, above 0", 0.0)
            cell = reader.number(f"{at}.mcv_fl", viscosity.get("mcv_fl", str(HUMAN)), "fl, above 0", 0.0)
            out = replace(out, plasma=plasma, cell=cell)
    cells = tree.get("hematocrit", {})
    if cells:
        at = f"{prefix}hematocrit"
        if reader.word(f"{at}.rule", cells.get("rule"), RULES) == "fixed":
            value = reader.number(f"{at}.value", cells.get("value"), SHARE.words)
            if not math.isnan(value) and not SHARE.fits(value):
                reader.wrong(f"{at}.value", f"it is '{cells.get('value')}';", f"expected {SHARE.words}.")
            out = replace(out, fixed=value)
    if "flow" in tree:
        out = replace(out, given=bool(reader.word("flow", tree["flow"], ("given",))))
    box = tree.get("domain_um")
    if box:
        ends = []
        for axis in "xyz":
            pair = box.get(axis) or [None, None]
            if not isinstance(pair, list) or len(pair) != 2:
                reader.wrong(f"domain_um.{axis}", f"it is '{pair}';", "expected two numbers, um.")
                pair = ["0", "0"]
            ends.append((reader.number(f"domain_um.{axis}", pair[0]), reader.number(f"domain_um.{axis}", pair[1])))
        out = replace(out, box=tuple(ends))
    if "box_um" in tree:
        size = tree["box_um"]
        if not isinstance(size, list) or len(size) != 3:
            reader.wrong("box_um", f"it is '{size}';", "expected three numbers, um.")
        else:
            x, y, z = (reader.number("box_um", v, "um, above 0", 0.0) for v in size)
            out = replace(out, tissue=(x, y, z))
    pressure, shear = out.target
    if "target_pressure_mmHg" in tree:
        pressure = reader.number("target_pressure_mmHg", tree["target_pressure_mmHg"], "mmHg")
    if "target_shear_dyn_cm2" in tree:
        shear = 0.1 * reader.number("target_shear_dyn_cm2", tree["target_shear_dyn_cm2"], "dyn/cm^2, above 0", 0.0)
    if "bias_factor_kappa" in tree:
        out = replace(out, bias=_first_number(tree["bias_factor_kappa"]))
    return replace(out, target=(pressure, shear), oxygen=tree.get("oxygen", {}))


def _first_number(text: Any) -> float | None:
    """The number that a remark starts with, if any."""
    return number_in(str(text).split()[0]) if str(text).split() else None


def with_options(
    parameters: VesselParameters, viscosity: str | None = None, hematocrit: str | None = None
) -> VesselParameters:
    """The parameters, changed by what a command line says. Raises InputError.

    viscosity   "constant:3" (cP), "human" or "rat"     hematocrit   "fixed:0.4" or "phase"

    >>> with_options(VesselParameters(), "constant:3", "fixed:0.4").fixed
    0.4
    """
    if viscosity is not None:
        word, _, text = viscosity.partition(":")
        value = number_in(text)
        if word == "constant" and value is not None and 0.0 < value < math.inf:
            parameters = replace(parameters, constant=value)
        elif viscosity in ("human", "rat"):
            parameters = replace(parameters, constant=None, cell=HUMAN if word == "human" else RAT)
        else:
            raise InputError(f"--viscosity {viscosity}", "it is no law;", "expected constant:3 (cP), human or rat.")
    if hematocrit is not None:
        word, _, text = hematocrit.partition(":")
        value = number_in(text)
        if word == "fixed" and value is not None and SHARE.fits(value):
            parameters = replace(parameters, fixed=value)
        elif hematocrit == "phase":
            parameters = replace(parameters, fixed=None)
        else:
            expected = f"expected fixed:0.4 ({SHARE.words}) or phase."
            raise InputError(f"--hematocrit {hematocrit}", "it is no rule;", expected)
    return parameters


def box_of(text: str) -> tuple[tuple[float, float], ...]:
    """x, y and z of a domain, um, from "0..400,-300..300,-10..10". Raises InputError.

    >>> box_of("0..400,-300..300,-10..10")
    ((0.0, 400.0), (-300.0, 300.0), (-10.0, 10.0))
    """
    spans = [[number_in(end.removesuffix("um")) for end in span.split("..")] for span in text.split(",")]
    ends = [
        (a, b)
        for a, b in (s if len(s) == 2 else (None, None) for s in spans)
        if a is not None and b is not None and a < b
    ]
    if len(spans) != 3 or len(ends) != 3:
        raise InputError(
            f"--domain {text}", "it is no box;", "expected x, y and z in um, e.g. 0..400,-300..300,-10..10."
        )
    return tuple(ends)
