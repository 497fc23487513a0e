"""Boolean networks: by hand, against their master equation and MaBoSS,
for any step, same bytes; in models, with inputs and errors."""

import math
import re

import numpy as np
import pytest
from scipy.linalg import expm

import oncarium as oc
from helpers import add_cells, fire, shuffle, tissue_of
from oncarium.biology.networks import Net, Networks, text
from oncarium.errors import ModelError, NumericsError
from oncarium.model.logic import read_logic

# damage raises p53; p53 raises Mdm2 in the cytoplasm, which lets nuclear Mdm2 come back and silence p53
BND = """
Node p53 { logic = NOT Mdm2n; rate_up = @logic ? $u_p53 : 0; rate_down = @logic ? 0 : $d_p53; }
Node Mdm2c { logic = p53; rate_up = @logic ? 1 : 0; rate_down = @logic ? 0 : $slow; }
Node Mdm2n { logic = NOT (p53 OR Damage) OR Mdm2c; rate_up = @logic ? 1 : 0; rate_down = @logic ? 0 : 1 + Damage; }
Node Damage { rate_up = 0; rate_down = p53 ? $repair : 0; }
Node Arrest { logic = p53 AND !Mdm2c; rate_up = @logic ? $u_p53 * 2 : 0; rate_down = @logic ? 0 : 0.5; }
"""
CFG = """
$u_p53 = 1; $d_p53 = 1; $slow = 0.5; $repair = $slow / 5;
[p53, Mdm2n].istate = 0.75 [0, 1], 0.25 [1, 0]; Mdm2c.istate = 0; Damage.istate = 1; Arrest.istate = 0;
time_tick = 0.05; max_time = 8; sample_count = 50000; thread_count = 1; discrete_time = 0; use_physrandgen = 0;
seed_pseudorandom = 1;
"""
SWITCH = "Node A { rate_up = $up; rate_down = $down; }"
CELLS = 2000
MODEL = """
oncarium: 1
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 1 h
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0 1/min, initial: 2 mmHg}
cells:
  tumor:
    network:
      file: net.bnd
      settings: net.cfg
      time: 12 min
      hold: {Arrest: 1}
      inputs:
        - {node: Damage, signal: oxygen, below: 5 mmHg}
    rules:
      - network.Arrest increases death.apoptosis to 0.01 1/min, half 0.5
initial:
  - {cells: tumor, disc: {radius: 80 um}, count: 40}
"""


def net(bnd=BND, cfg=CFG, minutes=1.0, held=(), inputs=()):
    logic = read_logic(bnd, "net.bnd", cfg, "net.cfg")
    starts = tuple((s.nodes, s.states, s.chances) for s in logic.starts)
    p = np.array(list(logic.parameters.values()), float)
    return Net(np.ones(1, np.bool_), logic.nodes, logic.up, logic.down, p, starts, tuple(held), tuple(inputs), minutes)


def world(n=CELLS, **said):
    process = Networks(6.0, [net(**said)])
    tissue = tissue_of([process])
    add_cells(tissue, np.zeros((n, 3)))
    process.prepare(tissue)
    return process, tissue


def state(tissue, node):
    return tissue.cells[f"network.{node}"].astype(float)


def generator(logic_net):
    """Master equation by hand: rates between all states, the
    first node the lowest bit, and the chances at the start."""
    n = len(logic_net.nodes)
    states = [[k >> i & 1 for i in range(n)] for k in range(2**n)]
    q = np.zeros((2**n, 2**n))
    for k, s in enumerate(states):
        for i in range(n):
            rate = eval((logic_net.down if s[i] else logic_net.up)[i], {"s": s, "p": logic_net.p})
            q[k ^ 1 << i, k] += rate
            q[k, k] -= rate
    start = np.array([math.prod(sum(c for v, c in zip(vs, cs) if all(s[j] == x for j, x in zip(nodes, v)))
                                for nodes, vs, cs in logic_net.starts) for s in states])  # fmt: skip
    return q, start, np.array(states)


def within(found, exact, n=CELLS):
    """Whether shares of n cells lie within three standard errors."""
    return np.all(np.abs(found - exact) <= 3.0 * np.sqrt(np.maximum(exact * (1 - exact), 1e-12) / n) + 1e-9)


