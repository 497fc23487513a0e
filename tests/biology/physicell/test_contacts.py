"""Attachments and contacts in the order of ids: by hand, with rates so high that everything happens at once."""

import numpy as np
import pytest

from helpers import TYPES, add_cells, fire, tissue_of
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.physicell.contacts import ContactsInOrder, SpringsInOrder
from oncarium.biology.physicell.mechanics import Positions, Velocities
from oncarium.biology.vital import APOPTOTIC, SWELLING
from oncarium.biology.volume import Volume

TUMOR, KILLER, EATER = range(3)
SURE, DT = 1e3, 0.1


class World:
    def __init__(self, position, kinds, springs=True, **base):
        self.mechanics = Velocities(DT)
        self.springs = SpringsInOrder(DT, self.mechanics, exact=False)
        self.contacts = ContactsInOrder(DT, self.mechanics, exact=False)
        self.renew, self.positions = Division(DT, exact=False), Positions(DT)
        volume, death = Volume(6.0, exact=False), Death(6.0, exact=False)
        every = [
            volume,
            death,
            damage(exact=0.0),
            *([self.springs] if springs else []),
            self.mechanics,
            self.contacts,
            self.renew,
            self.positions,
        ]
        given = {}
        for name, value in base.items():
            section, column, *label = name.split("__")
            given[f"{section}.{column}" + (f"[{label[0]}]" if label else "")] = value
        self.tissue = tissue_of(every, types=TYPES, base=given)
        add_cells(self.tissue, position, kinds)
        self.cells = self.tissue.cells
        self.now = 0

    def step(self, times=1):
        for _ in range(times):
            for process in (self.springs, self.mechanics, self.contacts, self.renew, self.positions):
                if process is not self.springs or "springs.partner" in self.cells:
                    fire(process, self.tissue, 1, dt=DT, first=self.now)
            self.now += 1


def only(kind, value):
    return np.where(np.arange(3) == kind, value, 0.0)


def test_an_attack_damages_at_once_and_holds_from_the_next_step():
    attack = dict(attack__rate__tumor=only(KILLER, SURE), attack__duration=1e12, attack__damage_rate=0.7)
    hold = dict(mechanics__adhesion_distance=2.5, mechanics__adhesion=0.0, springs__elastic=0.05)
    w = World([[0, 0, 0], [40, 0, 0]], [KILLER, TUMOR], **attack, **hold)
    w.step()
    c = w.cells
    assert c["attack.target"].tolist() == [1, -1] and c["springs.partner"][:, 0].tolist() == [1, 0]
    assert c["damage.level"].tolist() == [0.0, pytest.approx(0.07)] and c["sense.attacked"].tolist() == [0.0, 0.1]
    assert c["attack.delivered"].tolist() == [pytest.approx(0.07), 0.0]
    assert c.position[:, 0].tolist() == [0.0, 40.0], "the attachment pulls from the next step on"
    w.step()
    # v = 0.05 * 40 um/min towards each other, 3/2 of it since there was no velocity before
    np.testing.assert_allclose(c.position[:, 0], [0.3, 39.7], rtol=1e-14)
    assert c["damage.level"][1] == pytest.approx(0.14)


@pytest.mark.parametrize("end", ["time", "death"])
def test_an_attack_ends_and_lets_go(end):
    w = World(
        [[0, 0, 0], [12, 0, 0]],
        [KILLER, TUMOR],
        attack__rate__tumor=only(KILLER, SURE),
        attack__duration=DT if end == "time" else 1e12,
    )
    if end == "time":
        w.step()
        assert w.cells["damage.level"][1] == pytest.approx(0.1), "it has struck before it ended"
    else:
        w.step()
        w.cells["vital"][1] = APOPTOTIC
        w.step()
    assert (w.cells["attack.target"] == -1).all() and (w.cells["springs.partner"] == -1).all()


