"""Contacts: who acts on whom, the books of volume, attacks and their springs, chances per pair."""

import math

import numpy as np
import pytest

from helpers import TYPES, add_cells, ball, fire, run, shuffle, tissue_of
from oncarium.biology.antigen import antigen
from oncarium.biology.contacts import Contacts
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.surface import Surface
from oncarium.biology.vital import APOPTOTIC, LIVE, LYSED
from oncarium.biology.volume import Volume
from oncarium.engine.random import pair, uniform

TUMOR, KILLER, EATER = range(3)
SURE = 1e9  # 1/min: happens at the first chance


def world(position, kinds, exact=True, extra=(), **base):
    mechanics = Mechanics(1.0)
    contacts = Contacts(1.0, mechanics, exact)
    every = [Motility(1.0), Volume(6.0), Death(6.0), damage(), contacts, mechanics, Division(1.0), *extra]
    given = {}
    for name, value in base.items():
        section, _, rest = name.partition("__")
        column, _, label = rest.partition("__")
        given[f"{section}.{column}" + (f"[{label}]" if label else "")] = value
    tissue = tissue_of(every, types=TYPES, base={"death.apoptosis": 0.0} | given)
    add_cells(tissue, position, kinds)
    return contacts, tissue


def only(kind, value):
    return np.where(np.arange(3) == kind, value, 0.0)


def apply(tissue):
    tissue.population.apply(tissue)
    return tissue.cells


@pytest.mark.parametrize("vital, column", [(APOPTOTIC, "apoptotic"), (LYSED, "necrotic"), (LIVE, "live__tumor")])
def test_an_eater_gains_what_it_eats(vital, column):
    contacts, tissue = world(
        [[0, 0, 0], [15, 0, 0], [60, 0, 0]], [EATER, TUMOR, TUMOR], **{f"phagocytosis__{column}": only(EATER, SURE)}
    )
    cells = tissue.cells
    cells["vital"][1:] = vital
    total, solid = cells["volume.total"].sum(), cells["volume.cytoplasm_solid"][0]
    fire(contacts, tissue)
    apply(tissue)
    assert cells.id.tolist() == [0, 2], "the neighbor in reach is gone, the far one is not"
    assert cells["volume.total"].sum() == pytest.approx(total, rel=1e-14)
    assert cells["volume.cytoplasm_solid"][0] == pytest.approx(solid + 488.5 + 135.0, rel=1e-14)
    events = tissue.population.drain()
    assert events["kind"].tolist() == [tissue.population.kinds.index("phagocytosis")] and events["cause"].tolist() == [
        0
    ]


def test_an_eater_carries_the_antigen_of_what_it_eats():
    contacts, tissue = world(
        [[0, 0, 0], [15, 0, 0], [60, 0, 0]],
        [EATER, TUMOR, TUMOR],
        extra=[antigen(period=1.0)],
        **{"phagocytosis__live__tumor": only(EATER, SURE)},
    )
    cells = tissue.cells
    cells["surface.antigen"][:], cells["antigen.load"][:] = [0.0, 1.5, 1.5], [0.25, 0.5, 0.0]
    fire(contacts, tissue)
    apply(tissue)
    assert cells["antigen.load"].tolist() == [2.25, 0.0]


@pytest.mark.parametrize("exact", [True, False])
def test_of_several_eaters_the_first_gets_it_and_by_chances_per_step_the_smallest_id(exact):
    position = [[0, 0, 0], [15, 0, 0], [-15, 0, 0], [0, 15, 0]]
    for order in (None, 1, 2):
        contacts, tissue = world(
            position, [TUMOR, EATER, EATER, EATER], exact, phagocytosis__apoptotic=only(EATER, SURE)
        )
        cells = tissue.cells
        cells["vital"][0] = APOPTOTIC
        if order:
            shuffle(tissue, order)
        fire(contacts, tissue)
        apply(tissue)
        big = cells.id[cells["volume.total"] > 3000.0]
        draws = [uniform(np.uint64(1), contacts.stream, 0, pair(k, 0), 0) for k in (1, 2, 3)]  # of who eats the cell 0
        assert big.tolist() == [1 + int(np.argmin(draws)) if exact else 1]


