"""Models changed without being copied: rules added and dropped, lists that grow and shrink, layers of files."""

import subprocess
import sys

import pytest

import oncarium as oc
from oncarium.errors import ModelError
from oncarium.model.model import Model

RULE = "pressure decreases motility.speed to 0 um/min, half 0.3, hill 2"


def said(model, type="tumor"):
    return [f"{r.signal[0].removeprefix('sense.')} {r.behavior[0]}" for r in model.type(type).rules]


def layers(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return Model.load(tmp_path / f"{list(texts)[-1]}.yaml")


def test_a_file_that_includes_another_adds_and_drops_rules(tmp_path):
    base = oc.load("hypoxic_tumor")
    model = layers(
        tmp_path,
        mine=f"include: hypoxic_tumor\ncells: {{tumor: {{rules: {{drop: [pressure on *], add: ['{RULE}']}}}}}}",
    )
    assert said(model) == [*(s for s in said(base) if not s.startswith("pressure")), "pressure motility.speed"]
    assert said(model, "cd8") == said(base, "cd8")


def test_edits_of_edits_act_on_what_lies_below_each(tmp_path):
    """A rule that one file replaces is replaced again by the next, which drops the replacement."""
    one = "pressure decreases cycle.exit.live to 0 1/min, half 2, hill 2"
    two = "pressure decreases cycle.exit.live to 0 1/min, half 4, hill 2"
    model = layers(
        tmp_path,
        first=f"include: hypoxic_tumor\ncells: {{tumor: {{rules: {{drop: [pressure on *], add: ['{one}']}}}}}}",
        second=f"include: first.yaml\ncells: {{tumor: {{rules: {{drop: [pressure on *], add: ['{two}']}}}}}}",
    )
    halves = [r.half for r in model.type("tumor").rules if r.signal[0] == "sense.pressure"]
    assert halves == [4.0]
    assert Model.from_text(model.to_yaml()).digest == model.digest


def test_a_problem_of_a_rule_below_edits_is_told_where_it_stands(tmp_path):
    base = oc.EXAMPLE.replace("rules: [", "rules: ['oxgen decreases death.necrosis to 0 1/min, half 3 mmHg', ")
    with pytest.raises(ModelError) as error:
        layers(
            tmp_path,
            base=base,
            mine=f"include: base.yaml\ncells:\n  tumor:\n    rules: {{add: ['{RULE.replace('half', 'hlf')}']}}",
        )
    places = [p.where.rpartition("/")[2] for p in error.value.problems]
    line = 1 + base[: base.index("oxgen")].count("\n")
    assert places == [f"base.yaml:{line}", "mine.yaml:4"]


def test_lists_grow_and_shrink_by_path():
    model = oc.Model.from_text(oc.EXAMPLE)
    more = model.with_({"cells.tumor.rules+": RULE, "initial+": {"cells": "tumor", "count": 3, "everywhere": {}}})
    assert len(more.type("tumor").rules) == 2 and more.cells_at_start == model.cells_at_start + 3
    assert len(model.type("tumor").rules) == 1, "the model itself stays as it is"
    assert said(more.with_({"cells.tumor.rules-": "oxygen on *"})) == ["pressure motility.speed"]
    several = model.with_(
        {"cells.tumor.rules+": [RULE, RULE.replace("motility.speed", "motility.bias").replace(" um/min", "")]}
    )
    assert len(several.type("tumor").rules) == 3
    seen = model.with_({"record.columns": "[radius, volume.total]"}).with_({"record.columns-": "radius"})
    assert seen.document.tree["record"]["columns"] == ["volume.total"]


def test_edits_read_like_the_same_model_written_out():
    base = oc.load("hypoxic_tumor")
    edited = oc.edit(
        base, add={"cells.cd8.rules": RULE}, drop={"cells.tumor.rules": "pressure on *"}, set={"until": "1 day"}
    )
    left = [r.text for r in base.type("tumor").rules if r.signal[0] != "sense.pressure"]
    whole = base.with_({"cells.cd8.rules": [RULE], "cells.tumor.rules": left, "until": "1 day"})
    assert edited.diff(whole) == [] and len(left) == 4


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cells.tumor.rules-": "oxgen on cycle.exit.live"}, "Did you mean 'oxygen on cycle.exit.live'"),
        ({"cells.tumor.rules+": "oxgen decreases death.necrosis to 0 1/min, half 3 mmHg"}, "Did you mean 'oxygen'"),
        ({"cells.tumr.rules+": RULE}, "Did you mean 'tumor'"),
        ({"record.columns-": "raduis"}, "'raduis' is not in it"),
        ({"initial-": "tumor"}, "'tumor' is not in it"),
    ],
)
def test_what_cannot_be_edited_is_told(changes, told):
    with pytest.raises(ModelError, match=told.replace("(", r"\(")) as error:
        oc.load("hypoxic_tumor").with_(changes)
    assert len(error.value.problems) == 1


