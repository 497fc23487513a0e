"""Models: what they say, how they change, and what is refused with which words."""

import re
import time
from pathlib import Path

import pytest

from oncarium.errors import ModelError
from oncarium.model.catalog import columns, cycles
from oncarium.model.files import LIBRARY
from oncarium.model.library import on_shelf
from oncarium.model.model import EXAMPLE, Model

GOOD = """
oncarium: 1
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 day
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  il10: {unit: nM, diffusion: 6000 um^2/min}
cells:
  tumor:
    cycle: {model: live, exit: 0.04 1/h}
    secretion: {uptake: {oxygen: 10 1/min}, rate: {il10: 2 molecules/min}}
    rules:
      - oxygen increases cycle.exit.live to 0.05 1/h, half 20 mmHg, hill 4
  cd8:
    motility:
      speed: 4 um/min
      sensitivity: {il10: 1}
    attack: {rate: {tumor: 0.1 1/min}}
initial:
  - {cells: tumor, disc: {radius: 50 um}, count: 20}
"""


def problems_of(text: str, folder: Path = Path(".")) -> str:
    with pytest.raises(ModelError) as error:
        Model.from_text(text, "m.yaml", folder)
    return str(error.value)


def line_of(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.split("\n"), 1) if part in line)


def test_values_arrive_in_canonical_units():
    m = Model.from_text(GOOD)
    tumor = m.type("tumor")
    assert tumor.exit == pytest.approx((0.04 / 60,), rel=1e-15)
    assert tumor.values["secretion.rate"]["il10"] == pytest.approx(2 / 6.02214076e23 * 1e15, rel=1e-12)
    assert m.domain.shape == (10, 10, 1) and m.domain.is_2d
    rule = tumor.rules[0]
    assert (rule.signal, rule.behavior, rule.half, rule.hill) == (
        ("sense.factor", "oxygen"),
        ("cycle.exit", "live"),
        20.0,
        4.0,
    )
    assert m.uses("attack") and not m.uses("springs")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("voxel: 20 um", "voxel: 0 um", "above 0"),
        ("x: [-100 um, 100 um]", "x: [100 um, -100 um]", "not below"),
        ("diffusion: 100000 um^2/min", "diffusion: -1 um^2/min", "at least 0"),
        ("diffusion: 100000 um^2/min", "diffusion: abc", "'abc' is not a number"),
        ("diffusion: 100000 um^2/min", "diffusion: 100000", "has no unit"),
        ("diffusion: 100000 um^2/min", "diffusion: 1e-5 parsec^2/fortnite", "no known unit"),
        ("diffusion: 100000 um^2/min", "diffusion: 5 mmHg", "cannot be converted"),
        ("speed: 4 um/min", "speed: nan um/min", "not finite"),
        ("speed: 4 um/min", "speed: 1e400 um/min", "too large"),
        ("speed: 4 um/min", "speed: 1,5 um/min", "decimal comma"),
        ("speed: 4 um/min", "speeed: 4 um/min", "Did you mean 'speed'"),
        ("motility:", "motilty:", "Did you mean 'motility'"),
        ("sensitivity: {il10: 1}", "sensitivity: {il01: 1}", "Did you mean 'il10'"),
        ("rate: {tumor: 0.1 1/min}", "rate: {tumour: 0.1 1/min}", "Did you mean 'tumor'"),
        ("oxygen increases", "oxgen increases", "Did you mean 'oxygen'"),
        ("increases cycle.exit.live", "increases cycle.exit.life", "Did you mean 'cycle.exit.live'"),
        ("increases", "sideways", "not understood"),
        ("half 20 mmHg", "half -20 mmHg", "out of range"),
        ("half 20 mmHg", "half nan mmHg", "not finite"),
        ("hill 4", "hill -4", "above 0"),
        (", half 20 mmHg, hill 4", "", "no half-maximum"),
        ("model: live", "model: alive", "Did you mean 'live'"),
        ("unit: nM", "unit: furlong", "no unit of a factor"),
        ("until: 1 day", "until: -1 day", "at least 0"),
        ("until: 1 day", "untill: 1 day", "Did you mean 'until'"),
        ("until: 1 day", "until: 1 day\nseed: -1", "at least 0"),
        ("until: 1 day", "until: 1 day\nclock: {phenotype: 0.7 min}", "whole multiple"),
        ("until: 1 day", "until: 1 day\nclock: {transport: 0 min}", "above 0"),
        ("until: 1 day", "until: 1 day\nrecord: {cells: 1.5 min}", "whole number of ticks"),
        ("cells: tumor", "cells: tumour", "Did you mean 'tumor'"),
        ("count: 20", "count: -1", "at least 0"),
        ("count: 20", "count: 1.5", "no whole number"),
        ("disc: {radius: 50 um}", "disk: {radius: 50 um}", "Did you mean 'disc'"),
        ("disc: {radius: 50 um}", "ring: {inner: 60 um, outer: 50 um}", "not below"),
        ("motility:", "volume: {total: -5 um^3}\n    motility:", "at least 0"),
        ("motility:", "volume: {total: 100 um^3}\n    motility:", "nucleus"),
        ("0.04 1/h", "0.04 1/h @Nobody1900", "no source is called"),
        ("oncarium: 1", "oncarium: 7", "not known"),
        ("voxel: 20 um", "voxel: 0.001 um", "GB"),
    ],
)
def test_one_mistake_is_named_with_its_place(old, new, said):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    message = problems_of(text)
    assert said in message
    if "GB" not in said:
        assert re.search(r"m\.yaml:\d+", message)


