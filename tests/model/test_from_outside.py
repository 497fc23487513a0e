"""What comes from outside: names, numbers, shapes and files that no model is made of are told at once, with place."""

import os
import resource
import subprocess
import sys
import time

import pytest

import oncarium as oc
from oncarium.errors import ModelError
from oncarium.model.files import MOST, MOST_FILES, read
from oncarium.study.claims import library, read_claim

GOOD = """domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 1 h
factors: {oxygen: {library: oxygen, boundary: 38 mmHg}}
cells: {tumor: {library: tumor_simple}}
initial: [{cells: tumor, count: 5, everywhere: }]
"""


def said(text, folder="."):
    """The message of a model that must not be."""
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(text, "m.yaml", folder=folder)
    return str(error.value)


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["/../up", "a.b", "a, b", "'x\\ny'", '"x\\ny"', "<i>", "=cmd", "a  b", "x" * 61, "''", "a/b", "a:b"]
)
@pytest.mark.parametrize("place", ["factors", "cells", "custom", "body"])
def test_names_are_letters_digits_and_few_signs(name, place):
    given = {
        "factors": "{unit: nM, diffusion: 1 um^2/min}",
        "cells": "{library: tumor_simple}",
        "custom": "{}",
        "body": "{}",
    }[place]
    quoted = name if name.startswith(("'", '"')) else f'"{name}"'
    text = (
        GOOD + f"{place}: {{{quoted}: {given}}}\n"
        if place in ("custom", "body")
        else GOOD.replace(f"{place}: {{", f"{place}: {{{quoted}: {given}, ")
    )
    message = said(text)
    assert (
        "is no name of a" in message
        and "m.yaml:" in message
        and "\n  " in message
        and all(c == "\n" or c.isprintable() for c in message)
    )


@pytest.mark.parametrize("name", ["TGF-β1", "CD8+ T cell", "M0_macrophage", "2"])
def test_names_of_the_field_are_fine(name):
    text = GOOD.replace("tumor", name).replace(f"library: {name}_simple", "library: tumor_simple")
    assert oc.Model.from_text(text).types[0].name == name


def test_no_file_is_named_by_a_factor_as_it_is():
    """A store made by somebody else may hold any name; its figures stay in their folder, each with its own name."""
    from oncarium.analysis.report import file_name

    taken = []
    for name in ("../../up", "a b", "a_b", "/x", "a\nb", "C:\\x", "x" * 500):
        taken.append(file_name(f"field_{name}", taken))
    assert (
        len(set(taken)) == 7
        and all(c.isalnum() or c in "_+-" for file in taken for c in file)
        and max(map(len, taken)) <= 80
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "min**9**9**9",
        "9**9**9",
        "9^9^9 min",
        "(9)**9",
        "min^99",
        "min squared cubed",
        "1e9 min",
        "((min^9)^9)^9",
        "Ym^9*Ym^9",
    ],
)
def test_powers_of_units_are_small_numbers(unit):
    start = time.process_time()
    message = said(GOOD.replace("until: 1 h", f"until: 5 {unit}"))
    assert "m.yaml:2  until" in message and unit in message and time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cells: {tumor: {library: tumor_simple",
         'cells: {tumor: {library: tumor_simple, rules: ["oxygen increases cycle.exit.live to 1 1/h, half 5 mmHg, hill '
         '1e300"]'),
        ("until: 1 h", "until: 1e300 min"),
        ("until: 1 h", "clock: {transport: 1e-7 min, mechanics: 1e-7 min, phenotype: 1e-7 min}"),
        ("until: 1 h", "record: {cells: 1e-6 min}"), ("voxel: 20 um", "voxel: 1e-9 um"), ("x: [-60 um", "x: [-1e30 um"),
        ("count: 5", "count: 1e30"),
        ("count: 5, everywhere: ", "packing: hexagonal, spacing: 1e-300 um, everywhere: "),
        ("count: 5, everywhere: ", "count: 5, disc: {radius: 1e300 um}"),
        ("count: 5, everywhere: ", "count: 5, disc: {radius: 5 um, center: [900 um, 0 um]}"),
        ("tumor: {library: tumor_simple", "tumor: {cycle: {duration: 1e-300 min}"),
        ("tumor: {library: tumor_simple",
         "tumor: {library: tumor_simple, distributions: [{column: volume.total, log10normal: [400, 1]}]"),
        ("until: 1 h", "clock: {phenotype: 6.5 min}"), ("until: 1 h", "matrix: {density: 0.5, period: 2.5 min}"),
        ("38 mmHg", "1e200 mmHg"),
        ("until: 1 h", "seed: 1e30"),
    ],
)  # fmt: skip
def test_numbers_that_decide_sizes_ticks_and_powers_are_bounded(old, new):
    assert old in GOOD
    message = said(GOOD.replace(old, new))
    assert "m.yaml:" in message and any(
        w in message for w in ("expected", "Choose", "must lie", "They are", "Use larger")
    ), message