def test_names_may_end_with_a_sign():
    """Ca2+ is a factor, not a list that grows."""
    text = oc.EXAMPLE.replace("  oxygen: {", "  Ca2+: {unit: mM, diffusion: 100 um^2/min}\n  oxygen: {")
    assert Model.from_text(text).with_({"factors.Ca2+.decay": "2 1/min"}).factors[0].decay == 2.0


def test_former_names_are_answered_with_the_new_ones():
    model = oc.Model.from_text(oc.EXAMPLE.replace("    cycle:", "    library: tumor\n    cycle:"))
    assert [(p.severity, p.message) for p in model.problems] == [("warning", "'tumor' is called 'tumor_simple' now.")]
    with pytest.raises(ModelError, match="Did you mean 'cd8_effector'"):
        oc.load("reference").with_({"cells.ctl.motility.speed": "3 um/min"})
    with pytest.raises(ModelError, match="rules: {drop"):
        oc.Model.from_text(oc.EXAMPLE.replace("    cycle:", "    without: [oxygen on *]\n    cycle:"))


def test_a_new_file_may_say_only_what_is_changed(tmp_path):
    edits = [f"cells.tumor.rules+={RULE}", "cells.tumor.rules-=pressure on cycle.exit.live", "until=1 day"]
    words = [word for edit in [*edits, "initial.1.count=7"] for word in ("--set", edit)]
    command = [sys.executable, "-m", "oncarium", "new", "mine.yaml", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "mine.yaml").read_text()
    assert "include: hypoxic_tumor" in text and "domain" not in text and text.count("rules") == 1
    model = Model.load(tmp_path / "mine.yaml")
    assert [p.count for p in model.placements][1:] == [7, 150] and model.until == 1440.0
    assert said(model)[-1] == "pressure motility.speed" and len(said(model)) == 5


def test_a_sentence_that_was_cut_at_its_commas_is_one_problem():
    text = oc.EXAMPLE.replace('["oxygen decreases death.necrosis to 0 1/min, half 3 mmHg, hill 4 assumed"]',
                              "[oxygen decreases death.necrosis to 0 1/min, half 3 mmHg, hill 4 assumed]")  # fmt: skip
    with pytest.raises(ModelError, match="was cut at a comma") as error:
        Model.from_text(text)
    assert len(error.value.problems) == 1 and "in quotes" in str(error.value)
    with pytest.raises(ModelError, match="was cut at a comma") as error:
        Model.from_text(oc.EXAMPLE).with_({"cells.tumor.rules+": f"[{RULE}]"})
    assert len(error.value.problems) == 1


def test_rules_that_share_their_end_are_told():
    """Before, a weak drug beside a strong killer killed as strongly, and nobody was told."""
    weak = "oxygen increases death.apoptosis to 0.001 1/min, half 30 mmHg, hill 2"
    strong = "pressure increases death.apoptosis to 0.02 1/min, half 1, hill 2"
    model = oc.Model.from_text(oc.EXAMPLE).with_({"cells.tumor.rules+": [weak, strong]})
    told = [p for p in model.problems if "share one end" in p.message]
    assert len(told) == 1 and "which is 0.02 1/min here" in told[0].message and told[0].severity == "warning"
    same = weak.replace("0.001", "0.02")
    assert not oc.Model.from_text(oc.EXAMPLE).with_({"cells.tumor.rules+": [same, strong]}).problems