def test_all_mistakes_are_reported_at_once_and_quickly():
    text = (
        GOOD.replace("4 um/min", "-4 um/min")
        .replace("100000 um^2/min", "abc")
        .replace("count: 20", "count: x")
        .replace("oxygen increases", "oxgen increases")
    )
    start = time.perf_counter()
    message = problems_of(text)
    assert time.perf_counter() - start < 2.0
    assert message.startswith("4 problems")
    for part in ("speed: -4", "diffusion: abc", "count: x", "oxgen"):
        assert f"m.yaml:{line_of(text, part)}" in message


def test_duplicate_names_are_refused_with_both_lines():
    text = GOOD.replace("  cd8:", "  tumor:")
    message = problems_of(text)
    assert f"m.yaml:{line_of(text, 'motility') - 1}" in message and "stands twice" in message


def test_two_rules_for_one_signal_behavior_and_direction_are_refused_with_both_lines():
    sentence = "      - oxygen increases cycle.exit.live to 0.05 1/h, half 20 mmHg, hill 4\n"
    text = GOOD.replace(sentence, sentence + sentence.replace("0.05", "0.06"))
    message = problems_of(text)
    first = line_of(text, "oxygen increases")
    assert f"m.yaml:{first}" in message and f"m.yaml:{first + 1}" in message


def test_one_signal_in_both_directions_is_a_warning_with_both_lines():
    sentence = "      - oxygen increases cycle.exit.live to 0.05 1/h, half 20 mmHg, hill 4\n"
    text = GOOD.replace(sentence, sentence + sentence.replace("increases", "decreases").replace("0.05", "0.001"))
    warned = [p for p in Model.from_text(text, "m.yaml").problems if "both directions" in p.message]
    first = line_of(text, "oxygen increases")
    assert [p.severity for p in warned] == ["warning"]
    assert f"m.yaml:{first}" in str(warned[0]) and f"m.yaml:{first + 1}" in str(warned[0])


def test_a_rule_that_goes_the_other_way_is_a_warning():
    m = Model.from_text(GOOD.replace("to 0.05 1/h", "to 0.01 1/h"))
    assert [p.severity for p in m.problems] == ["warning"]
    assert "0.000666667" in str(m.problems[0]) and "0.000166667" in str(m.problems[0])


def test_types_that_resemble_each_other_in_a_circle_are_refused():
    text = GOOD.replace("  tumor:\n", "  tumor:\n    like: cd8\n").replace("  cd8:\n", "  cd8:\n    like: tumor\n")
    assert "tumor > cd8 > tumor" in problems_of(text)


