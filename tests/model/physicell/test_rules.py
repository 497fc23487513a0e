"""Rules files of all versions as sentences, and what is refused in them."""

import pytest

from .world import cell, read, refused, settings, told, with_rules

CELLS = cell('<cycle code="5"/><volume><total>2494</total></volume>') + cell('<cycle code="5"/>', "T cell", 1)


def rules(folder, text, version="3.0", **options):
    return read(folder, settings(cells=CELLS, rest=with_rules(version)), rules_csv=text, **options)


def sentences(model):
    return [f"{t}: {r.text}" for t, r in model.rules]


def test_version_3(tmp_path):
    text = (
        "// a comment\ntumor,oxygen,increases,cycle entry,0.003,21.5,4,0\n\nT cell,contact with "
        "tumor,decreases,migration speed,0.1,2,8,1\n"
    )
    model = rules(tmp_path, text)
    assert sentences(model) == [
        "tumor: oxygen increases cycle.exit.live to 0.003 1/min, half 21.5 mmHg, hill 4",
        "T cell: contact with tumor decreases motility.speed to 0.1 um/min, half 2, hill 8, also when dead",
    ]
    first = model.rules[0][1]
    assert (first.signal, first.behavior) == (("sense.factor", "oxygen"), ("cycle.exit", "live"))
    assert (first.value, first.half, first.hill, first.dead) == (0.003, 21.5, 4.0, False)


def test_older_versions_are_converted_and_said(tmp_path):
    v1 = rules(tmp_path / "1", "tumor,oxygen,increases,apoptosis,5.316666666666667e-05,0.1,5,4,0\n", "1.0")
    v0 = rules(tmp_path / "0", "tumor,apoptosis,0,5.316666666666667e-05,0.1,oxygen,increases,5,4,0\n", "0.0")
    assert (
        sentences(v1) == sentences(v0) == ["tumor: oxygen increases death.apoptosis to 0.1 1/min, half 5 mmHg, hill 4"]
    )
    down = rules(tmp_path / "d", "tumor,apoptosis,0,5.316666666666667e-05,0.1,oxygen,decreases,5,4,0\n", "0")
    assert sentences(down) == ["tumor: oxygen decreases death.apoptosis to 0 1/min, half 5 mmHg, hill 4"]
    assert "version 1.0 is read and converted to version 3" in told(v1) and "base" not in told(v1)


def test_a_base_value_that_differs_from_the_definition_is_said(tmp_path):
    assert "the base value 0.5 differs from 5.31667e-05" in told(
        rules(tmp_path, "tumor,oxygen,increases,apoptosis,0.5,0.9,5,4,0\n", "1")
    )


def test_phagocytosis_of_the_dead_in_version_2_is_three_behaviors(tmp_path):
    model = rules(tmp_path, "tumor,oxygen,increases,phagocytose dead cell,0.1,5,4,0\n", "2.0")
    assert [r.behavior[0] for _, r in model.rules] == [
        "phagocytosis.apoptotic",
        "phagocytosis.necrotic",
        "phagocytosis.other_dead",
    ]


def test_columns_may_be_separated_by_tabs(tmp_path):
    assert len(rules(tmp_path, "tumor\toxygen\tincreases\tapoptosis\t0.1\t5\t4\t0\n").rules) == 1


@pytest.mark.parametrize(
    ("signal", "behavior", "sentence"),
    [
        (
            "oxygen gradient",
            "oxygen secretion",
            "gradient of oxygen increases secretion.approach.oxygen to 9 1/min, half 2 mmHg/um, hill 4",
        ),
        (
            "intracellular oxygen",
            "oxygen export",
            "sense.intracellular.oxygen increases secretion.rate.oxygen to 9 mmHg*um^3/min, half 2 mmHg, hill 4",
        ),
        ("pressure", "attack T cell", "pressure increases attack.rate.T cell to 9 1/min, half 2, hill 4"),
        ("volume", "fuse to cell type 1", "volume increases fusion.rate.T cell to 9 1/min, half 2 um^3, hill 4"),
        (
            "damage delivered",
            "immunogenicity to T cell",
            "attack.delivered increases attack.immunogenicity.T cell to 9, half 2, hill 4",
        ),
        (
            "contact with dead cells",
            "chemotactic response to oxygen",
            "dead contacts increases motility.sensitivity.oxygen to 9, half 2, hill 4",
        ),
        ("time", "adhesive affinity to tumor", "time increases mechanics.affinity.tumor to 9, half 2 min, hill 4"),
        (
            "is_necrotic",
            "cell-BM repulsion",
            "sense.necrotic increases mechanics.membrane_repulsion to 9 um/min, half 2, hill 4",
        ),
        (
            "total attack time",
            "cell attachment rate",
            "attacked increases springs.attachment to 9 1/min, half 2 min, hill 4",
        ),
        (
            "is attacking",
            "exit from cycle phase 0",
            "sense.attacking increases cycle.exit.live to 9 1/min, half 2, hill 4",
        ),
    ],
)
def test_names_and_synonyms(tmp_path, signal, behavior, sentence):
    assert sentences(rules(tmp_path, f"tumor,{signal},increases,{behavior},9,2,4,0\n")) == [f"tumor: {sentence}"]


