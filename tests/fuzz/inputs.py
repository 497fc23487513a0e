"""Inputs of each kind, and what can happen to them. The same kind and seed give the same files."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oncarium
from oncarium.model.files import emit, parse

LIBRARY = Path(oncarium.__file__).parent / "library"
KINDS = ("model", "text", "settings", "table", "network", "qual", "claim")

MODEL = """domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 1 h
factors: {oxygen: {library: oxygen, boundary: 38 mmHg}, signal: {unit: nM, diffusion: 100 um^2/min, initial: 1 nM}}
custom: {own: {conserved: true}}
cells:
  tumor:
    library: tumor_simple
    distributions: [{column: volume.total, normal: [2494 um^3, 100 um^3], between: [2000 um^3, 3000 um^3]}]
    rules: ["signal increases cycle.exit.live to 0.01 1/min, half 0.5 nM, hill 2 assumed"]
  other: {like: tumor, motility: {speed: 0.5 um/min, sensitivity: {signal: 1}}, custom: {own: 2}}
matrix: {density: 0.3, patches: [{disc: {radius: 30 um}, density: 1}]}
initial:
  - {cells: tumor, disc: {radius: 40 um}, count: 5}
  - {cells: other, ring: {inner: 20 um, outer: 50 um}, packing: hexagonal}
  - {table: cells.csv}
"""
TABLE = "x,y,z,type,volume,oxygen uptake\n0,0,0,tumor,2000,\n-20,5.5,0,other,,10\n1e1,-3,0,tumor,skip,1\n"
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<PhysiCell_settings version="devel"><!-- a comment -->
<domain><x_min>-60</x_min><x_max>60</x_max><y_min>-60</y_min><y_max>60</y_max><z_min>-10</z_min><z_max>10</z_max>
<dx>20</dx><dy>20</dy><dz>20</dz><use_2D>true</use_2D></domain>
<overall><max_time units="min">60</max_time><dt_diffusion>0.01</dt_diffusion><dt_mechanics>0.1</dt_mechanics>\
<dt_phenotype>6</dt_phenotype></overall>
<save><folder>output</folder><full_data><interval>30</interval><enable>true</enable></full_data></save>
<options><random_seed>3</random_seed><virtual_wall_at_domain_edge>true</virtual_wall_at_domain_edge></options>
<microenvironment_setup><variable name="oxygen" units="mmHg" ID="0"><physical_parameter_set>\
<diffusion_coefficient>1000</diffusion_coefficient>
<decay_rate>0.1</decay_rate></physical_parameter_set><initial_condition>38</initial_condition>
<Dirichlet_boundary_condition enabled="true">38</Dirichlet_boundary_condition>
<Dirichlet_options>\
<boundary_value ID="xmin" enabled="true">10</boundary_value></Dirichlet_options></variable></microenvironment_setup>
<cell_definitions><cell_definition name="tumor" ID="0"><phenotype><cycle code="5"><phase_transition_rates>
<rate start_index="0" end_index="0" fixed_duration="false">0.001</rate></phase_transition_rates></cycle>
<death><model code="100" name="apoptosis"><death_rate>1e-5</death_rate><phase_durations>\
<duration index="0" fixed_duration="true">516</duration>
</phase_durations></model></death><volume><total>2494</total><nuclear>540</nuclear></volume>
<mechanics><cell_cell_adhesion_strength>0.4</cell_cell_adhesion_strength><options>\
<set_relative_equilibrium_distance enabled="true">1.8
</set_relative_equilibrium_distance></options></mechanics>
<motility><speed>1</speed><options><enabled>true</enabled><chemotaxis><enabled>true</enabled>\
<substrate>oxygen</substrate><direction>1</direction>
</chemotaxis></options></motility><secretion><substrate name="oxygen">\
<uptake_rate>10</uptake_rate></substrate></secretion></phenotype>
<custom_data><own conserved="true">1</own><pair>1,2</pair></custom_data></cell_definition>
<cell_definition name="other" ID="1" parent_type="tumor"/></cell_definitions>
<initial_conditions><cell_positions type="csv" enabled="true"><folder>.</folder>\
<filename>cells.csv</filename></cell_positions></initial_conditions>
<cell_rules><rulesets><ruleset protocol="CBHG" version="3.0" format="csv" enabled="true"><folder>.</folder>\
<filename>rules.csv</filename>
</ruleset></rulesets></cell_rules><user_parameters><number_of_cells type="int">2</number_of_cells></user_parameters>
</PhysiCell_settings>
"""
RULES = (
    "tumor,oxygen,increases,cycle entry,0.003,20,4,0\ntumor,pressure,decreases,migration "
    "speed,0.1,1,4,1\nother,custom:own,increases,apoptosis,0.1,1,2,0\n"
)
NODES = """Node A { logic = !B & $k > 1; rate_up = @logic ? $u : 0; rate_down = @logic ? 0 : $d; }
Node B { logic = (A AND NOT C) XOR C; rate_up = @logic ? 1 : 0; rate_down = @logic ? 0 : 1; } // a comment
Node C { rate_up = 0.5; rate_down = $u * 2 / ($d + 1); }
"""
STARTS = (
    "$u = 2; $d = $u * 0.5; $k = 3;\n[A, B].istate = 0.4 [1, 0], 0.6 [0, 0]; C.istate = TRUE; time_tick = 0.5; "
    "use_physrandgen = FALSE;\n"
)
QUAL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core"
 xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" level="3" version="1"
 qual:required="true"><model id="m"><listOfCompartments><compartment id="c" constant="true"/></listOfCompartments>\