def test_a_type_like_another_takes_its_values():
    m = Model.from_text(
        GOOD.replace("  cd8:\n", "  motile:\n    like: tumor\n    motility: {speed: 1 um/min}\n  cd8:\n")
    )
    assert m.type("motile").exit == m.type("tumor").exit
    assert m.type("motile").values["motility.speed"] == 1.0
    assert "motility.speed" not in m.type("tumor").values


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("x,y,type\n0,0,tumr\n", "cells.csv:2.*Did you mean 'tumor'"),
        ("x,y,type\n0,0,tumor\n5\n", "cells.csv:3"),
        ("x,y,type\nnan,0,tumor\n", "cells.csv:2.*finite"),
        ("x,y,type\n=1+1,0,tumor\n", "no number"),
        ("x;y;type\n0;0;tumor\n", "semicolons"),
        ("x,y,type\n0,0,tumor\n500,0,tumor\n600,0,tumor\n", "cells.csv:3.*\n?.*2 cells lie outside"),
        ("a,b\n1,2\n", "header"),
    ],
)
def test_tables_are_checked_row_by_row(tmp_path, table, said):
    (tmp_path / "cells.csv").write_text(table)
    text = GOOD.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{table: cells.csv}")
    assert re.search(said, problems_of(text, tmp_path), re.S)


def test_a_missing_table_is_named_with_its_full_path(tmp_path):
    text = GOOD.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{table: nowhere.csv}")
    assert str(tmp_path.resolve() / "nowhere.csv") in problems_of(text, tmp_path)


@pytest.mark.parametrize("table", ["", "x,y,type\n"])
def test_an_empty_table_is_a_notice(tmp_path, table):
    (tmp_path / "cells.csv").write_text(table)
    m = Model.from_text(
        GOOD.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{table: cells.csv}"), "m", tmp_path
    )
    assert [p.severity for p in m.problems] == ["notice"] and "0 cells" in str(m.problems[0])


def test_clipping_moves_cells_to_the_edge(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y,type\n500,0,tumor\n")
    m = Model.from_text(
        GOOD.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{table: cells.csv, clip: true}"),
        "m",
        tmp_path,
    )
    assert m.placements[0].rows == (("tumor", 100.0, 0.0, 0.0),)


def test_a_box_that_is_no_whole_number_of_voxels_is_told():
    m = Model.from_text(GOOD.replace("voxel: 20 um", "voxel: 30 um"))
    assert "ends at" in str(m.problems[0]) and m.domain.shape[0] == 7


def test_changes_by_path_leave_the_original_alone():
    m = Model.from_text(GOOD)
    n = m.with_({"cells.tumor.cycle.exit": "0.02 1/h", "initial.0.count": 5, "until": "2 day"})
    assert n.type("tumor").exit[0] * 60 == pytest.approx(0.02) and n.placements[0].count == 5 and n.until == 2880
    assert m.until == 1440 and m != n
    assert m.diff(n) == [
        "until: 1 day -> 2 day",
        "cells.tumor.cycle.exit: 0.04 1/h -> 0.02 1/h",
        "initial.0.count: 20 -> 5",
    ]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("cells.tumor.cycle.exi", "1 1/h", "Did you mean 'exit'"),
        ("initial.7.count", "1", "no place"),
        ("until.x", "1", "single value"),
        ("until", "soon", "not a number"),
    ],
)
def test_changes_that_make_no_sense_are_refused(path, value, said):
    with pytest.raises(ModelError, match=said):
        Model.from_text(GOOD).with_({path: value})


def test_the_digest_ignores_layout_and_order_of_names():
    assert Model.from_text(EXAMPLE).digest == Model.from_text(Model.from_text(EXAMPLE).to_yaml()).digest


@pytest.mark.parametrize("name", on_shelf("scenarios"))
def test_every_scenario_is_free_of_problems_and_reads_back(name):
    m = Model.load(name)
    assert m.problems == [] and Model.from_text(m.to_yaml(), folder=m.folder) == m
    assert m.title in m.describe() and "assumed" in m.describe()
    assert "doi" in m.cite()


SHELVES = sorted(p for shelf in ("factors", "cells", "scenarios") for p in LIBRARY.glob(f"{shelf}/*.yaml"))


