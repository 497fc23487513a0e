"""What surrounds the cells, as a settings XML says it: domain, time steps, what is saved, substrates."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

from ...errors import did_you_mean, shown
from ..environment import FACES
from ..files import Document, is_there
from .xml import LONGEST, SHORTEST, Element

SAFE_FOLDER = re.compile(r"[\w ./\\:~+-]*")
FOR_A_SHELL = re.compile(r"[;|&$`<>\"'(){}*?!\n\r]")
TICK = 3.0  # min, of transport and mechanics in our own numerics
PARTS = 240  # finest tick: this part of the phenotype's time step


class Surroundings:
    """The parts of a settings file that are not cells, on their way to a Document."""

    def __init__(self, root: Element, path: Path, numerics: str, compat: str, ignore: tuple[str, ...]):
        self.root, self.path = root, path
        self.folder = path.parent
        self.numerics, self.compat, self.ignore = numerics, compat, ignore
        self.document = Document({})
        self.idle: list[str] = []  # elements that are known and have no effect here

    def put(self, path: tuple[str, ...], value: Any, place: tuple[str, int, int] | None = None) -> None:
        """Set one value of the tree."""
        here: Any = self.document.tree
        for part in path[:-1]:
            here = here.setdefault(part, {})
        here[path[-1]] = value
        if place:
            for k in range(1, len(path)):
                self.document.places.setdefault(".".join(path[:k]), place)
            self.document.places[".".join(path)] = place

    # -- domain, time, output ---------------------------------------------------------------------------------------

    def read_domain(self, group: Element | None) -> bool:
        """The section `domain`; returns whether it is 2-D."""
        if group is None:
            self.root.complain("<domain> is missing.")
            return True
        is_2d = group.truth("use_2D")
        for axis in "xy" if is_2d else "xyz":
            ends = [group.child(f"{axis}_{end}") for end in ("min", "max")]
            texts = []
            for end, found in zip(("min", "max"), ends):
                if found is None:
                    group.complain(f"<{axis}_{end}> is missing.")
                elif found.number("um") is not None:
                    texts.append(f"{found.text or '0'} um")
            if len(texts) == 2 and ends[0] and ends[1]:
                self.put(("domain", axis), texts, ends[0].place)
        sizes = []
        for axis in "xyz":
            size = group.child(f"d{axis}")
            value = size.number("um") if size else None
            if size is None:
                group.complain(f"<d{axis}> is missing.")
            elif value is not None:
                sizes.append((value, size))
        if len(sizes) == 3:
            texts = [f"{s.text or '0'} um" for _, s in sizes]
            same = len({v for v, _ in sizes}) == 1
            if not same:
                group.notice("dx, dy and dz differ: PhysiCell's solver takes dx for all three, ours the real ones.")
            self.put(("domain", "voxel"), texts[0] if same else texts, sizes[0][1].place)
            if is_2d:
                self.put(("domain", "thickness"), texts[2], sizes[2][1].place)
        if is_2d:
            z = [group.child("z_min"), group.child("z_max")]
            values = [e.number("um") for e in z if e]
            if len(sizes) == 3 and len(values) == 2 and None not in values:
                span = float(values[1] or 0.0) - float(values[0] or 0.0)
                if abs(span - sizes[2][0]) > 1e-9 * sizes[2][0]:
                    group.notice(f"use_2D: one layer of {sizes[2][0]:g} um around z = 0, whatever z_min and z_max say.")
        tree = self.document.tree.get("domain", {})
        # told already; nothing else shall look wrong for it
        if not {"x", "y", "voxel"} <= set(tree) or not (is_2d or "z" in tree):
            self.document.tree["domain"] = {axis: ["-1e8 um", "1e8 um"] for axis in "xyz"} | {"voxel": "1e8 um"}
            return is_2d
        if not is_2d and len(sizes) == 3 and "z" in tree:
            low, high = (float(t[:-3]) for t in tree["z"])
            if high - low <= sizes[2][0] * (1 + 1e-9):
                group.complain("one layer of voxels without use_2D: cells stay in its plane here.", severity="warning")
        return is_2d

    def read_overall(self, group: Element | None) -> None:
        """The sections `until` and `clock`: PhysiCell's steps with its numerics, else steps that fit the recording."""
        if group is None:
            self.root.complain("<overall> is missing.", "Expected max_time and the time steps.")
            return
        until = group.child("max_time")
        value = until.number("min") if until else 0.0
        if until and value is not None:
            self.put(("until",), f"{until.text or '0'} min", until.place)
        for tag, means in (("time_units", "min"), ("space_units", "um")):
            label = group.child(tag)
            plain = label.text.replace("microns", "um").replace("micron", "um") if label else means
            if label and plain not in (means, ""):
                label.notice(
                    f"'{label.text[:40]}' is a label; PhysiCell always counts in "
                    f"{'minutes' if means == 'min' else 'microns'}."
                )
        steps: dict[str, tuple[float, str, Element]] = {}
        bad = False
        for tag, default in (
            ("dt_diffusion", 0.01),
            ("dt_mechanics", 0.1),
            ("dt_phenotype", 6.0),
            ("dt_intracellular", 0.01),
        ):
            step = group.child(tag)
            value = step.minutes("a time step") if step else default
            bad = bad or value is None
            steps[tag] = (value or default, step.text if step and step.text else f"{default:g}", step or group)
        if bad:
            self.steps = (0.01, 0.1, 6.0)
            return
        a, b, c = (steps[t][0] for t in ("dt_diffusion", "dt_mechanics", "dt_phenotype"))
        self.steps = (a, b, c)
        for short, long in (("dt_diffusion", "dt_mechanics"), ("dt_mechanics", "dt_phenotype")):
            ratio = steps[long][0] / steps[short][0]
            if ratio < 1.0 - 1e-9 or abs(ratio - round(ratio)) > 1e-6 * ratio:
                steps[long][2].complain(f"{long} is {steps[long][1]} min and {short} {steps[short][1]} min.",
                                        "Expected dt_diffusion <= dt_mechanics <= dt_phenotype, each a whole multiple "
                                        "of the one before.")  # fmt: skip
                return
        if self.numerics == "physicell":
            for key, tag in (
                ("transport", "dt_diffusion"),
                ("mechanics", "dt_mechanics"),
                ("phenotype", "dt_phenotype"),
            ):
                self.put(("clock", key), f"{steps[tag][1]} min", steps[tag][2].place)
            return
        save = self.root.child("save")
        full = save.child("full_data", "interval") if save else None
        every = (full.number("min") if full and full.text else None) or c
        every = every if SHORTEST <= every <= LONGEST else c
        parts = max(1, math.ceil(c / TICK - 1e-9))
        fits = [n for n in range(parts, PARTS + 1) if divides(c / n, every)]
        tick = c / (fits[0] if fits else parts)
        for key, minutes in (("transport", tick), ("mechanics", tick)):
            self.put(("clock", key), f"{minutes:.15g} min", group.place)
        self.put(("clock", "phenotype"), f"{steps['dt_phenotype'][1]} min", steps["dt_phenotype"][2].place)
        group.notice(f"our solvers with steps of {tick:g}, {tick:g} and {c:g} min; PhysiCell's own steps of {a:g}, "
                     f"{b:g} and {c:g} min and its order of operations: --numerics physicell.")  # fmt: skip
        self.tick = tick

    def read_options(self, group: Element | None) -> None:
        """The seed, and options that mean nothing here."""
        if group is None:
            return
        old = group.child("legacy_random_points_on_sphere_in_divide")
        if old and old.truth():
            old.notice("the old sampling of division directions is not reproduced; directions are uniform.")
        seed = group.child("random_seed")
        if seed and seed.text and seed.text not in ("random", "system_clock"):
            if not seed.text.isdigit() or int(seed.text) >= 2**63:
                seed.complain(
                    f"'{seed.text[:40]}' is no seed;", "expected a whole number from 0 to 2^63 - 1, or system_clock."
                )
            else:
                self.put(("seed",), seed.text, seed.place)
        elif seed:
            seed.notice("no fixed seed; runs use seed 1 unless --seed says otherwise.")
        mode = group.child("rng_mode")
        if mode and mode.text != "counter_based":
            mode.notice("random numbers are always counter-based here; no result depends on the number of threads.")

    def read_save(self, group: Element | None) -> None:
        """The section `record`; the folder is never used as a path."""
        if group is None:
            return
        folder = group.child("folder")
        if folder:
            self.idle.append("save/folder")
            if FOR_A_SHELL.search(folder.text):
                folder.complain(f"'{folder.text[:60]}' holds characters that a shell would act on;",
                                "expected letters, digits, spaces and . / _ -",
                                "The run goes to a folder of its own (--out); correct or empty this one.")  # fmt: skip
            elif not SAFE_FOLDER.fullmatch(folder.text) or ".." in folder.text:
                folder.complain(f"'{folder.text[:60]}' is never used as a path or given to a shell; the run goes to a "
                                "folder of its own.",
                                "An output folder is chosen with --out.", severity="warning")  # fmt: skip
        full = group.child("full_data")
        interval = full.child("interval") if full else None
        if full and not full.truth("enable", True):
            full.notice("full_data is off: cells and fields are recorded at the start and the end.")
            until = str(self.document.tree.get("until", "60 min"))
            if SHORTEST <= float(until[:-4]) <= LONGEST:
                self._record(until, full)
        elif interval and interval.minutes() is not None:
            self._record(f"{interval.text} min", interval)
        for tag in ("SVG", "legacy_data", "intracellular_data"):
            found = group.child(tag)
            if found:
                self.idle.append(f"save/{tag}")
                found.skip()

    def _record(self, every: str, element: Element) -> None:
        tick = self.steps[0] if self.numerics == "physicell" else getattr(self, "tick", TICK)
        value = float(every[:-4])
        whole = max(1, round(value / tick)) * tick
        if not divides(tick, value):
            element.notice(
                f"{every} is no whole number of time steps of {tick:g} min; recorded every {whole:.10g} min."
            )
            every = f"{whole:.15g} min"
        for key in ("cells", "fields"):
            self.put(("record", key), every, element.place)

    # -- microenvironment -------------------------------------------------------------------------------------------

    def read_environment(self, group: Element | None, is_2d: bool) -> dict[str, str]:
        """Factors of the tree; returns name -> unit."""
        units: dict[str, str] = {}
        if group is None:
            self.root.complain("<microenvironment_setup> is missing.", "Expected at least one <variable>.")
            return units
        first: dict[str, Element] = {}
        variables = list(group.children("variable"))
        named = [(v, v.attribute("name")) for v in variables]
        for v, name in named:
            v.attribute("ID")
            if not name:
                v.complain("this substrate has no name.", "Expected the attribute name.")
            elif name in first:
                v.complain(
                    f"the substrate '{name}' stands twice, here and in line {first[name].line}.",
                    remedy="Keep one of them.",
                )
            first.setdefault(name, v)
        first.pop("", None)
        held = any(
            c is not None and c.flag("enabled")
            for c in (v.child("Dirichlet_boundary_condition") for v in first.values())
        )
        for v in variables:
            if first.get(v.attribute("name")) is None or first[v.attribute("name")].node is not v.node:
                v.skip()
        for name, v in first.items():
            units[name] = "mmHg" if v.attribute("units").lower() == "mmhg" else "1"
            self._variable(v, name, units[name], held, is_2d)
        options = group.child("options")
        if options:
            gradients = options.child("calculate_gradients")
            if gradients and not gradients.truth():
                gradients.notice("gradients are always calculated here where a cell needs them.")
            if options.truth("track_internalized_substrates_in_each_agent"):
                self.put(("internalise",), True, options.place)
            self._initial_fields(options.child("initial_condition"), list(units))
            nodes = options.child("dirichlet_nodes")
            if nodes and nodes.flag("enabled"):
                nodes.skip().complain(
                    "dirichlet_nodes are not implemented in PhysiCell and are ignored here, too.", severity="warning"
                )
            elif nodes:
                nodes.skip()
        return units

    def _variable(self, v: Element, name: str, unit: str, held: bool, is_2d: bool) -> None:
        path = ("factors", name)
        self.put((*path, "unit"), unit, v.place)
        parameters = v.child("physical_parameter_set")
        for tag, key, means in (("diffusion_coefficient", "diffusion", "um^2/min"), ("decay_rate", "decay", "1/min")):
            found = parameters.child(tag) if parameters else None
            if found and found.number(means) is not None:
                self.put((*path, key), f"{found.text or '0'} {means}", found.place)
            elif not found:
                v.complain(f"<{tag}> is missing: 0, as in PhysiCell.", severity="warning")
                self.put((*path, key), f"0 {means}", v.place)
            else:
                self.put((*path, key), f"0 {means}", v.place)
        start = v.child("initial_condition")
        value = start.number() if start else 0.0
        self.put(
            (*path, "initial"),
            with_unit((start.text if start else "") or "0" if value is not None else "0", unit),
            (start or v).place,
        )
        dosing = v.child("PK")
        if dosing:
            dosing.skip().complain(
                "PK (PhysiPKPD) is an add-on of its own; this substrate's dosing is not read.", severity="warning"
            )
        outer = v.child("Dirichlet_boundary_condition")
        number = outer.number() if outer else 0.0
        on = outer.flag("enabled") if outer else False
        faces: dict[str, tuple[bool, str, Element]] = {}
        if outer and number is not None:
            faces = {face: (on, outer.text or "0", outer) for face in FACES}
        options = v.child("Dirichlet_options")
        for child in options.children("boundary_value") if options else ():
            given = child.attribute("ID")
            which = [f for f in FACES if f in given]
            if not which:
                child.complain(
                    f"'{given[:20]}' is no face.{did_you_mean(given, FACES)}", f"Expected one of {', '.join(FACES)}."
                )
            number = child.number()
            for face in which:
                if number is not None:
                    faces[face] = (child.flag("enabled"), child.text or "0", child)
        active = {f: said for f, said in faces.items() if said[0] and not (is_2d and f[0] == "z")}
        if active and not held:
            assert options is not None
            options.complain("Dirichlet_options act only where some substrate's Dirichlet_boundary_condition is "
                             "enabled; they are off, as in PhysiCell.",
                             severity="warning")  # fmt: skip
            return
        for face in FACES:
            if face in active:
                _, text, element = active[face]
                self.put((*path, "boundary", face), {"voxels": with_unit(text, unit)}, element.place)

    def _initial_fields(self, group: Element | None, factors: list[str]) -> None:
        if group is None:
            return
        kind = group.attribute("type")
        if not group.flag("enabled"):
            group.skip()
            return
        name = group.child("filename")
        if kind.lower() not in ("csv", "matlab", "mat"):
            group.complain(f"'{kind}' is no type of initial conditions.", "Expected csv or matlab.")
            return
        found = self.find("", name.text if name else "", name or group)
        if found is None:
            return
        for factor in factors:
            self.put(("factors", factor, "initial"), {"table": self.relative(found)}, group.place)

    # -- files ------------------------------------------------------------------------------------------------------

    def find(self, folder: str, name: str, element: Element) -> Path | None:
        """A file that the settings name: below the XML's folder, its parent or the working directory, or beside it."""
        if not name:
            element.complain("no file is named.", "Expected <filename>.")
            return None
        inner = Path(folder) / name
        places = [self.folder / inner, self.folder.resolve().parent / inner, Path.cwd() / inner]
        places.append(self.folder / Path(name).name)
        for k, place in enumerate(places):
            if is_there(place) and not place.is_dir():  # what is no regular file is told where it is read
                if k:
                    element.notice(f"'{inner}' is read from {place.resolve()}.")
                return place
        tried = list(dict.fromkeys(os.path.abspath(p) for p in places))
        element.complain(
            f"no such file: {shown(tried[0])}", f"Also looked at: {', '.join(tried[1:])}." if len(tried) > 1 else ""
        )
        return None

    def relative(self, path: Path) -> str:
        """A path as the model names it: relative to the settings."""
        return os.path.relpath(path.resolve(), self.folder.resolve())


def with_unit(text: str, unit: str) -> str:
    """A number's text with its unit, which is left out where it is 1."""
    return text if unit == "1" else f"{text} {unit}"


def divides(part: float, whole: float) -> bool:
    """Whether a whole number of parts, at least one, makes the whole (to 1e-9 of their number)."""
    return abs(whole / part - round(whole / part)) < 1e-9 * max(1.0, whole / part) and round(whole / part) >= 1