@pytest.mark.parametrize("vital, column", [(APOPTOTIC, "apoptotic"), (SWELLING, "necrotic"), (0, "live__tumor")])
def test_an_eater_takes_one_neighbor_a_step_the_smallest_id_first(vital, column):
    w = World(
        [[0, 0, 0], [12, 0, 0], [-12, 0, 0]], [EATER, TUMOR, TUMOR], **{f"phagocytosis__{column}": only(EATER, SURE)}
    )
    w.cells["vital"][1:] = vital
    w.step()
    c = w.cells
    assert c.id.tolist() == [0, 2] and c["volume.total"].sum() == pytest.approx(3 * 2494.0)
    assert c["volume.cytoplasm_solid"][0] == pytest.approx(488.5 + 488.5 + 135.0) and c["volume.nuclear"][0] == 540.0
    w.step()
    assert c.id.tolist() == [0] and c["radius"][0] == pytest.approx(8.412710547954 * 3 ** (1 / 3))


def test_who_meets_an_eaten_neighbor_looks_no_further():
    """Both eaters reach both tumors; the second one waits a step, as in the source."""
    w = World(
        [[0, 3, 0], [0, -3, 0], [10, 0, 0], [-10, 0, 0]],
        [EATER, EATER, TUMOR, TUMOR],
        phagocytosis__live__tumor=only(EATER, SURE),
    )
    w.step()
    assert w.cells.id.tolist() == [0, 1, 3] and (w.cells["volume.total"][:2] > 3000).tolist() == [True, False]


def test_fused_cells_meet_at_their_centre_and_add_up():
    w = World(
        [[0, 0, 0], [12, 0, 0]],
        [KILLER, TUMOR],
        fusion__rate__tumor=only(KILLER, SURE),
        mechanics__repulsion=0.0,
        mechanics__adhesion=0.0,
    )
    c = w.cells
    for part in ("total", "fluid", "nuclear", "nuclear_solid", "cytoplasm_solid", "target_nuclear"):
        c[f"volume.{part}"][1] *= 3.0
    w.step()
    assert c.n == 1 and c["fusion.nuclei"][0] == 2.0
    np.testing.assert_allclose(c.position[0], [9.0, 0.0, 0.0])
    assert c["volume.total"][0] == pytest.approx(4 * 2494.0) and c["volume.target_nuclear"][0] == pytest.approx(
        4 * 135.0
    )


def test_whoever_is_gone_has_pushed_its_neighbors_and_is_held_by_nobody():
    w = World([[0, 0, 0], [12, 0, 0], [24, 0, 0]], [EATER, TUMOR, TUMOR], phagocytosis__live__tumor=only(EATER, SURE))
    w.cells["springs.partner"][1:, 0] = [2, 1]
    w.step()
    assert w.cells.id.tolist() == [0, 2] and (w.cells["springs.partner"] == -1).all()
    assert w.cells.position[1, 0] > 24.0, "pushed by the cell that was eaten in the same step"


def test_letting_go_gives_its_place_to_the_last_one_held():
    """At certain detachment the walk over four attachments frees every other one: the last takes the first one's place
    and is passed over."""
    w = World(np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0], [-90, 0, 0], [0, -90, 0]]), TUMOR)
    c = w.cells
    c["springs.partner"][0, :4] = [1, 2, 3, 4]
    c["springs.partner"][1:, 0] = 0
    c["springs.detachment"][0] = SURE
    fire(w.springs, w.tissue, 1, dt=DT)
    assert c["springs.partner"][0, :3].tolist() == [4, 3, -1]
    assert c["springs.partner"][1:, 0].tolist() == [-1, -1, 0, 0]


def test_attachments_stop_at_the_maximum_of_either():
    w = World([[0, 0, 0], [12, 0, 0], [0, 12, 0], [-12, 0, 0]], TUMOR, springs__attachment=SURE)
    w.cells["springs.maximum"][:] = [2.9, 5.0, 5.0, 5.0]  # a whole number counts: 2
    w.cells["springs.attachment"][1:] = 0.0
    w.cells["vital"][1] = APOPTOTIC  # the dead hold on, too
    fire(w.springs, w.tissue, 1, dt=DT)
    assert w.cells["springs.partner"][0, :3].tolist() == [1, 2, -1]
