"""Surgery takes all but a share and leaves a wound; given cells go where such cells come from."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import ModelError

MODEL = """
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}
until: 1 day
represents: 1 mm^3
clock: {transport: 6 min, mechanics: 6 min}
factors:
  il6: {unit: nM, diffusion: 0 um^2/min, decay: 0 1/min}
  ccl2: {unit: nM, diffusion: 0 um^2/min, decay: 0 1/min}
cells:
  tumor: {death: {apoptosis: 0 1/min}, mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}}
  cd8_effector: {library: cd8_simple}
  nk: {death: {apoptosis: 0 1/min}}
  dendritic: {death: {apoptosis: 0 1/min}, maturation: {rise: 0 1/min}}
body: {cd8: {start: 1}, lymph: {start: 0}}
entry: [{cells: cd8_effector, from: cd8, at: edge, rate: 1e-12 1/min, size: 1e6}]
exit: [{cells: dendritic, to: lymph, at: edge, rate: 0.001 1/min, size: 1e5, when: maturation.level, above: 0.5}]
initial: [{cells: tumor, everywhere: {}, count: 4000}]
therapy: {doses: [DOSES] MORE}
"""


def after(doses, until="1 h", more="", seed=1):
    simulation = oc.Simulation(oc.Model.from_text(MODEL.replace("DOSES", doses).replace("MORE", more)), seed=seed)
    simulation.run(until)
    return simulation.tissue


def test_surgery_leaves_the_share_and_a_wound():
    tissue = after('"surgery on day 0.02 leaving 5 %"')
    n = tissue.cells.n
    assert abs(n - 200) < 4.0 * math.sqrt(4000 * 0.05 * 0.95)
    fields = tissue.fields
    assert fields.value[fields.index("il6")] == pytest.approx(0.02) and fields.value[1] == pytest.approx(0.2)
    kinds = [str(k) for k in tissue.population.kinds]
    assert (tissue.population.drain()["kind"] == kinds.index("resection")).sum() == 4000 - n


def test_it_cuts_where_it_is_told():
    tissue = after('"surgery on day 0.02 leaving 0 %"', more=", surgery: {box: {x: [-200 um, 0 um]}}")
    x = tissue.cells.position[:, 0]
    assert 1800 < tissue.cells.n < 2200 and x.min() >= 0.0
    il6 = tissue.fields.value[0, 0]
    assert il6[:, :10] == pytest.approx(0.02) and not il6[:, 10:].any()


def test_who_is_left_is_drawn_by_the_seed():
    left = [after('"surgery on day 0.02 leaving 20 %"', seed=s).cells.id.copy() for s in (1, 1, 2)]
    assert np.array_equal(left[0], left[1]) and not np.array_equal(left[0], left[2])


def test_t_cells_are_given_to_blood():
    tissue = after('"3e6 cd8_effector cells on day 0.02"')
    assert tissue.body["cd8"] == pytest.approx(1.0 + 3e6 / 1e6, rel=1e-3)


def test_a_share_of_a_vaccine_reaches_lymph():
    tissue = after('"2e6 dendritic cells on day 0.02"')
    assert tissue.body["lymph"] == pytest.approx(2e6 * 0.03 / 1e5, rel=1e-6)
    more = after('"2e6 dendritic cells on day 0.02"', more=", cells: {reach: 0.06}")
    assert more.body["lymph"] == pytest.approx(2.0 * tissue.body["lymph"])


def test_others_come_into_the_tissue_in_proportion():
    """A slice of 400 x 400 x 20 um is a part of a lesion of 1 mm^3."""
    tissue = after('"100000 nk cells on day 0.02"')
    model = oc.Model.from_text(MODEL.replace("DOSES", '"100000 nk cells on day 0.02"').replace("MORE", ""))
    expected = 1e5 / model.patient.represents
    there = tissue.cells.position[tissue.cells.type == tissue.cells.types.index("nk")]
    assert abs(len(there) - expected) <= 1.0 and expected > 100
    assert np.abs(there[:, :2].mean(axis=0)).max() < 40.0 and np.abs(there[:, :2]).max() <= 200.0


@pytest.mark.parametrize(
    ("doses", "more", "said"),
    [
        ('"surgery on day 1 leaving 105 %"', "", "105"),
        ('"-5 nk cells on day 1"', "", "-5"),
        ('"5 nkk cells on day 1"', "", "Did you mean 'nk'"),
        ('"5 nk cells on day 1"', ", cells: {reach: 2}", "2 is out of range"),
        ('"surgery on day 1 leaving 5 %"', ", surgery: {wound: {il6: -1 nM}}", "-1 nM is out of range"),
    ],
)
def test_bad_input(doses, more, said):
    with pytest.raises(ModelError) as caught:
        after(doses, more=more)
    assert [str(p) for p in caught.value.problems if said in str(p)], caught.value