<qual:listOfQualitativeSpecies>
<qual:qualitativeSpecies qual:id="A" qual:compartment="c" qual:constant="false" qual:maxLevel="2"
 qual:initialLevel="1"/>
<qual:qualitativeSpecies qual:id="C" qual:compartment="c" qual:constant="false" qual:maxLevel="1"/>\
</qual:listOfQualitativeSpecies>
<qual:listOfTransitions><qual:transition qual:id="t"><qual:listOfInputs>
<qual:input qual:id="theta" qual:qualitativeSpecies="A" qual:transitionEffect="none" qual:thresholdLevel="1"/>\
</qual:listOfInputs>
<qual:listOfOutputs>\
<qual:output qual:id="o" qual:qualitativeSpecies="C" qual:transitionEffect="assignmentLevel"/></qual:listOfOutputs>
<qual:listOfFunctionTerms><qual:defaultTerm qual:resultLevel="0"/><qual:functionTerm qual:resultLevel="1">
<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><and/><apply><geq/><ci>A</ci><ci>theta</ci></apply><apply>\
<not/><apply><eq/><ci>C</ci>
<cn type="integer">1</cn></apply></apply></apply></math></qual:functionTerm></qual:listOfFunctionTerms>\
</qual:transition></qual:listOfTransitions>
</model></sbml>
"""
WITH_NETWORK = """domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 1 h
factors: {oxygen: {library: oxygen, boundary: 38 mmHg}}
cells:
  tumor:
    library: tumor_simple
    network: {file: FILE, time: 1 h, inputs: [{node: NODE, signal: oxygen, above: 5 mmHg}]}
    rules: ["network.C increases cycle.exit.live to 0.01 1/min, half 0.5"]
