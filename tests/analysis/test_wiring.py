"""The wiring of a model: everything that it joins is in the figure, and nothing else."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pytest

import oncarium as oc
from oncarium.analysis.wiring import read_wiring
from oncarium.analysis.wiring_page import page, write
from oncarium.errors import InputError
from oncarium.model.model import Model

MODEL = """
oncarium: 1
title: Two that meet
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  lure: {unit: nM, diffusion: 1e3 um^2/min, decay: 0.1 1/min}
cells:
  tumor:
    cycle: {model: live, exit: 0.01 1/h}
    secretion: {rate: {lure: 0 fmol/min}, uptake: {oxygen: 1 1/min}}
    hypoxia: {rise: 0.01 1/min, fall: 0 1/min}
    rules:
      - oxygen increases hypoxia.fall to 0.01 1/min, half 10 mmHg
      - hypoxia.level increases secretion.rate.lure to 0.01 fmol/min, half 0.5
      - contact with killer decreases cycle.exit.live to 0 1/min, half 1
  killer:
    motility: {speed: 1 um/min, bias: 0.5, sensitivity: {lure: 1}}
    attack: {rate: {tumor: 0.01 1/min}}
"""


@pytest.fixture(scope="module")
def model():
    return Model.from_text(MODEL)


def test_what_is_joined(model):
    wiring = read_wiring(model)
    assert wiring.outside == {"oxygen"} and wiring.takes == {("oxygen", "tumor")}
    assert wiring.makes == {("lure", "tumor"): (0.0, 0.01)}
    assert wiring.states == {"hypoxia": "Hy"}
    told = {(e.signal, e.type, e.letter, e.up) for e in wiring.effects}
    assert told == {("oxygen", "tumor", "Hy", False), ("hypoxia", "tumor", "S", True), ("lure", "killer", "M", True)}
    assert {(t.by, t.on, t.verb, t.up) for t in wiring.touches} == {
        ("killer", "tumor", "attacks", None), ("killer", "tumor", "changes cycle.exit", False),
    }  # fmt: skip


def test_a_mechanism_makes_and_takes_what_it_writes():
    wiring = read_wiring(oc.load("reference"))
    assert {("lactate", "carcinoma"), ("acid", "carcinoma")} <= set(wiring.makes)
    assert {("oxygen", "carcinoma"), ("glucose", "carcinoma")} <= wiring.takes
    assert len(wiring.types) == 12 and len(set(wiring.states.values())) == len(wiring.states)
    assert any(e.signal == "ccl2" and e.type == "monocyte" and e.letter == "R" for e in wiring.effects)
    moved = {(e.signal, e.type) for e in wiring.effects if e.letter == "M"}
    assert {("ang2", "tumor_macrophage"), ("ccl21", "dendritic")} <= moved, "a rule makes them follow it"


def test_the_figure_names_every_factor_state_and_type(model):
    ax = oc.plot.wiring(model).axes[0]
    said = [t.get_text() for t in ax.texts]
    assert {"oxygen", "lure", "hypoxia  Hy", "outside"} <= set(said)
    assert said.count("tumor") == 3 and said.count("killer") == 3, "both tables and the ring"
    assert said.count("Hy") == 1 and said.count("S") == 1
    plt.close("all")


def test_a_model_without_rules_or_factors_is_drawn():
    domain = "domain: {x: [0 um, 40 um], y: [0 um, 40 um], voxel: 20 um}"
    text = f"oncarium: 1\n{domain}\ncells:\n  a: {{cycle: {{model: live}}}}\n"
    assert oc.plot.wiring(Model.from_text(text)).axes
    plt.close("all")


@pytest.mark.parametrize("kind", [".png", ".svg", ".html"])
def test_files(model, kind, tmp_path):
    path = write(model, tmp_path / "new" / f"wiring{kind}")
    assert path.stat().st_size > 10_000


def test_the_page_says_every_rule(model):
    text = page(model, "<svg></svg>")
    assert all(r.text in text for _, r in model.rules if r.signal[0] != "sense.contact")
    assert "killer moves up the gradient of lure" in text


def test_another_kind_of_file_is_refused(model):
    with pytest.raises(InputError, match=r"'.doc' is no kind of picture here; expected one of .png, .svg"):
        write(model, "wiring.doc")


def test_the_command(tmp_path):
    from typer.testing import CliRunner

    from oncarium.cli import app

    out = tmp_path / "wiring.svg"
    said = CliRunner().invoke(app, ["plan", "hypoxic_tumor", "--wiring", str(out)])
    assert said.exit_code == 0 and out.exists() and str(out) in said.output


def test_inputs_of_a_network_are_in_it():
    inline = 'network: {bnd: "Node A {} Node B {logic = A;}", inputs: [{node: A, signal: oxygen, below: 5 mmHg}]}'
    wiring = read_wiring(Model.from_text(MODEL.replace("hypoxia:", f"{inline}\n    hypoxia:", 1)))
    assert ("oxygen", "tumor", "N", False) in {(e.signal, e.type, e.letter, e.up) for e in wiring.effects}
