"""Cells that differ: mean and spread, bounds, inheritance, a change of type, rules and what no rule changes; a
threshold is no step; any threads, order and restart."""

import numpy as np
import pytest
from scipy import stats

import oncarium as oc
from helpers import shuffle
from oncarium.errors import ModelError

TEXT = """
domain: {x: [-300 um, 300 um], y: [-300 um, 300 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 6 h
record: {cells: 1 h, columns: [surface.pd1, motility.speed]}
factors:
  ifng: {unit: nM, diffusion: 6000 um^2/min, decay: 0 1/min, boundary: DOSE nM, initial: DOSE nM}
cells:
  a:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}
    surface: {pd1: 100 1/um^2}
    motility: {speed: 2 um/min, bias: 0.5}
    secretion: {rate: {ifng: 0 molecules/min}}
    varies: VARIES
    rules: RULES
initial: [{cells: a, everywhere: , count: COUNT}]
"""
PD1 = "{surface.pd1: 0.7 assumed, motility.speed: 0.4}"


def model(varies=PD1, rules="[]", dose="0", count=4000, text=TEXT):
    for word, said in (("VARIES", varies), ("RULES", rules), ("DOSE", dose), ("COUNT", str(count))):
        text = text.replace(word, said)
    return oc.Model.from_text(text)


def cells_of(given, until="6 min", seed=1):
    simulation = oc.Simulation(given, seed=seed)
    simulation.run(until)
    return simulation.tissue.cells


def test_mean_and_sigma_are_those_that_are_said():
    cells = cells_of(model())
    for values, mean, sigma in ((cells["surface.pd1"], 100.0, 0.7), (cells["motility.speed"], 2.0, 0.4)):
        expected = stats.lognorm(sigma, scale=mean * np.exp(-(sigma**2) / 2))
        assert stats.kstest(values, expected.cdf).pvalue > 1e-3
        assert values.mean() == pytest.approx(mean, rel=4 * expected.std() / mean / np.sqrt(4000))
        assert np.log(values).std() == pytest.approx(sigma, rel=0.05)
    assert abs(np.corrcoef(cells["surface.pd1"], cells["motility.speed"])[0, 1]) < 0.06, "each is drawn on its own"


def test_rules_keep_the_difference():
    up = "ifng increases surface.pd1 to 300 1/um^2, half 1 nM, hill 1"
    rules = f'["{up}", "ifng decreases motility.speed to 0 um/min, half 1 nM, hill 1"]'
    without, with_ifng = cells_of(model(rules=rules, count=300)), cells_of(model(rules=rules, dose="1", count=300))
    np.testing.assert_allclose(with_ifng["surface.pd1"] / without["surface.pd1"], 2.0, rtol=1e-6)
    np.testing.assert_allclose(with_ifng["motility.speed"] / without["motility.speed"], 0.5, rtol=1e-6)
    alike = cells_of(model("{}", rules, "1", 300))
    assert np.ptp(alike["surface.pd1"]) < 1e-4 and "varies.surface.pd1" not in alike
    np.testing.assert_allclose(with_ifng["surface.pd1"], with_ifng["varies.surface.pd1"] * 200.0, rtol=1e-6)


def test_a_threshold_is_no_step():
    """Of cells that act above 100 of their receptors, the share at a mean m is Phi((ln(m / 100) - s^2 / 2) / s): over a
    fourfold range in place of at once."""
    for mean in (50, 100, 200):
        text = TEXT.replace("pd1: 100", f"pd1: {mean}")
        share = (cells_of(model("{surface.pd1: 0.7}", text=text))["surface.pd1"] > 100.0).mean()
        expected = stats.norm.cdf((np.log(mean / 100.0) - 0.7**2 / 2) / 0.7)
        assert share == pytest.approx(expected, abs=0.03)


def test_bounds_hold_with_and_without_rules():
    for rules in ("[]", '["ifng increases motility.bias to 1, half 1 nM, hill 1"]'):
        bias = cells_of(model("{motility.bias: 1.5}", rules, "1"))["motility.bias"]
        assert bias.max() == 1.0 and 0.0 <= bias.min() < 0.1


def test_daughters_have_their_mothers_factors():
    given = model(count=40).with_({"cells.a.cycle.exit": "0.01 1/min"})
    cells = cells_of(given, "6 h")
    assert cells.n > 200
    assert len(np.unique(cells["varies.surface.pd1"])) == 40
    np.testing.assert_allclose(cells["surface.pd1"], 100.0 * cells["varies.surface.pd1"], rtol=1e-12)


def test_a_cell_that_changes_its_type_takes_the_spread_of_the_new_one():
    varies = "{surface.pd1: 0.7}\n    transformation: {rate: {b: RATE 1/min}}"
    other = TEXT.replace(
        "initial: [", "  b: {like: a, transformation: {rate: {b: 0 1/min}}, varies: {surface.pd1: 0.35}}\ninitial: ["
    )
    before = cells_of(model(varies.replace("RATE", "0"), count=500, text=other))
    after = cells_of(model(varies.replace("RATE", "100"), count=500, text=other), "18 min")
    assert (before.type == 0).all() and (after.type == 1).all()
    z = (np.log(before["varies.surface.pd1"]) + 0.7**2 / 2) / 0.7
    np.testing.assert_allclose((np.log(after["varies.surface.pd1"]) + 0.35**2 / 2) / 0.35, z, atol=1e-9)
    np.testing.assert_allclose(after["surface.pd1"], 100.0 * after["varies.surface.pd1"])


def test_any_threads_order_and_restart_give_the_same_bytes(tmp_path):
    given = model(count=100, rules='["ifng increases surface.pd1 to 300 1/um^2, half 1 nM, hill 1"]').with_(
        {"cells.a.cycle.exit": "0.002 1/min"}
    )
    whole = oc.Simulation(given, seed=5)
    whole.run("4 h")
    again = oc.Simulation(given, seed=5, threads=2)
    again.run("2 h")
    shuffle(again.tissue)
    again.run("4 h")
    assert again.tissue.digest() == whole.tissue.digest()
    oc.run(given, "2 h", 5, out=tmp_path / "half.zarr")
    assert oc.resume(tmp_path / "half.zarr", "4 h").digest == whole.tissue.digest()


@pytest.mark.parametrize(
    ("varies", "said"),
    [
        ("{surface.pdl: 0.7}", "no behavior is called 'surface.pdl'. Did you mean 'surface.pdl1'"),
        ("{surface.pd1: -1}", "surface.pd1"),
        ("{surface.pd1: 30}", "surface.pd1"),
        ("{surface.pd1: 0.7 um}", "um"),
        ("{cycle.exit.live: 0.5}", "no behavior is called 'cycle.exit.live'"),
        ("{volume.total: 0.5}", "no behavior is called 'volume.total'"),
        ("[surface.pd1]", "varies"),
    ],
)
def test_what_cannot_vary_is_named(varies, said):
    with pytest.raises(ModelError) as error:
        model(varies)
    assert said in str(error.value)


def test_it_is_told_compared_and_refused_by_another_program():
    assert "surface.pd1 differs between cells: log-normal around its mean, sigma 0.7" in model().describe()
    assert any("varies.surface.pd1" in line for line in model().diff(model("{surface.pd1: 0.5}")))
    with pytest.raises(ModelError, match="one base"):
        model(text=TEXT.replace("until:", "numerics: physicell\nuntil:"))