initial: [{cells: tumor, count: 5, everywhere: }]
"""

NUMBERS = (
    "0", "-0", "-1", "1e308", "-1e308", "1e-320", "1e400", "nan", "-inf", "", "x", "1,5", "0x1F", "1_0", "9" * 60,
    "0.333333333", "1e9", "1e-9", "١",
)  # fmt: skip
WORDS = (
    "oxygen", "tumor", "true", "null", "~", "a.b", "a/b", "../../x", "/dev/zero", "=1+1", "<b>", "$(id)", "*",
    "&a [*a]", "*no", "!!int x", "x" * 3000, "|\n  text", '"\\U00110000"', '"\\ud800"', '"\\x1b[31m"', "{", "}", "[[[",
    "]", "5 um**9**9**9", "5 9^9^9^9", "5 parsec", "1 um @Nobody1999", "5 µm", "- - -", "? x", "<<: *x", "%", "@", "`",
    "&amp", "]]>", "<!-- -- -->", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<?x <!-- ?>", "a='1' a='2'", "&#0;", "(" * 50,
    "!" * 50, "1+" * 1500 + "1", "B&" * 1500 + "B", "/ 0", "? 1 : 0", "@logic", "$zz", ";", "//", "/*", "1e999", "s[0]",
    "__import__('os')", '"' + "1" * 140_000,
)  # fmt: skip
BYTES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\t", b"\n", b"\xe2\x80\xa8", b"\xc2\x85", b"\xed\xa0\x80",
    b"\x1b[31m", b"\xe9",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, [], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": "d"}}}, "", " ", ["1 um"] * 3, {"library": []},
    {"table": None}, 0.5,
)  # fmt: skip


def make(kind: str, seed: int) -> tuple[dict[str, bytes], str]:
    """Files by name, and the one to read."""
    draw = random.Random(f"{kind} {seed}")
    files, victim, entry = _whole(kind, draw)
    change: Callable[[bytes, random.Random], bytes]
    if kind in ("model", "claim") and draw.random() < 0.7:
        change = _change_tree
    else:
        change = draw.choice((_change_bytes, _change_lines, _change_words, _change_words))
    files[victim] = change(files[victim], draw) if draw.random() < 0.95 else _recode(files[victim], draw)
    return files, entry


def _whole(kind: str, draw: random.Random) -> tuple[dict[str, bytes], str, str]:
    """Sound files, the one to change, and the one to read."""
    if kind in ("model", "text"):
        shelf = [
            *(LIBRARY / "scenarios").glob("*.yaml"),
            *(LIBRARY / "cells").glob("*.yaml"),
            *(LIBRARY / "factors").glob("*.yaml"),
        ]
        text = MODEL if draw.random() < 0.6 else draw.choice(sorted(shelf)).read_text(encoding="utf-8")
        return {"model.yaml": text.encode(), "cells.csv": TABLE.encode()}, "model.yaml", "model.yaml"
    if kind in ("settings", "table"):
        files = {"model.xml": SETTINGS.encode(), "cells.csv": TABLE.encode(), "rules.csv": RULES.encode()}
        return files, "model.xml" if kind == "settings" else draw.choice(("cells.csv", "rules.csv")), "model.xml"
    if kind == "network":
        files = {"model.yaml": WITH_NETWORK.replace("FILE", "n.bnd, settings: n.cfg").replace("NODE", "A").encode()}
        files |= {"n.bnd": NODES.encode(), "n.cfg": STARTS.encode()}
        return files, draw.choice(("n.bnd", "n.cfg")), "model.yaml"
    if kind == "qual":
        return (
            {
                "model.yaml": WITH_NETWORK.replace("FILE", "n.sbml").replace("NODE", "C").encode(),
                "n.sbml": QUAL.encode(),
            },
            "n.sbml",
            "model.yaml",
        )
    claim = draw.choice(sorted((LIBRARY / "claims").glob("C*.yaml")))
    return {"claim.yaml": claim.read_bytes()}, "claim.yaml", "claim.yaml"


def _change_bytes(data: bytes, draw: random.Random) -> bytes:
    b = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        i = draw.randrange(len(b) + 1)
        j = min(len(b), i + draw.choice((1, 2, 8, 100)))
        way = draw.randrange(5)
        if way == 0 and i < len(b):
            b[i] ^= 1 << draw.randrange(8)
        elif way == 1:
            del b[i:j]
        elif way == 2:
            b[i:i] = b[i:j]
        elif way == 3:
            b[i:i] = draw.choice(BYTES)
        else:
            del b[i if draw.random() < 0.3 else len(b) :]
    return bytes(b)


def _change_lines(data: bytes, draw: random.Random) -> bytes:
    lines = data.split(b"\n")
    for _ in range(draw.choice((1, 1, 2, 3))):
        i = draw.randrange(len(lines))
        way = draw.randrange(4)
        if way == 0 and len(lines) > 1:
            del lines[i]
        elif way == 1:
            lines.insert(i, draw.choice(lines))
        elif way == 2:
            lines[i] = b" " * draw.randrange(5) + lines[i].strip()
        else:
            lines.insert(i, draw.choice((*WORDS, *NUMBERS)).encode("utf-8", "surrogatepass"))
    return b"\n".join(lines)


def _change_words(data: bytes, draw: random.Random) -> bytes:
    parts = re.split(r"([^\w.]+)", data.decode("utf-8"))
    for _ in range(draw.choice((1, 1, 2, 3))):
        i = draw.randrange(len(parts))
        number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", parts[i])
        given = draw.choice(NUMBERS if number and draw.random() < 0.8 else (*WORDS, *NUMBERS, *parts[:200]))
        parts[i] = given if draw.random() < 0.7 else parts[i] + given
    return "".join(parts).encode("utf-8", "surrogatepass")


def _change_tree(data: bytes, draw: random.Random) -> bytes:
    tree = parse(data.decode("utf-8"), "input").tree
    for _ in range(draw.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        group, key = draw.choice(places)
        way = draw.randrange(5)
        if way == 0:
            group[key] = draw.choice(ODD)
        elif way == 1:
            group[key] = draw.choice((*NUMBERS, *(w for w in WORDS if "\n" not in w)))
        elif way == 2:
            group[key] = draw.choice(([group[key]], {"x": group[key]}, [group[key], group[key]]))
        elif way == 3:
            other, place = draw.choice(places)
            group[key] = json.loads(json.dumps(other[place]))
        elif isinstance(group, dict):
            group[
                draw.choice(("", "x", f"{key}s", "a.b", "null", "rules", "network", "include", "<b>", "=x", "y" * 200))
            ] = group.pop(key)
    return emit(tree).encode("utf-8", "surrogatepass")


def _places(tree: Any):
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _recode(data: bytes, draw: random.Random) -> bytes:
    text = data.decode("utf-8")
    ways = (lambda: text.encode("utf-16"), lambda: text.encode("utf-16-le"), lambda: text.encode("utf-32"),
            lambda: text.encode("latin-1", "replace"), lambda: text.replace("\n", "\r").encode(),
            lambda: text.replace("\n", "\r\n").encode(), lambda: b"\xef\xbb\xbf" + data)  # fmt: skip
    return draw.choice(ways)()