def test_fused_cells_meet_at_their_centre_of_mass():
    contacts, tissue = world([[0, 0, 0], [12, 0, 0]], [KILLER, TUMOR], fusion__rate__tumor=only(KILLER, SURE))
    cells = tissue.cells
    for part in ("total", "fluid", "nuclear", "nuclear_solid", "cytoplasm_solid", "target_nuclear"):
        cells[f"volume.{part}"][1] *= 3.0
    fire(contacts, tissue)
    apply(tissue)
    assert cells.n == 1 and cells.id[0] == 0
    np.testing.assert_allclose(cells.position[0], [9.0, 0.0, 0.0], rtol=1e-14)
    for part, value in (("total", 2494.0), ("nuclear", 540.0), ("target_nuclear", 135.0)):
        assert cells[f"volume.{part}"][0] == pytest.approx(4 * value, rel=1e-14)


def attacked(**more):
    return world([[0, 0, 0], [20, 0, 0]], [KILLER, TUMOR], attack__rate__tumor=only(KILLER, SURE), **more)


def test_an_attack_deals_damage_until_its_target_is_dead():
    contacts, tissue = attacked(attack__duration=1e12, attack__damage_rate=0.5)
    cells = tissue.cells
    fire(contacts, tissue, 1)
    assert cells["attack.target"].tolist() == [1, -1]
    fire(contacts, tissue, 9, first=1)
    assert cells["damage.level"] == pytest.approx([0.0, 5.0]) and cells["sense.attacked"] == pytest.approx([0.0, 10.0])
    cells["vital"][1] = APOPTOTIC
    fire(contacts, tissue, 1, first=10)
    assert cells["attack.target"].tolist() == [-1, -1] and cells["damage.level"][1] == pytest.approx(5.0)
    assert np.count_nonzero(tissue.population.drain()["kind"] == tissue.population.kinds.index("attack")) == 1


def test_an_attacker_holds_on_to_its_victim():
    """Both move together with the elastic constant's velocity; out of reach of each other nothing else pulls."""
    contacts, tissue = attacked(attack__duration=1e12)
    fire(contacts, tissue)
    cells = tissue.cells
    cells.position[1, 0] = 40.0
    cells["springs.elastic"][:] = [0.02, 0.08]
    fire(contacts.mechanics, tissue, 1, dt=0.001)
    np.testing.assert_allclose(cells["velocity"][:, 0], [1.6, -1.6], rtol=1e-4)
    cells["attack.target"][:] = -1
    fire(contacts.mechanics, tissue, 1, dt=0.001)
    assert (cells["velocity"] == 0.0).all()


def test_attacks_last_as_long_as_they_say_whatever_the_step():
    n, duration = 4000, 5.0
    for dt in (1.0, 0.25):
        x = np.repeat(np.arange(n) * 0.0, 1)
        position = np.stack([np.linspace(-190, 190, n), x, x], axis=1)
        contacts, tissue = world(position, np.zeros(n, int))
        contacts.acts[:] = False
        cells = tissue.cells
        cells["attack.duration"][:] = duration
        cells["attack.target"][:] = np.arange(n)[::-1]
        fire(contacts, tissue, round(4.0 / dt), dt=dt)
        p = math.exp(-4.0 / duration)
        assert abs(np.count_nonzero(cells["attack.target"] >= 0) - n * p) < 3 * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("exact", [True, False])
def test_chances_are_drawn_per_pair_as_in_the_twin(exact):
    rng = np.random.default_rng(4)
    n = 150
    rates = rng.random((3, 3)) * 0.3
    contacts, tissue = world(
        ball(n, 45.0), rng.integers(0, 3, n), exact, attack__rate=rates, attack__immunogenicity=rng.random((3, 3)),
        attack__duration=1e12,
    )  # fmt: skip
    shuffle(tissue)
    c = tissue.cells
    c["attack.target"][::7] = 10_000  # busy, though with one who is gone: free again before choosing
    expected, soonest = {}, {}
    reach = c["radius"] * 1.25
    for i in range(n):
        for j in c.order():
            d2 = ((c.position[i] - c.position[j]) ** 2).sum()
            if i == j or d2 >= (reach[i] + reach[j]) ** 2:
                continue
            rate = c["attack.rate"][i, c.type[j]] * c["attack.immunogenicity"][j, c.type[i]]
            draw = uniform(np.uint64(2), contacts.stream, 5, pair(c.id[i], c.id[j]), 2)
            after = -math.log(1 - draw) / rate if exact else 0.0 if draw < rate else 1.0
            if after < soonest.get(c.id[i], 1.0):
                expected[c.id[i]], soonest[c.id[i]] = c.id[j], after
    fire(contacts, tissue, 1, seed=2, first=5)
    found = {a: t for a, t in zip(c.id, c["attack.target"]) if t >= 0}
    assert found == expected and len(found) > 50


