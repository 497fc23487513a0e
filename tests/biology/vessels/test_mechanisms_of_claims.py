"""What the library claims of vessels, in the smallest tissue that shows its mechanism (docs/vessel_claims.py): with the
mechanism the perturbed arm differs, without it both arms are the same."""

import importlib.util
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "vessel_claims.py"
spec = importlib.util.spec_from_file_location("docs_vessel_claims", PAGE)
page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(page)
LENGTH = page.LENGTH


def arms(name, seeds=1, until=None, **changes):
    """Arm -> quantity -> (time), of a claim or with other numbers for everybody."""
    found = page.CLAIMS[name]
    changes = {**found.changes, **({"until": until} if until else {}), **changes}
    models = found._replace(changes=changes).models()
    return {arm: page.courses(model, seeds if "off" not in arm else 1) for arm, model in models.items()}


def same(found, quantity):
    assert found["control, off"][quantity].tolist() == found["perturbed, off"][quantity].tolist()


def test_c14_c27_c53_vessels_grow_by_what_macrophages_and_fibroblasts_release():
    grown = {}
    for name in ("C14", "C27", "C53"):
        found = arms(name, seeds=6, until="5 day")  # one to five sprouts a run: two seeds say little
        same(found, LENGTH)
        assert found["control, off"]["sprouts"][-1] == 0
        control, perturbed = found["control"], found["perturbed"]
        grown[name] = (perturbed[LENGTH][-1] - perturbed[LENGTH][0]) / (control[LENGTH][-1] - control[LENGTH][0])
        assert perturbed["VEGF-A, nM"][2] < 0.9 * control["VEGF-A, nM"][2], "before anything sprouts"
    assert grown["C27"] < grown["C14"] < grown["C53"] < 0.95 and grown["C14"] < 0.7, grown


def test_c27_macrophages_act_by_vegf_and_by_mmp():
    """Both frees VEGF-A, and the membrane: each alone is less than both."""
    words = {
        "both": {}, "no VEGF-A": {"cells.macrophage.secretion.rate.vegfa": "0 molecules/min"},
        "no MMP": {"cells.macrophage.secretion.rate.mmp": "0 um^3/min"}, "neither": page.CLAIMS["C27"].perturbed,
    }  # fmt: skip
    models = {arm: page.CLAIMS["C27"]._replace(changes={"until": "1 day", **w}).models() for arm, w in words.items()}
    seen = {arm: page.courses(m["control"]) for arm, m in models.items()}
    vegf = {arm: s["VEGF-A, nM"][-1] for arm, s in seen.items()}
    wall = {arm: s["membrane of vessels"][-1] for arm, s in seen.items()}
    assert vegf["neither"] < min(vegf["no VEGF-A"], vegf["no MMP"]) and vegf["both"] > 1.1 * max(
        vegf["no VEGF-A"], vegf["no MMP"]
    )
    assert wall["both"] < wall["no VEGF-A"] < wall["no MMP"] < wall["neither"] + 0.02


def test_c45_inhibited_mmp_binds_vegf_and_keeps_vessels_from_sprouting():
    found = arms("C45", seeds=6, until="5 day")
    same(found, LENGTH)
    control, perturbed = found["control"], found["perturbed"]
    assert perturbed["VEGF-A, nM"][2] < 0.7 * control["VEGF-A, nM"][2]
    assert perturbed["membrane of vessels"][2] > control["membrane of vessels"][2] + 0.05
    assert perturbed["sprouts"][-1] < 0.7 * control["sprouts"][-1] and perturbed[LENGTH][-1] < 0.8 * control[LENGTH][-1]


def test_c36_sprouts_end_the_hypoxia_that_called_them_and_let_the_tumor_grow():
    found = arms("C36", seeds=4, until="6 day")
    same(found, "tumor cells")
    same(found, "share of hypoxic cells")
    control, perturbed = found["control"], found["perturbed"]
    assert perturbed["sprouts"][-1] == 0 and perturbed[LENGTH][-1] == perturbed[LENGTH][0]
    assert min(control["share of hypoxic cells"][4:]) < 0.9 * min(perturbed["share of hypoxic cells"][4:])
    assert perturbed["tumor cells"][-1] < 0.97 * control["tumor cells"][-1]


def test_c38_without_pdgfb_pericytes_leave_and_walls_leak():
    """The pressure of the fluid rises: what was measured, a fall, is due to PDGF receptors of the stroma, which are not
    there."""
    found = arms("C38", until="6 day")
    for quantity in ("coverage by pericytes", "permeability of walls", "pressure of the fluid, mmHg"):
        same(found, quantity)
    control, perturbed = found["control"], found["perturbed"]
    assert perturbed["coverage by pericytes"][-1] == pytest.approx(
        0.89 * control["coverage by pericytes"][-1], rel=0.03
    )
    assert perturbed["permeability of walls"][-1] > 1.07 * control["permeability of walls"][-1]
    assert perturbed["pressure of the fluid, mmHg"][-1] > 1.05 * control["pressure of the fluid, mmHg"][-1]


def test_c48_proteases_on_cells_breach_the_membrane_before_lymph():
    """Three links: the membrane opens, cells come out, lymph takes them; without a membrane proteases do not matter."""
    found = arms("C48")
    same(found, "cells that entered lymph")
    same(found, "cells beyond")
    control, perturbed = found["control"], found["perturbed"]
    assert control["weakest membrane"][3] < 0.3 < perturbed["weakest membrane"].min() == 1.0
    assert control["cells beyond"][3] > 10 and perturbed["cells beyond"].max() == 0
    assert control["cells that entered lymph"][-1] >= 5 and perturbed["cells that entered lymph"][-1] == 0
    calm = arms(
        "C48",
        until="2 day",
        **{"cells.tumor.secretion.rate.mmp": "16 um^3/min", "cells.tumor.secretion.rate.serine_protease": "8 um^3/min"},
    )
    assert calm["control"]["weakest membrane"][-1] > 0.3, "an epithelial cell, which expresses a hundredth, stays"
