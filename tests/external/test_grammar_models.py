"""Published models of the rules grammar, and other settings: they load unchanged, and say what they leave out."""

import pytest

from oncarium.model.model import Model
from oncarium.run.simulation import Simulation

GRAMMAR = {  # file -> cell types, factors, cells, rules
    "hypoxia/PhysiCell_settings.xml": (2, 1, 2000, 8),
    "tumor_immune_base/PhysiCell_settings.xml": (3, 4, 2200, 11),
    "tam_egf/PhysiCell_settings_go.xml": (5, 6, 210, 0),
    "tam_egf/PhysiCell_settings_grow.xml": (5, 6, 210, 0),
    "tam_egf/PhysiCell_settings_go_and_grow.xml": (5, 6, 210, 0),
}


@pytest.mark.parametrize("numerics", ["oncarium", "physicell"])
@pytest.mark.parametrize("name", GRAMMAR)
def test_published_models_load_unchanged(cases, name, numerics):
    model = Model.load(cases / "grammar_models" / name, numerics=numerics)
    types, factors, cells, rules = GRAMMAR[name]
    assert (len(model.types), len(model.factors), model.cells_at_start) == (types, factors, cells)
    assert len(model.rules) == rules or (rules == 0 and model.rules)
    assert model.describe()
    again = Model.from_text(model.to_yaml(), folder=model.folder)
    assert again == model and [(t, r.text) for t, r in again.rules] == [(t, r.text) for t, r in model.rules]


@pytest.mark.parametrize("name", ["hypoxia/PhysiCell_settings.xml", "tumor_immune_base/PhysiCell_settings.xml"])
def test_published_models_run(cases, name):
    for numerics in ("oncarium", "physicell"):
        simulation = Simulation(Model.load(cases / "grammar_models" / name, numerics=numerics), threads=1)
        simulation.run("12 min")
        assert simulation.tissue.cells.n >= GRAMMAR[name][2] - 60


def test_the_published_hypoxia_in_its_own_words(cases):
    text = Model.load(cases / "grammar_models" / "hypoxia" / "PhysiCell_settings.xml").to_yaml()
    for sentence in (
        "oxygen increases cycle.exit.live to 7.2e-03 1/min, half 21.5, hill 4",
        "pressure decreases cycle.exit.live to 0 1/min, half 0.25, hill 3",
        "oxygen decreases transformation.rate.motile tumor to 0.0 1/min, half 6.75, hill 8",
        "xmin: {voxels: 38}",
    ):
        assert sentence in text


def test_collected_settings_are_the_same_when_written_and_read_again(cases):
    """Every settings file of the cases that loads: XML -> YAML -> the same model, in both numerics."""
    seen = 0
    for path in sorted(cases.rglob("*.xml")):
        if "bad_inputs" in path.parts or "openvt_monolayer" in path.parts:  # the latter lacks its table
            continue
        for numerics in ("oncarium", "physicell"):
            model = Model.load(path, numerics=numerics)
            assert Model.from_text(model.to_yaml(), folder=path.parent) == model, path
            seen += 1
    assert seen > 50