def test_types_without_rates_never_look():
    contacts, tissue = world(ball(20, 20.0), np.zeros(20, int))
    tissue.look = contacts.mechanics.look = None
    fire(contacts, tissue)
    assert not contacts.acts.any()
    contacts.ruled = [TUMOR]  # a rule may raise its rates
    contacts.prepare(tissue)
    assert contacts.acts.tolist() == [True, False, False]


def test_killing_needs_several_hits_and_repair_saves():
    """Damage from two killers adds up, and repair pulls it down to rate / repair."""
    position = [[0, 0, 0], [15, 0, 0], [-15, 0, 0]]
    contacts, tissue = world(
        position,
        [TUMOR, KILLER, KILLER],
        attack__rate__tumor=only(KILLER, SURE),
        attack__duration=1e12,
        damage__repair=0.5,
        attack__damage_rate=1.0,
    )
    heal = damage(period=1.0)
    heal.prepare(tissue)
    run([heal, contacts, contacts.mechanics], tissue, 60.0, 1.0)
    assert tissue.cells["damage.level"][0] == pytest.approx(2.0 / 0.5, rel=1e-6)


@pytest.mark.parametrize("dt", [2.0, 6.0, 12.0, 30.0])
def test_minutes_under_attack_and_its_damage_do_not_depend_on_the_step(dt):
    """Killers that attack, let go and attack again: the mean of the process with two states in continuous time, and
    of the damage that is repaired all the while."""
    n, rate, duration, repair, hours = 1500, 1 / 20.0, 30.0, 0.0139, 2.0
    position = np.zeros((2 * n, 3))
    position[:, 0] = np.repeat(100.0 * np.arange(n), 2)
    position[1::2, 0] += 15.0
    contacts, tissue = world(
        position, np.tile([KILLER, TUMOR], n), attack__rate__tumor=only(KILLER, rate), attack__duration=duration,
        damage__repair=repair, attack__damage_rate=1.0,
    )  # fmt: skip
    heal, contacts.period = damage(period=dt), dt
    heal.prepare(tissue)
    run([heal, contacts], tissue, 60.0 * hours, dt)
    end, pace, share = 60.0 * hours, rate + 1 / duration, duration / (duration + 1 / rate)
    attacked = share * (end - (1 - math.exp(-pace * end)) / pace)
    gone = math.exp(-repair * end)
    level = share * ((1 - gone) / repair - (gone - math.exp(-pace * end)) / (pace - repair))
    for name, wanted in (("sense.attacked", attacked), ("damage.level", level)):
        found = tissue.cells[name][1::2]
        assert found.mean() == pytest.approx(wanted, abs=3.5 * found.std() / math.sqrt(n)), name


def test_cd47_keeps_live_cells_from_being_eaten():
    """Eaten within a minute by rate: 1 - exp(-rate (1 - shield))."""
    eaten = {}
    for shield in (0.0, 0.5, 1.0):
        mechanics = Mechanics(1.0)
        contacts = Contacts(1.0, mechanics)
        tissue = tissue_of(
            [Death(6.0), Volume(6.0), contacts, mechanics, Surface()],
            types=("eater", "prey"),
            base={"phagocytosis.live": [[0, 0.7], [0, 0]]},
        )
        n = 2000
        at = np.stack([np.arange(n) % 50, np.arange(n) // 50, np.zeros(n)], axis=1) * 6.0 - 150.0
        add_cells(tissue, np.concatenate([at, at + np.array([0.0, 0.0, 0.1])]), np.repeat([0, 1], n))
        tissue.cells["radius"][:] = 1.0
        tissue.cells["surface.shield"][:] = shield
        fire(contacts, tissue, dt=1.0)
        eaten[shield] = sum(len(r) for r in tissue.population.removed) / n
    assert eaten[1.0] == 0.0
    for shield in (0.0, 0.5):
        p = 1 - np.exp(-0.7 * (1 - shield))
        assert eaten[shield] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 2000))