def test_seeds_are_exact():
    assert oc.Model.from_text(GOOD + "seed: 9007199254740993\n").seed == 9007199254740993


# -- shapes -----------------------------------------------------------------------------------------------------------

SHAPES = ("[]", "[[]]", "{a: {b: c}}", "null", "true", "7", "[null]", '""')
PLACES = (
    "oncarium", "name", "title", "description", "numerics", "compat", "internalise", "start", "domain", "domain.x",
    "domain.voxel", "clock", "clock.transport", "until", "seed", "record", "record.cells", "record.columns", "sources",
    "sources.a", "factors", "factors.oxygen", "factors.oxygen.unit", "factors.oxygen.library",
    "factors.oxygen.boundary", "factors.oxygen.boundary.xmin", "factors.oxygen.fixed", "factors.oxygen.fixed.0",
    "factors.oxygen.solver", "factors.oxygen.initial", "factors.oxygen.initial.table", "factors.oxygen.doc", "cells",
    "cells.tumor", "cells.tumor.library", "cells.tumor.like", "cells.tumor.doc", "cells.tumor.cycle",
    "cells.tumor.cycle.model", "cells.tumor.cycle.exit", "cells.tumor.cycle.fixed", "cells.tumor.rules",
    "cells.tumor.rules.0", "cells.tumor.rules.add", "cells.tumor.rules.drop", "cells.tumor.rules.all",
    "cells.tumor.distributions",
    "cells.tumor.distributions.0", "cells.tumor.distributions.0.column", "cells.tumor.motility",
    "cells.tumor.motility.speed", "cells.tumor.motility.sensitivity", "cells.tumor.motility.normalized",
    "cells.tumor.network", "cells.tumor.network.file", "cells.tumor.network.bnd", "cells.tumor.network.inputs",
    "cells.tumor.network.hold", "cells.tumor.network.parameters", "custom", "custom.a", "custom.a.unit",
    "custom.a.conserved", "initial", "initial.0", "initial.0.cells", "initial.0.count", "initial.0.packing",
    "initial.0.disc", "initial.0.disc.center", "initial.0.with", "initial.0.table", "initial.0.clip",
    "initial.0.numbers", "initial.0.gives", "matrix", "matrix.patches", "matrix.patches.0", "matrix.fibres",
    "matrix.membrane", "supply", "supply.0", "supply.0.of", "body", "body.a", "body.a.by", "body.a.flows", "entry",
    "entry.0", "entry.0.cells", "entry.0.at", "entry.0.signal", "exit", "exit.0.when", "exit.0.carries", "include",
    "include.0",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_any_shape_anywhere_is_taken_or_told(place, tmp_path):
    """A list for a group, a group for a word, nothing, a truth, a number: a model, or a ModelError with a place."""
    from oncarium.model.files import parse
    from oncarium.model.nested import set_at

    for shape in SHAPES:
        tree = parse(GOOD, "m").tree
        value = parse(f"v: {shape}", "v").tree["v"]
        here = tree
        *groups, last = place.split(".")
        for k, part in enumerate(groups):
            step = int(part) if isinstance(here, list) else part
            following = [*groups, last][k + 1]
            inner = here[step] if isinstance(here, dict) and step in here else None
            if isinstance(here, list) and step < len(here):
                inner = here[step]
            if not isinstance(inner, dict | list):
                inner = [{}] if following.isdigit() else {}
                if isinstance(here, list):
                    here[:] = [inner]
                else:
                    here[step] = inner
            here = inner
        if isinstance(here, list) and not here:
            here.append(None)
        set_at(here, [last], value)
        try:
            model = oc.Model.from_dict(tree, folder=tmp_path)
        except ModelError as error:
            assert "\n" in str(error) and "Traceback" not in str(error)
        else:
            model.describe()
            assert oc.Model.from_text(model.to_yaml(), folder=tmp_path).digest == model.digest


@pytest.mark.parametrize(
    "key",
    "claim says tissue until changes control perturbed second off sham positive rules seeds notes series each along "
    "readouts readouts.state readouts.function readouts.also readouts.state.effect readouts.state.direction "
    "readouts.state.band readouts.state.measure readouts.state.of readouts.state.per".split(),
)
def test_any_shape_in_a_claim_is_taken_or_told(key, tmp_path):
    from copy import deepcopy

    from oncarium.model.files import emit, parse

    for shape in SHAPES:
        tree = deepcopy(read(library()[0]).tree)
        *above, last = key.split(".")
        inner = tree
        for name in above:
            inner = inner[name]
        inner[last] = parse(f"v: {shape}", "v").tree["v"]
        (tmp_path / "claim.yaml").write_text(emit(tree), encoding="utf-8")
        try:
            read_claim(tmp_path / "claim.yaml")
        except ModelError as error:
            assert "\n" in str(error)


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", [r'"\U00110000"', r'"\ud800"', r'"a\x1b[31mb"', r'"\x00"'])
def test_texts_that_no_file_can_hold_are_refused_with_their_line(title):
    assert "m.yaml:6" in said(GOOD + f"title: {title}\n")


def test_descriptions_hold_no_control_characters():
    assert "\x07" not in oc.load("hypoxic_tumor").describe()  # folded lines
    text = oc.Model.from_text(GOOD + 'title: "a\\tb"\n')
    assert all(c == "\n" or c.isprintable() for c in text.describe())
    assert (
        "<b>a b</b>" in text._repr_html_().replace("\t", " ")
        and "<script>" not in text.with_(title="<script>")._repr_html_()
    )


SPECIAL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
sys.argv = ["oncarium", "check", "model.yaml"]
from oncarium.cli import main
main()
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in its file system")
@pytest.mark.parametrize(
    "how",
    [
        "include: FILE\n" + GOOD,
        GOOD.replace("{cells: tumor, count: 5, everywhere: }", "{table: FILE}"),
        GOOD.replace("library: tumor_simple}", "library: tumor_simple, network: {file: FILE}}"),
    ],
)
@pytest.mark.parametrize("file", ["/dev/zero", "pipe"])
def test_pipes_and_devices_are_no_files(tmp_path, how, file):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "model.yaml").write_text(how.replace("FILE", file))
    done = subprocess.run([sys.executable, "-c", SPECIAL], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "is no regular file" in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_file_that_two_files_include_is_read_once(tmp_path):
    """60 levels of two files that include the next two would be read 2^60 times."""
    for level in range(40):
        for letter in "ab":
            more = f"include: [a{level + 1}.yaml, b{level + 1}.yaml]\n" if level < 39 else ""
            (tmp_path / f"{letter}{level}.yaml").write_text(f"{more}title: {letter}{level}\nname: {letter}\n")
    (tmp_path / "m.yaml").write_text("include: a0.yaml\nname: own\n")
    start = time.process_time()
    assert read(tmp_path / "m.yaml").tree == {"name": "own", "title": "a0"} and time.process_time() - start < 2.0
    for k in range(MOST_FILES + 1):
        (tmp_path / f"c{k}.yaml").write_text(f"include: c{k + 1}.yaml\n" if k < MOST_FILES else "title: end\n")
    with pytest.raises(ModelError, match=f"more than {MOST_FILES} files"):
        read(tmp_path / "c0.yaml")


TENFOLD = "".join(f"k{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))


@pytest.mark.parametrize(
    "text", ["a: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + TENFOLD, "a: &a [*a]\n", "a: [" + "[]," * (MOST + 10) + "]\n"]
)
def test_values_that_multiply_end(text):
    start = time.process_time()
    assert "values" in said(text) and time.process_time() - start < 5.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3e6