def test_one_node_by_hand():
    process, tissue = world(20_000, bnd=SWITCH, cfg="$up = 0.3; $down = 0.1; A.istate = 0;")
    fire(process, tissue, dt=2.0)
    assert within(state(tissue, "A").mean(), 0.75 * (1 - math.exp(-0.4 * 2.0)), 20_000)


@pytest.mark.parametrize("dt", [4.0, 1.0, 0.5])
def test_follows_the_master_equation_for_any_step(dt):
    process, tissue = world()
    q, start, states = generator(process.nets[0])
    for k in range(round(8.0 / dt)):
        fire(process, tissue, dt=dt, first=k)
        t = (k + 1) * dt
        if t in (4.0, 8.0):
            exact = expm(q * t) @ start @ states
            assert within(np.array([state(tissue, n).mean() for n in process.nets[0].nodes]), exact)


def test_agrees_with_maboss(tmp_path):
    """MaBoSS prints means over windows of its time_tick: ours is the mean of both ends."""
    cmaboss = pytest.importorskip("cmaboss", reason="cmaboss is not installed: pip install oncarium[networks]")
    (tmp_path / "net.bnd").write_text(BND)
    (tmp_path / "net.cfg").write_text(CFG)
    table, times, names, _ = (
        cmaboss.MaBoSSSim(network=str(tmp_path / "net.bnd"), config=str(tmp_path / "net.cfg"))
        .run()
        .get_nodes_probtraj()
    )
    process, tissue = world()
    before = np.zeros(len(names))
    for k in range(160):
        fire(process, tissue, dt=0.05, first=k)
        now = np.array([state(tissue, n).mean() for n in names])
        if k in (20, 60, 100, 158):
            assert times[k] == pytest.approx(0.05 * k)
            theirs = np.asarray(table)[k]
            error = np.sqrt(theirs * (1 - theirs) * (1 / CELLS + 1 / 50_000))
            assert np.all(np.abs(0.5 * (before + now) - theirs) <= 3.0 * error), (k, now, theirs)
        before = now


def test_starts_are_drawn_together_and_once():
    process, tissue = world(cfg="$u_p53 = 0; $d_p53 = 0; $slow = 0; $repair = 0;" + CFG.split("\n")[2])
    fire(process, tissue, dt=1e-9)
    p53, nuclear = state(tissue, "p53"), state(tissue, "Mdm2n")
    assert np.array_equal(p53 + nuclear, np.ones(CELLS)) and set(tissue.cells["network.runs"]) == {1}
    assert within(p53.mean(), 0.25)
    before = p53.copy()
    fire(process, tissue, dt=1e-9, first=1)
    assert np.array_equal(state(tissue, "p53"), before)


def test_a_node_without_a_start_begins_by_chance():
    process, tissue = world(bnd="Node A {}", cfg="")
    fire(process, tissue, dt=1.0)
    assert within(state(tissue, "A").mean(), 0.5)


def test_held_nodes_and_inputs_do_not_move_by_themselves():
    process, tissue = world(held=[(0, 1)], inputs=[(3, "vital", -1, 0.5, False)])
    fire(process, tissue, dt=50.0)
    assert state(tissue, "p53").min() == 1.0 and state(tissue, "Damage").min() == 1.0
    assert 0.0 < state(tissue, "Mdm2c").mean()


def test_the_dead_keep_their_state_and_states_are_0_or_1():
    process, tissue = world()
    fire(process, tissue, dt=3.0)
    tissue.cells["vital"][:1000] = 1
    before = {n: state(tissue, n) for n in process.nodes}
    fire(process, tissue, dt=3.0, first=1)
    assert all(np.array_equal(state(tissue, n)[:1000], before[n][:1000]) for n in process.nodes)
    assert all(set(np.unique(state(tissue, n))) <= {0.0, 1.0} for n in process.nodes)


def test_same_bytes_on_any_number_of_threads_and_in_any_order():
    found = []
    for threads, mixed in ((1, False), (3, False), (2, True)):
        process, tissue = world(25_000)
        process.threads = threads
        if mixed:
            shuffle(tissue, 3)
        for k in range(2):
            fire(process, tissue, dt=2.0, first=k)
        order = tissue.cells.order()
        found.append(b"".join(tissue.cells[f"network.{n}"][order].tobytes() for n in process.nodes))
    assert found[0] == found[1] == found[2]


