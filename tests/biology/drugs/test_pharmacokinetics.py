"""Plasma: closed forms written out, other people's solvers, what is conserved, and the limits of nonlinear bodies."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from oncarium.biology.drugs.linear import three, two
from oncarium.biology.drugs.pharmacokinetics import Given, Pharmacokinetics
from oncarium.errors import InputError
from oncarium.model.drug import load_drug
from oncarium.model.plasma import Absorption, Peripheral, Plasma, Saturable, Target

ONE = Plasma(70.0, 1.8, central=3.0, clearance=0.02)
TWO = replace(ONE, peripheral=(Peripheral(2.0, 0.05),))
THREE = replace(ONE, peripheral=(Peripheral(2.0, 0.05), Peripheral(9.0, 0.003)))
ORAL = {"oral": Absorption(0.01, 0.5, 7.0)}
TIMES = np.linspace(0.0, 900.0, 181)


def level(plasma, doses, times=TIMES, **more):
    return Pharmacokinetics(plasma).concentration(doses, times, **more).total


# -- V12: closed forms


def test_a_bolus_into_one_compartment_falls_with_one_exponential():
    assert level(ONE, [Given(0.0, 60.0)]) == pytest.approx(20.0 * np.exp(-0.02 / 3.0 * TIMES), rel=1e-13)


def bi(plasma, t):
    """nM of 1 nmol at once in two compartments, as textbooks write it."""
    v, q = plasma.central, plasma.peripheral[0]
    k10, k12, k21 = plasma.clearance / v, q.flow / v, q.flow / q.volume
    b = k10 + k12 + k21
    fast, slow = (0.5 * (b + s * math.sqrt(b * b - 4.0 * k10 * k21)) for s in (1.0, -1.0))
    first, second = (fast - k21) / (v * (fast - slow)), (k21 - slow) / (v * (fast - slow))
    return np.where(t < 0.0, 0.0, first * np.exp(-fast * np.maximum(t, 0)) + second * np.exp(-slow * np.maximum(t, 0)))


def test_a_bolus_into_two_compartments_falls_with_two_exponentials():
    assert level(TWO, [Given(0.0, 60.0)]) == pytest.approx(60.0 * bi(TWO, TIMES), rel=1e-12)


def test_three_doses_are_the_sum_of_each():
    doses = [Given(0.0, 60.0), Given(200.0, 30.0), Given(450.0, 90.0)]
    expected = sum(d.amount * bi(TWO, TIMES - d.time) for d in doses)
    assert level(TWO, doses) == pytest.approx(expected, rel=1e-12)


def test_three_exponentials_of_a_published_curve_come_back():
    # A exp(-a t) + B exp(-b t) + C exp(-c t), whose micro constants are these
    k = Pharmacokinetics(THREE)
    rates = k._modes.rates[0]
    matrix = np.array(
        [[-(0.02 + 0.053) / 3, 0.05 / 2, 0.003 / 9], [0.05 / 3, -0.05 / 2, 0.0], [0.003 / 3, 0.0, -0.003 / 9]]
    )
    assert np.sort(-np.linalg.eigvals(matrix).real) == pytest.approx(rates, rel=1e-12)
    found = k.concentration([Given(0.0, 60.0)], TIMES).total
    shares = np.linalg.lstsq(np.exp(-np.outer(TIMES, rates)), found, rcond=None)[0]
    assert shares.sum() == pytest.approx(20.0, rel=1e-9)


def test_an_oral_dose_is_the_curve_of_bateman():
    plasma = replace(ONE, absorption=ORAL)
    ka, ke, t = 0.01, 0.02 / 3.0, np.maximum(TIMES - 7.0, 0.0)
    expected = 0.5 * 60.0 / 3.0 * ka / (ka - ke) * (np.exp(-ke * t) - np.exp(-ka * t))
    assert level(plasma, [Given(0.0, 60.0, "oral")]) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("off", [0.0, 1e-14, 1e-9, -1e-7])
def test_absorption_as_fast_as_loss_is_no_exception(off):
    ke = 0.02 / 3.0
    plasma = replace(ONE, absorption={"oral": Absorption(ke * (1.0 + off))})
    expected = 20.0 * ke * TIMES * np.exp(-ke * TIMES)
    assert level(plasma, [Given(0.0, 60.0, "oral")]) == pytest.approx(expected, rel=1e-5 if off < 0 else 1e-7)


def test_an_infusion_rises_towards_rate_over_clearance_and_falls():
    ke = 0.02 / 3.0
    rise = 60.0 / 120.0 / 0.02 * (1.0 - np.exp(-ke * np.minimum(TIMES, 120.0)))
    expected = rise * np.exp(-ke * np.maximum(TIMES - 120.0, 0.0))
    assert level(ONE, [Given(0.0, 60.0, "iv", 120.0)]) == pytest.approx(expected, rel=1e-12)


def test_the_steady_state_is_what_many_doses_lead_to():
    plasma, dose = replace(THREE, absorption=ORAL), Given(0.0, 60.0, "oral")
    k = Pharmacokinetics(plasma)
    many = [replace(dose, time=720.0 * i) for i in range(400)]
    reached = k.concentration(many, [720.0 * 400], before=True).amounts[0, :-1]
    assert k.steady(dose, 720.0)[:-1] == pytest.approx(reached, rel=1e-10)
    assert k.advance(k.steady(dose, 720.0), 0.0, 720.0, [dose])[:-1] == pytest.approx(reached, rel=1e-10)


@pytest.mark.parametrize("a, b", [(0.3, 0.1), (0.1, 0.1), (1e-9, 2e-9), (5.0, 4.0), (0.0, 0.2), (0.0, 0.0)])
def test_divided_differences_are_the_integrals_that_they_stand_for(a, b):
    for t in (0.3, 4.0, 30.0):
        by_hand = quad(lambda s, t=t: math.exp(-a * (t - s) - b * s), 0.0, t, epsabs=1e-14)[0]
        found = float(two(np.array(a), np.array(b), np.array(t)))
        assert found == pytest.approx(by_hand, rel=1e-10, abs=1e-13)
        whole = quad(lambda s: float(two(np.array(a), np.array(b), np.array(s))), 0.0, t, epsabs=1e-14)[0]
        assert float(three(np.array(a), np.array(b), np.array(t))) == pytest.approx(whole, rel=1e-9)


# -- laws

BUSY = [
    Given(0.0, 100.0),
    Given(50.0, 200.0, "oral"),
    Given(60.0, 300.0, "iv", 120.0),
    Given(100.0, 300.0, "iv", 30.0),
    Given(130.0, 80.0, "po", 90.0),
]
BUSY_BODY = replace(THREE, absorption=ORAL, bound=0.9)


def test_what_was_given_is_there_or_lost_through_clearance():
    k = Pharmacokinetics(BUSY_BODY)
    course = k.concentration(BUSY, TIMES)
    loss = quad(lambda t: 0.02 * k.concentration(BUSY, [t]).total[0], 0.0, 900.0, limit=400, points=[50, 60, 100, 130])
    assert course.amount("lost")[-1] == pytest.approx(loss[0], rel=1e-6)
    assert course.amounts[-1].sum() == pytest.approx(100.0 + 0.5 * 200.0 + 600.0 + 0.5 * 80.0, rel=1e-13)
    assert course.free == pytest.approx(0.1 * course.total, rel=1e-13)


@pytest.mark.parametrize("step", [5.0, 7.3])
def test_steps_of_the_running_tissue_end_where_the_closed_form_does(step):
    k = Pharmacokinetics(BUSY_BODY)
    walls = np.arange(0.0, 900.0, step)
    state, seen = k.start(), []
    for a, b in zip(walls, walls[1:]):
        state = k.advance(state, a, b, BUSY)
        seen.append(state)
    expected = k.concentration(BUSY, walls[1:], before=True).amounts
    assert np.array(seen) == pytest.approx(expected, rel=1e-9, abs=1e-10)


def test_what_the_tissue_takes_is_an_infusion_the_other_way():
    k = Pharmacokinetics(TWO)
    state = k.advance(k.start(), 0.0, 30.0, [Given(0.0, 100.0)])
    taken = k.advance(state, 30.0, 60.0, [], sink=0.5)
    expected = k.advance(state, 30.0, 60.0, [Given(30.0, -15.0, "iv", 30.0)])
    assert taken == pytest.approx(expected, rel=1e-12)
    assert taken.sum() == pytest.approx(85.0, rel=1e-13)


def test_several_bodies_are_each_as_if_alone():
    bodies = [replace(BUSY_BODY, clearance=c, absorption={"oral": Absorption(0.01, 0.5, g)}) for c, g in
              ((0.01, 7.0), (0.02, 3.0), (0.05, 7.0))]  # fmt: skip
    together = Pharmacokinetics(bodies).concentration(BUSY, TIMES)
    for i, body in enumerate(bodies):
        alone = Pharmacokinetics(body).concentration(BUSY, TIMES)
        assert together.amounts[i] == pytest.approx(alone.amounts, rel=1e-12, abs=1e-12)
    each = [Given(0.0, np.array([10.0, 20.0, 30.0]))]
    assert Pharmacokinetics(bodies).concentration(each, [0.0]).total[:, 0] == pytest.approx([10 / 3, 20 / 3, 10.0])


def test_a_dose_and_a_look_at_the_same_time():
    k = Pharmacokinetics(ONE)
    doses = [Given(0.0, 30.0), Given(100.0, 30.0)]
    after, before = (k.concentration(doses, [100.0], before=b).total[0] for b in (False, True))
    assert after - before == pytest.approx(10.0, rel=1e-12) and before == pytest.approx(10.0 * math.exp(-2.0 / 3.0))


def test_what_makes_no_sense_is_told():
    with pytest.raises(InputError, match=r"'oral' is no way to give this drug.*Expected one of intravenous"):
        Pharmacokinetics(ONE).concentration([Given(0.0, 1.0, "oral")], [1.0])
    with pytest.raises(InputError, match="differ only in their numbers"):
        Pharmacokinetics([ONE, TWO])
    with pytest.raises(InputError, match="shorter than a dose takes"):
        Pharmacokinetics(ONE).steady(Given(0.0, 1.0, "iv", 60.0), 30.0)
    with pytest.raises(InputError, match="more is given than can be lost"):
        full = replace(ONE, clearance=0.0, saturable=Saturable(1.0, 1.0))
        Pharmacokinetics(full).steady(Given(0.0, 1000.0), 60.0)


# -- nonlinear bodies

SINK = Target(1.0, 0.01, affinity=2.0, on=0.05, complex=0.005)
CARRIED = Target(0.01, 0.0116, affinity=2.4, on=0.06, complex=0.0001, factor="ccl2")
STIFF = replace(THREE, bound=0.9, saturable=Saturable(0.5, 3.0), target=SINK, ligand=CARRIED)


def slope(t, y, p):
    """The equations once more, in concentrations."""
    c, sides, bound = y[0], y[1:3], []
    for k, x in enumerate((p.target, p.ligand)):
        free, pair = y[3 + 2 * k], y[4 + 2 * k]
        bound.append(x.on * (1.0 - p.bound) * c * free - x.on * x.affinity * pair)
    flows = [q.flow * (c - s) for q, s in zip(p.peripheral, sides)]
    loss = p.clearance * c + p.saturable.most * c / (p.saturable.half + c)
    out = [-(loss + sum(flows)) / p.central - sum(bound)]
    out += [f / q.volume for f, q in zip(flows, p.peripheral)]
    for k, x in enumerate((p.target, p.ligand)):
        out += [x.loss * (x.level - y[3 + 2 * k]) - bound[k], bound[k] - x.complex * y[4 + 2 * k]]
    return out


@pytest.mark.parametrize("dose", [0.3, 30.0, 3000.0])
def test_the_stiff_solver_agrees_with_radau(dose):
    times = np.linspace(0.0, 20000.0, 41)
    start = [dose / 3.0, 0.0, 0.0, 1.0, 0.0, 0.01, 0.0]
    other = solve_ivp(slope, (0.0, 20000.0), start, "Radau", times, rtol=1e-10, atol=1e-13, args=(STIFF,)).y
    course = Pharmacokinetics(STIFF).concentration([Given(0.0, dose)], times)
    mine = [course.amount("central") / 3.0, course.amount("peripheral.0") / 2.0, course.amount("peripheral.1") / 9.0]
    for name in ("target", "ligand"):
        mine += [course.targets[name], course.pairs[name]]
    assert np.array(mine) == pytest.approx(other, rel=1e-6, abs=1e-9)
    assert course.amounts.sum(axis=1) == pytest.approx(dose, rel=1e-9)


def test_without_what_saturates_the_stiff_solver_is_the_closed_form():
    linear = Pharmacokinetics(BUSY_BODY).concentration(BUSY, TIMES)
    stiff = Pharmacokinetics(replace(BUSY_BODY, saturable=Saturable(0.0, 1.0))).concentration(BUSY, TIMES)
    assert stiff.amounts == pytest.approx(linear.amounts, rel=1e-7, abs=1e-6)


def test_a_target_that_is_not_there_takes_nothing():
    none = replace(TWO, target=replace(SINK, level=0.0))
    assert level(none, [Given(0.0, 60.0)]) == pytest.approx(level(TWO, [Given(0.0, 60.0)]), rel=1e-7)


def test_far_above_what_saturates_loss_is_constant():
    full = replace(ONE, clearance=0.0, saturable=Saturable(0.5, 3.0))
    course = Pharmacokinetics(full).concentration([Given(0.0, 3e5)], [0.0, 1000.0])
    assert course.amount("central")[0] - course.amount("central")[1] == pytest.approx(500.0, rel=1e-4)


def test_an_excess_of_drug_is_lost_as_fast_as_its_target_is_made():
    """Far above the affinity all of the target is held: what is lost is what is made of it, whatever the dose."""
    held = replace(ONE, clearance=0.0, target=SINK)
    found = Pharmacokinetics(held).concentration([Given(0.0, 30000.0)], [4000.0, 8000.0])
    made = SINK.level * SINK.loss * held.central
    assert np.diff(found.amount("lost"))[0] / 4000.0 == pytest.approx(made, rel=0.01)


def test_at_rest_occupancy_is_concentration_over_affinity():
    """Without turnover of pairs an infusion to the steady state leaves C / (C + Kd) of the target held."""
    p = replace(ONE, target=Target(1e-6, 1e-4, affinity=5.0, on=0.05, complex=1e-4))
    course = Pharmacokinetics(p).concentration([Given(0.0, 0.2 * 2e5, "iv", 2e5)], [1.9e5])
    c, free, pair = course.free[0], course.targets["target"][0], course.pairs["target"][0]
    assert c == pytest.approx(10.0, rel=1e-4)
    assert pair / (free + pair) == pytest.approx(c / (c + 5.0 * (1.0 + 1e-4 / (0.05 * 5.0))), rel=1e-5)


def test_steps_of_a_nonlinear_body_end_where_one_course_does():
    k = Pharmacokinetics(replace(STIFF, absorption=ORAL))
    state, walls = k.start(), np.arange(0.0, 400.0, 6.0)
    for a, b in zip(walls, walls[1:]):
        state = k.advance(state, a, b, BUSY)
    whole = k.concentration(BUSY, walls[-1:], before=True)
    assert state[: len(k.routes) + 3] == pytest.approx(whole.amounts[0, : len(k.routes) + 3], rel=1e-7)


# -- drugs of the library that need it

DAY = 1440.0


def test_the_half_life_of_emactuzumab_rises_with_dose():
    drug = load_drug("emactuzumab")
    k, t = Pharmacokinetics(drug.plasma["human"]), np.linspace(0.0, 40.0, 4001) * DAY
    lives = []
    for mg in (100.0, 400.0, 1000.0, 3000.0):
        c = k.concentration([Given(0.0, drug.nmol(mg))], t).total
        quarter, eighth = (t[np.argmax(c < share * c[0])] for share in (0.25, 0.125))
        lives.append((eighth - quarter) / DAY)
    assert lives == sorted(lives) and lives[0] < 1.5 < lives[1] < lives[2] < 9.5  # 1.5 to 9 days are reported


def test_carlumab_keeps_its_ligand_in_blood_and_holds_it_for_a_short_time_only():
    drug = load_drug("carlumab")
    plasma = drug.plasma["human"]
    t = np.linspace(0.0, 40.0, 401) * DAY
    course = Pharmacokinetics(plasma).concentration([Given(0.0, drug.nmol(15.0 * 70.0))], t)
    base = plasma.ligand.level
    free, total = course.targets["ligand"] / base, (course.targets["ligand"] + course.pairs["ligand"]) / base
    day = {d: np.searchsorted(t, d * DAY) for d in (1, 14, 28)}
    assert free[day[1]] < 0.05 and free[day[14]] > 0.6  # held for days, and back before the next dose
    assert total.max() > 100.0 and total[day[14]] > 100.0  # more than a thousand times is reported
    assert free[day[28]] > 0.9 and course.total[day[28]] > 0.05 * course.total[0]  # though much of the drug is left


def test_the_first_dose_of_magrolimab_fills_a_sink():
    drug = load_drug("magrolimab")
    k = Pharmacokinetics(drug.plasma["human"])
    course = k.concentration([Given(0.0, drug.nmol(70.0))], np.array([1.0, 7.0]) * DAY)
    assert course.pairs["target"][0] > 5.0 * course.free[0]  # red cells hold it
    primed = [Given(0.0, drug.nmol(70.0)), Given(7 * DAY, drug.nmol(2100.0))]
    later = k.concentration(primed, [14 * DAY]).free[0]
    assert later > 30.0 * course.free[0]
