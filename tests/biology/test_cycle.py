"""Cycle: phases by hand, against the twin, books of the population, independence of the step."""

import numpy as np
import pytest

from helpers import add_cells, ball, fire, run, shuffle, tissue_of
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.volume import Volume
from reference import cells as twin

NAMES = [n for n in CYCLES if n != "none"]


def world(models, count, exact=True, dt=6.0):
    longest = max(len(m.phases) for m in models)
    fixed = np.zeros((len(models), longest), np.bool_)
    exits = np.zeros((len(models), longest))
    for t, m in enumerate(models):
        fixed[t, : len(m.phases)] = m.fixed
        exits[t, : len(m.phases)] = m.rates
    cycle = Cycle(dt, models, fixed, exact)
    division = Division(dt)
    tissue = tissue_of(
        [cycle, Volume(dt), Death(dt), division],
        types=tuple(m.name for m in models),
        phases=longest,
        base={"cycle.exit": exits},
    )
    add_cells(tissue, ball(count, 100.0), np.arange(count) % len(models))
    return cycle, division, tissue


@pytest.mark.parametrize("exact", [True, False])
def test_all_cycles_agree_with_the_twin(exact):
    models = [CYCLES[n] for n in CYCLES]
    cycle, _, tissue = world(models, 700, exact, 60.0)
    cells, rng = tissue.cells, np.random.default_rng(2)
    cells["elapsed"][:] = 1200.0 * rng.random(cells.n)
    cells["cycle.phase"][:] = [rng.integers(max(1, len(models[t].phases))) for t in cells.type]
    shuffle(tissue)
    expected, dividing = [], set()
    for i in range(cells.n):
        m = models[cells.type[i]]
        phase, elapsed, target = int(cells["cycle.phase"][i]), float(cells["elapsed"][i]), 135.0
        if m.phases:
            draws = [twin.draw(9, cycle.stream, 4, cells.id[i], k) for k in range(len(m.phases))]
            phase, elapsed, ended = twin.cycle(phase, elapsed, list(m.rates), list(m.fixed), draws, 60.0, exact)
            if m.divides in ended:
                dividing.add(int(cells.id[i]))
            if m.copies in [(p + 1) % len(m.phases) for p in ended]:
                target *= 2.0
        expected.append((phase, elapsed, target))
    fire(cycle, tissue, 1, dt=60.0, seed=9, first=4)
    found = list(zip(cells["cycle.phase"].tolist(), cells["elapsed"].tolist(), cells["volume.target_nuclear"].tolist()))
    assert [(p, target) for p, _, target in found] == [(p, target) for p, _, target in expected]
    np.testing.assert_allclose([e for _, e, _ in found], [e for _, e, _ in expected], rtol=0, atol=1e-9)
    assert set(cells.id[np.concatenate(tissue.population.dividing)].tolist()) == dividing and len(dividing) > 20


@pytest.mark.parametrize("name", NAMES)
def test_volume_is_conserved_over_generations(name):
    """Each division halves what the copied target has doubled: after many generations cells are of normal size."""
    cycle, division, tissue = world([CYCLES[name]], 20)
    tissue.cells.base["cycle.exit"] *= 4.0
    tissue.cells["cycle.exit"][:] *= 4.0
    run([cycle, division], tissue, 1440.0, 6.0)
    cells = tissue.cells
    births = len(tissue.population.drain())
    assert births > 20 and cells.n == 20 + births
    m, phase = CYCLES[name], cells["cycle.phase"]
    copied = (phase >= m.copies) & (phase <= m.divides) if len(m.phases) > 1 else np.zeros(cells.n, bool)
    np.testing.assert_array_equal(cells["volume.target_nuclear"], np.where(copied, 270.0, 135.0))


def test_fixed_phases_are_as_long_as_they_say():
    """A cell in a fixed phase of 780 min leaves it after 780 min, for any step that divides it."""
    for dt in (6.0, 3.0, 1.0):
        cycle, _, tissue = world([CYCLES["ki67_advanced"]], 1, dt=dt)
        tissue.cells["cycle.phase"][:] = 1
        fire(cycle, tissue, round(780 / dt) - 1, dt=dt)
        assert tissue.cells["cycle.phase"][0] == 1
        fire(cycle, tissue, 1, dt=dt)
        assert tissue.cells["cycle.phase"][0] == 2


def test_the_dead_do_not_cycle():
    cycle, _, tissue = world([CYCLES["live"]], 10)
    tissue.cells["vital"][:5] = 1
    tissue.cells["cycle.exit"][:] = 1e9
    fire(cycle, tissue, 1, dt=6.0)
    assert np.concatenate(tissue.population.dividing).tolist() == [5, 6, 7, 8, 9]