def test_a_network_that_never_rests_is_named():
    process, tissue = world(1, bnd=SWITCH, cfg="$up = 1e7; $down = 1e7;")
    with pytest.raises(NumericsError, match="changes more than 1,000,000 times within 6 min"):
        fire(process, tissue, dt=6.0)


def test_rates_without_words_follow_the_logic():
    made = text(net("Node A { logic = B; } Node B {}", ""))
    assert (
        "out[0] = (0.0 if (s[1] > 0) else 1.0) if s[0] > 0 else (1.0 if (s[1] > 0) else 0.0)" in made
        and "out[1] = 0.0 if s[1] > 0 else 0.0" in made
    )


# -- in models --------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.bnd").write_text(BND)
    (tmp_path / "net.cfg").write_text(CFG)
    return tmp_path


def test_in_a_model_inputs_hold_rules_and_restart_without_files(folder):
    model = oc.Model.from_text(MODEL, folder=folder)
    result = oc.run(model, "1 h", out=folder / "run")
    assert result.summary["apoptotic.tumor"].iloc[-1] > 0, "Arrest is held at 1, so the rule kills"
    (folder / "net.bnd").unlink()
    (folder / "net.cfg").unlink()
    assert oc.resume(folder / "run", "2 h").times[-1] == 120.0
    for oxygen, damage in (("2 mmHg", 1), ("20 mmHg", 0)):
        simulation = oc.Simulation(model.with_({"factors.oxygen.initial": oxygen}), seed=1)
        simulation.run("12 min")
        cells = simulation.tissue.cells
        assert set(cells["network.Damage"][cells["vital"] == 0]) == {damage}, "the threshold is 5 mmHg"


def test_types_alike_share_a_network_and_the_text_of_a_model_holds_it(folder):
    child = "  child:\n    like: tumor\n    network: {hold: {p53: 0}}\n  same: {like: tumor}\ninitial:"
    model = oc.Model.from_text(MODEL.replace("initial:\n", child + "\n", 1), folder=folder)
    process = next(p for p in oc.Simulation(model, seed=1).plan.processes if p.name == "Networks")
    assert [n.kinds.tolist() for n in process.nets] == [[True, False, True], [False, True, False]]
    changed = model.with_({"cells.tumor.network.parameters.$u_p53": 0})
    assert changed.networks["child"].logic.parameters["$u_p53"] == 0.0 and changed != model
    assert oc.Model.from_text(changed.to_yaml(), folder=None) == changed


@pytest.mark.parametrize(
    ("where", "old", "new", "said"),
    [
        ("net.bnd", "NOT Mdm2n", "NOT Mdm2m", r"net.bnd:2\n  no node is called 'Mdm2m'. Did you mean 'Mdm2n'\?"),
        (
            "net.bnd",
            "$slow; }\nNode Mdm2n",
            "$slwo; }\nNode Mdm2n",
            r"net.bnd:3\n  the parameter \$slwo has no value. Did you mean '\$slow'\?",
        ),
        ("net.cfg", "Mdm2c.istate", "Mdmc.istate", r"net.cfg:3\n  no node is called 'Mdmc'. Did you mean 'Mdm2c'\?"),
        ("net.cfg", "max_time", "mx_time", r"net.cfg:4\n  no setting is called 'mx_time'. Did you mean 'max_time'\?"),
        ("net.cfg", "$slow / 5", "$slow / 0", r"net.cfg:2\n  this value is no finite number"),
        ("model", "file: net.bnd", "file: nte.bnd", r"model:\d+  cells.tumor.network.file\n  no such file"),
        ("model", "node: Damage", "node: Damge", r"the network has no node 'Damge'. Did you mean 'Damage'\?"),
        ("model", "signal: oxygen", "signal: oxgen", r"no signal is called 'oxgen'. Did you mean 'oxygen'\?"),
        ("model", "below: 5 mmHg", "below: 5 mM", r"'mM' cannot be converted to mmHg"),
        (
            "model",
            "network.Arrest",
            "network.Arest",
            r"no signal is called 'network.Arest'. Did you mean 'network.Arrest'\?",
        ),
        ("model", "{Arrest: 1}", "{Arrest: 2}", r"2 is out of range"),
        ("model", "hold:", "held:", r"'held' is no part of a network here. Did you mean 'hold'\?"),
    ],
)
def test_errors_name_file_line_and_the_nearest_name(folder, where, old, new, said):
    yaml = MODEL
    if where == "model":
        assert old in yaml
        yaml = yaml.replace(old, new)
    else:
        content = (folder / where).read_text()
        assert old in content
        (folder / where).write_text(content.replace(old, new, 1))
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(yaml, folder=folder)
    assert re.search(said, str(error.value)), str(error.value)