def test_custom_variables_are_signals_and_behaviors(tmp_path):
    cells = cell("", rest="<custom_data><hits>1</hits></custom_data>")
    model = read(
        tmp_path,
        settings(cells=cells, rest=with_rules()),
        rules_csv="tumor,custom:hits,increases,custom: hits,2,1,4,0\n",
    )
    assert sentences(model) == ["tumor: custom.hits increases custom.hits to 2, half 1, hill 4"]


def test_one_signal_may_act_in_both_directions_but_not_twice_in_one(tmp_path):
    both = "tumor,oxygen,increases,apoptosis,0.1,5,4,0\ntumor,oxygen,decreases,apoptosis,0,9,4,0\n"
    assert len(rules(tmp_path / "a", both).rules) == 2
    twice = "tumor,oxygen,increases,apoptosis,0.1,5,4,0\ntumor,oxygen,increases,apoptosis,0.2,5,4,0\n"
    message = refused(tmp_path / "b", settings(cells=CELLS, rest=with_rules()), rules_csv=twice)
    assert "rules.csv:2" in message and "rules.csv:1" in message and "already stands" in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tumor,oxgen,increases,apoptosis,0.1,5,4,0", "no signal is called 'oxgen'. Did you mean 'oxygen'?"),
        ("tumor,oxygen,increases,apoptosi,0.1,5,4,0", "no behavior is called 'apoptosi'. Did you mean 'apoptosis'?"),
        ("tumour,oxygen,increases,apoptosis,0.1,5,4,0", "no cell type is called 'tumour'. Did you mean 'tumor'?"),
        ("tumor,oxygen,increase,apoptosis,0.1,5,4,0", "Did you mean 'increases'?"),
        ("tumor,oxygen,increases,apoptosis,0.1,5,-4,0", "Hill power is -4. Expected a number above 0"),
        ("tumor,oxygen,increases,apoptosis,0.1,0,4,0", "half-maximum is 0. Expected a number above 0"),
        ("tumor,oxygen,increases,apoptosis,nan,5,4,0", "saturation value is nan. Expected a finite number"),
        ("tumor,oxygen,increases,apoptosis,inf,5,4,0", "Expected a finite number"),
        ("tumor,oxygen,increases,apoptosis,x,5,4,0", "saturation value is 'x', no number"),
        ("tumor,oxygen,increases,apoptosis,,5,4,0", "the value of 'saturation value' is empty"),
        ("tumor,oxygen,increases", "3 values, 'behavior' is missing; expected 8"),
        ("tumor,oxygen,increases,apoptosis,0.1,5,4,0,9", "there are too many; expected 8"),
        ("tumor;oxygen;increases;apoptosis;0.1;5;4;0", "separated by semicolons"),
        ("tumor,oxygen,increases,apoptosis,-0.1,5,4,0", "-0.1 1/min is out of range; expected at least 0 1/min"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_line(tmp_path, line, said):
    text = f"tumor,pressure,decreases,cycle entry,0,1,4,0\n{line}\n"
    message = refused(tmp_path, settings(cells=CELLS, rest=with_rules()), rules_csv=text)
    assert said in message and "rules.csv:2" in message


def test_signals_that_are_always_zero_are_left_out_and_said(tmp_path):
    model = rules(tmp_path, "tumor,contact with BM,increases,apoptosis,0.1,5,4,0\n")
    assert model.rules == [] and "always 0 in PhysiCell itself" in told(model)


def test_the_broken_contacts_of_1_14_2_are_said(tmp_path):
    text = "tumor,contact with apoptotic cell,increases,apoptosis,0.1,5,4,0\n"
    assert "reads 0 in rules, as in PhysiCell" in told(rules(tmp_path / "a", text, compat="1.14.2"))
    assert "reads 0" not in told(rules(tmp_path / "b", text)) and len(rules(tmp_path / "c", text).rules) == 1


def test_a_phase_that_the_cycle_does_not_have_has_no_effect_and_is_said(tmp_path):
    model = rules(tmp_path, "tumor,oxygen,increases,exit from cycle phase 3,0.1,5,4,0\n")
    assert model.rules == [] and "the cycle of tumor has 1 phases" in told(model)


def test_several_files_add_up(tmp_path):
    both = (
        with_rules().replace("</rulesets>", "").replace("<settings/></cell_rules>", "")
        + with_rules("3", "more.csv").split("<rulesets>")[1]
    )
    one, two = (f"tumor,{signal},increases,apoptosis,0.1,5,4,0\n" for signal in ("oxygen", "pressure"))
    model = read(tmp_path, settings(cells=CELLS, rest=both), rules_csv=one, more_csv=two)
    assert len(model.rules) == 2


def test_an_empty_file_is_a_notice(tmp_path):
    assert "0 rules: the file has none" in told(rules(tmp_path, "// nothing\n"))