@pytest.mark.parametrize("path", SHELVES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_library_number_has_a_source_or_is_marked_assumed(path):
    if path.parent.name == "scenarios":
        m = Model.load(path.stem)
    elif path.parent.name == "factors":
        m = Model.from_text(
            f"domain: {{x: [0 um, 40 um], y: [0 um, 40 um], voxel: 20 um}}\nfactors: {{f: {{library: {path.stem}}}}}"
        )
    elif path.stem in [t.name for t in Model.load("reference").types]:
        m = Model.load("reference")  # its rules speak of other types and of factors
    else:
        m = Model.from_text(
            f"domain: {{x: [0 um, 40 um], y: [0 um, 40 um], voxel: 20 um}}\ncells: {{c: {{library: {path.stem}}}}}"
        )
    naked = [
        p
        for p, q in m.numbers.items()
        if p.startswith(("factors", "cells"))
        and not q.grade
        and not q.sources
        and q.value != 0.0
        and ".rules." not in p
        and (".fixed." not in p or p.endswith(".value"))  # regions are no numbers of nature
    ]
    assert naked == []
    assert all(r.sources for _, r in m.rules)


def test_every_column_can_be_spoken_of():
    assert {c.kind for c in columns().values()} == {"trait", "state", "signal", "behavior"}
    assert all(c.doc for c in columns().values())
    assert columns()["motility.speed"].settable and not columns()["sense.pressure"].settable
    assert cycles()["flow_cytometry"].phases == ("G0G1", "S", "G2M")


def test_a_slip_in_a_path_is_no_new_cell_type():
    with pytest.raises(ModelError, match="no cell type is called 'tumr'. Did you mean 'tumor'"):
        Model.load("hypoxic_tumor").with_({"cells.tumr.cycle.exit": "0.1 1/h"})
    with pytest.raises(ModelError, match="no factor is called 'oxgen'. Did you mean 'oxygen'"):
        Model.load("hypoxic_tumor").with_({"factors.oxgen.decay": "0 1/min"})
    assert len(Model.load("hypoxic_tumor").with_({"cells.other": {"like": "tumor"}}).types) == 4


def test_another_cycle_replaces_the_one_of_the_library():
    model = Model.load("hypoxic_tumor").with_(
        {"cells.tumor.rules": [], "cells.tumor.cycle": {"model": "flow_cytometry", "duration": {"S": "9 h"}}}
    )
    tumor = model.type("tumor")
    assert tumor.cycle.name == "flow_cytometry" and tumor.exit[1] == pytest.approx(1 / 540)


def test_recorded_columns_are_checked_with_the_model():
    with pytest.raises(ModelError, match="no column is called 'volume.totl'. Did you mean 'volume.total'"):
        Model.load("hypoxic_tumor").with_({"record.columns": ["volume.totl"]})


def test_a_mistyped_setting_is_one_problem():
    with pytest.raises(ModelError) as raised:
        Model.from_text("domain: {x: [-50 um, 50 um], y: [-50 um, 50 um], voxl: 20 um}")
    assert len(raised.value.problems) == 1 and "Did you mean 'voxel'" in str(raised.value)


def test_a_type_does_without_rules_of_those_it_builds_on():
    whole = Model.load("hypoxic_tumor")
    less = whole.with_({"cells.tumor.rules-": ["pressure on cycle.exit.live", "oxygen on *"]})
    assert len(less.type("tumor").rules) == len(whole.type("tumor").rules) - 3
    with pytest.raises(ModelError, match=r"'oxgen on \*' is no rule of this type"):
        whole.with_({"cells.tumor.rules-": ["oxgen on *"]})


def test_mechanisms_that_physicell_does_not_have_are_refused_in_its_numerics():
    with pytest.raises(ModelError) as error:
        Model.load("reference").with_({"numerics": "physicell"})
    said = str(error.value)
    assert "have no matrix" in said and "cells.tumor_macrophage.polarization" in said and "have no body" in said


def test_a_pathway_may_be_followed_by_the_evidence():
    text = EXAMPLE.replace("hill 4 assumed", "hill 4, pathway air @Ghaffarizadeh2018 R")
    rule = Model.from_text(text).types[0].rules[0]
    assert rule.pathway == "air" and rule.sources == ("Ghaffarizadeh2018",)
    with pytest.raises(ModelError, match="no name of a pathway"):
        Model.from_text(EXAMPLE.replace("hill 4 assumed", "hill 4, pathway two words"))