def test_a_rule_of_a_type_without_the_node_is_refused(folder):
    other = "  other:\n    rules: [network.p53 increases death.apoptosis to 0.01 1/min, half 0.5]\ninitial:"
    with pytest.raises(ModelError, match="cells of type other have no node 'p53'"):
        oc.Model.from_text(
            MODEL.replace("initial:\n", other + "\n", 1)
            .replace("[network", '["network')
            .replace("half 0.5]", 'half 0.5"]'),
            folder=folder,
        )


# -- SBML-qual --------------------------------------------------------------------------------------------------------

QUAL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"
 xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" qual:required="true">
<model id="m"><listOfCompartments><compartment id="c" constant="true"/></listOfCompartments>
<qual:listOfQualitativeSpecies>
<qual:qualitativeSpecies qual:id="A" qual:compartment="c" qual:constant="false"
 qual:maxLevel="1" qual:initialLevel="1"/>
<qual:qualitativeSpecies qual:id="B" qual:compartment="c" qual:constant="false"
 qual:maxLevel="1" qual:initialLevel="0"/>
</qual:listOfQualitativeSpecies>
<qual:listOfTransitions><qual:transition qual:id="t">
<qual:listOfInputs>
<qual:input qual:id="i" qual:qualitativeSpecies="A" qual:transitionEffect="none"/>
</qual:listOfInputs>
<qual:listOfOutputs>
<qual:output qual:id="o" qual:qualitativeSpecies="B" qual:transitionEffect="assignmentLevel"/>
</qual:listOfOutputs>
<qual:listOfFunctionTerms><qual:defaultTerm qual:resultLevel="0"/><qual:functionTerm qual:resultLevel="1">
<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><eq/><ci>A</ci><cn type="integer">1</cn></apply></math>
</qual:functionTerm></qual:listOfFunctionTerms></qual:transition></qual:listOfTransitions></model></sbml>
"""


def test_sbml_qual_is_read():
    pytest.importorskip("libsbml", reason="python-libsbml is not installed: pip install oncarium[networks]")
    from oncarium.model.qual import read_qual

    bnd, cfg = read_qual(QUAL, "net.sbml")
    process, tissue = world(bnd=bnd, cfg=cfg)
    fire(process, tissue, dt=1.0)
    assert state(tissue, "A").min() == 1.0
    assert within(state(tissue, "B").mean(), 1 - math.exp(-1.0))
    entity = QUAL.replace("<sbml", '<!DOCTYPE sbml [<!ENTITY a "b">]><sbml', 1)
    produced, unknown = QUAL.replace("assignmentLevel", "production"), QUAL.replace("<ci>A</ci>", "<ci>X</ci>")
    for broken, said in (
        (QUAL.replace('maxLevel="1" qual:initialLevel="0"', 'maxLevel="99"'), "levels up to 99"),
        ("<sbml", "no valid SBML"),
        (entity, "declares a DOCTYPE"),
        (produced, "as in a Petri net"),
        (unknown, "'X' is neither a species nor an input"),
        (QUAL.replace('resultLevel="1"', 'resultLevel="2"'), "sets a level of 2; the highest is 1"),
    ):
        with pytest.raises(ModelError, match=said):
            read_qual(broken, "net.sbml")


def math_of(inside):
    """A network in which B follows a condition over A (threshold theta of 1) and C (levels 0 to 2)."""
    text = QUAL.replace('<apply><eq/><ci>A</ci><cn type="integer">1</cn></apply>', inside)
    text = text.replace('transitionEffect="none"/>', 'transitionEffect="none" qual:thresholdLevel="1"/>')
    text = text.replace('qual:id="i"', 'qual:id="theta"')
    c = 'qual:id="C" qual:compartment="c" qual:constant="true" qual:maxLevel="2" qual:initialLevel="2"'
    end = "</qual:listOfQualitativeSpecies>"
    return text.replace(end, f"<qual:qualitativeSpecies {c}/>{end}")


def integer(number):
    return f"<cn type='integer'>{number}</cn>"


A, B, C, T = "<ci>A</ci>", "<ci>B</ci>", "<ci>C</ci>", "<ci>theta</ci>"


@pytest.mark.parametrize(
    ("condition", "holds"),  # while A is 1, B 0 and C 2
    [
        (f"<apply><geq/>{A}{T}</apply>", True),
        (f"<apply><lt/>{A}{T}</apply>", False),
        (f"<apply><gt/>{C}{T}</apply>", True),
        (f"<apply><xor/><apply><eq/>{A}{T}</apply><apply><geq/>{C}{integer(2)}</apply></apply>", False),
        (
            f"<apply><and/><apply><neq/>{A}{integer(0)}</apply><apply><not/><apply><eq/>{B}{T}</apply></apply></apply>",
            True,
        ),
        (f"<apply><or/><false/><apply><leq/>{C}{T}</apply></apply>", False),
        ("<true/>", True),
        (f"<apply><eq/><apply><plus/>{A}{C}</apply><cn>3</cn></apply>", True),
        (f"<apply><lt/>{B}{A}{C}</apply>", True),
        (
            f"<piecewise><piece><false/><apply><eq/>{A}{T}</apply></piece><otherwise><true/></otherwise></piecewise>",
            False,
        ),
    ],
)
def test_conditions_of_sbml_qual(condition, holds):
    """MathML of a function term, thresholds of inputs by their ids among it."""
    pytest.importorskip("libsbml", reason="python-libsbml is not installed: pip install oncarium[networks]")
    from oncarium.model.logic import read_logic
    from oncarium.model.qual import read_qual

    bnd, cfg = read_qual(math_of(condition), "net.sbml")
    logic = read_logic(bnd, "net.sbml", cfg)
    assert logic.nodes == ("A", "B", "C_b1", "C_b2")
    s = [1, 0, 1, 1]
    up, down = (eval(rate[1], {"s": s, "p": []}) for rate in (logic.up, logic.down))
    assert (up, down) == (float(holds), float(not holds))


def test_species_of_several_levels_go_by_one_and_the_first_true_term_counts():
    pytest.importorskip("libsbml", reason="python-libsbml is not installed: pip install oncarium[networks]")
    from oncarium.model.logic import read_logic
    from oncarium.model.qual import read_qual

    on = f"<math xmlns='http://www.w3.org/1998/Math/MathML'><apply><eq/>{A}{integer(1)}</apply></math>"
    two = QUAL.replace('qual:maxLevel="1" qual:initialLevel="0"', 'qual:maxLevel="2" qual:initialLevel="1"')
    first = '<qual:functionTerm qual:resultLevel="1">'
    two = two.replace(first, f'<qual:functionTerm qual:resultLevel="2">{on}</qual:functionTerm>{first}')
    logic = read_logic(*(lambda f: (f[0], "net.sbml", f[1]))(read_qual(two, "net.sbml")))
    assert logic.nodes == ("A", "B_b1", "B_b2") and [s.states for s in logic.starts][1:] == [((0,), (1,))] * 2
    assert [s.chances for s in logic.starts][1:] == [(0.0, 1.0), (1.0, 0.0)]

    def rates(a, one, other):
        return [
            eval(r, {"s": [a, one, other], "p": []}) for r in (logic.up[1], logic.down[1], logic.up[2], logic.down[2])
        ]

    assert rates(1, 1, 0) == [1.0, 0.0, 1.0, 0.0]  # up to 2, not only to 1
    assert rates(1, 0, 0)[2] == 0.0  # not before level 1 is reached
    assert rates(0, 1, 1) == [0.0, 0.0, 0.0, 1.0]  # down by one level at a time
    assert rates(0, 1, 0)[1] == 1.0


def test_without_libsbml_the_message_says_what_to_install(monkeypatch):
    from oncarium.model.qual import read_qual

    monkeypatch.setitem(__import__("sys").modules, "libsbml", None)
    with pytest.raises(ModelError, match=r'pip install "oncarium\[networks\]"'):
        read_qual(QUAL, "net.sbml")
