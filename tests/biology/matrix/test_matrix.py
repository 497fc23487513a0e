"""Matrix: closed forms voxel by voxel, a twin, bounds, any step,
what it does to cells and factors, the membrane, the reservoir."""

import math

import numpy as np
import pytest

import oncarium as oc
from helpers import PLANE, add_cells, fire, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.matrix.guidance import Guidance, along, pores, speed_factor
from oncarium.biology.matrix.remodeling import REFRESH, MatrixRemodeling
from oncarium.biology.matrix.sensing import LINKED, POWER, SOFT, MatrixSensing, order_of
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.volume import Volume
from oncarium.errors import ModelError

USUAL = {n.name: n.default for n in MatrixRemodeling.numbers}
ALIGNING, HYALURONAN_LOSS, LOSS, MOST = (USUAL[k] for k in ("alignment", "hyaluronan", "loss", "fullest"))
PROTECTION = USUAL["protection"]
CUTS = tuple(USUAL[k] for k in ("mmp", "serine_protease", "cathepsin"))

MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 1 min, mechanics: 1 min, phenotype: 6 min}
factors:
  mmp: {unit: "1", diffusion: 700 um^2/min assumed, decay: 0.03 1/min assumed, boundary: MMP}
  vegfa:
    {unit: nM, diffusion: 4200 um^2/min assumed, decay: 0.0133 1/min assumed, boundary: 1 nM assumed, hindrance: 1.2}
  tgfb: {unit: nM, diffusion: 1600 um^2/min assumed, decay: 0.01 1/min assumed}
cells:
  fibroblast:
    death: {apoptosis: 0 1/min}
    motility: {speed: 0.3 um/min assumed, persistence: 30 min assumed}
    matrix:
      {deposition: 0.0001 1/min assumed, crosslinking: 0.00007 1/min assumed, hyaluronan: 0.0001 1/min assumed,
       traction: 0.5 assumed}
    guidance: {guidance: 0.5 assumed}
    reservoir: {latent: 1e-6 fmol/min assumed}
matrix:
  {density: 0.3 assumed,
   patches: [{ring: {inner: 60 um, outer: 90 um}, density: 0.9 assumed, fibres: tangential, order: 0.8 assumed}]}
initial: [{cells: fibroblast, disc: {radius: 90 um}, count: 60}]
"""


def world(*processes, n=80, seed=2, types=("cell",), grid=PLANE):
    tissue = tissue_of(list(processes), grid, types)
    rng = np.random.default_rng(seed)
    tissue.matrix = Matrix(tissue.fields.grid)
    tissue.matrix.density[:] = rng.random(tissue.fields.grid.shape)
    tissue.matrix.crosslink[:] = rng.random(tissue.fields.grid.shape)
    q = rng.uniform(-0.3, 0.3, tissue.matrix.orientation.shape)
    q[1] = -q[0]
    q[3:] = 0
    tissue.matrix.orientation[:] = q
    add_cells(tissue, np.stack([*rng.uniform(-90, 90, (2, n)), np.zeros(n)], axis=1))
    return tissue


def remodeled(order=None, threads=1, steps=1, dt=60.0):
    remodeling = MatrixRemodeling(60.0)
    every = [Motility(6.0), Volume(6.0), remodeling]

    tissue = world(Death(6.0), *every)
    cells, rng = tissue.cells, np.random.default_rng(5)
    for name in ("deposition", "crosslinking", "hyaluronan", "traction"):
        cells[f"matrix.{name}"][:] = 1e-3 * rng.random(cells.n) * (1000 if name == "traction" else 1)
    angle = rng.uniform(0, 2 * np.pi, cells.n)
    cells["motility.heading"][:] = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    cells["vital"][::9] = 1
    if order:
        shuffle(tissue, order)
    remodeling.prepare(tissue)
    remodeling.threads = threads
    before = tissue.copy()
    fire(remodeling, tissue, steps, dt=dt)
    return before, tissue


def test_remodeling_agrees_with_a_twin_of_every_voxel():
    before, after = remodeled()
    c, grid, dt = before.cells, before.fields.grid, 60.0
    for k, j, i in np.ndindex(grid.shape):
        low = grid.lower + np.array([i, j, k]) * np.array(grid.spacing)
        rows = [
            r
            for r in range(c.n)
            if (c.position[r] >= low).all() and (c.position[r] < low + grid.spacing).all() and c["vital"][r] == 0
        ]
        share = {r: c["volume.total"][r] / grid.voxel_volume for r in rows}
        made, linked, swollen, pulled = (
            sum(share[r] * c[f"matrix.{n}"][r] for r in rows)
            for n in ("deposition", "crosslinking", "hyaluronan", "traction")
        )
        rho, x, h = (getattr(before.matrix, name)[k, j, i] for name in ("density", "crosslink", "hyaluronan"))
        q = before.matrix.orientation[:, k, j, i]
        rate = made / MOST + LOSS / (1 + PROTECTION * x)
        assert after.matrix.density[k, j, i] == pytest.approx(
            made / rate + (rho - made / rate) * math.exp(-rate * dt), rel=1e-12
        )
        linked_now = 1 + (x - 1) * math.exp(-linked * dt)
        assert after.matrix.crosslink[k, j, i] == pytest.approx(linked_now, rel=1e-12)
        rate = swollen + HYALURONAN_LOSS
        assert after.matrix.hyaluronan[k, j, i] == pytest.approx(
            swollen / rate + (h - swollen / rate) * math.exp(-rate * dt), abs=1e-14
        )
        if pulled:
            n = [c["motility.heading"][r] for r in rows]
            w = [share[r] * c["matrix.traction"][r] for r in rows]
            along = [np.array([v[0] ** 2 - 0.5, v[1] ** 2 - 0.5, v[0] * v[1], 0, 0]) for v in n]
            goal = sum(a * q_of for a, q_of in zip(w, along)) / pulled
            keep = math.exp(-ALIGNING * min(pulled, 1.0) * dt / (1 + 2 * linked_now))
            np.testing.assert_allclose(after.matrix.orientation[:, k, j, i], goal + (q - goal) * keep, atol=1e-13)


def test_shares_stay_shares_whatever_the_step():
    _, after = remodeled(dt=1e7)
    m = after.matrix
    assert (
        (m.density >= 0).all()
        and (m.density <= MOST).all()
        and (m.crosslink <= 1).all()
        and (m.hyaluronan >= 0).all()
        and (m.hyaluronan <= 1).all()
    )
    flat = m.orientation.reshape(5, -1)
    assert max(order_of(flat, v, True) for v in range(flat.shape[1])) <= 1.0 + 1e-9


def test_one_long_step_is_many_short_ones():
    _, one = remodeled(steps=1, dt=60.0)
    _, many = remodeled(steps=10, dt=6.0)
    # what new crosslinks protect within a step, the next one notices: 3e-5 of the density in an hour
    for name, error in (("density", 1e-4), ("crosslink", 1e-9), ("hyaluronan", 1e-9)):
        np.testing.assert_allclose(getattr(one.matrix, name), getattr(many.matrix, name), rtol=error, atol=1e-12)


def test_threads_and_order_do_not_matter(monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    assert len({remodeled(order, threads, steps=3)[1].digest() for threads, order in ((1, None), (2, 1), (4, 2))}) == 1


def test_proteases_cut_and_crosslinks_protect():
    """Density without cells after a day at reference activity of MMP: exp(-(k + k0) / (1 + 5 X) t)."""
    text = MODEL.replace("MMP", '{value: "1"}').replace("decay: 0.03", "decay: 0").replace("count: 60", "count: 0")
    simulation = oc.Simulation(oc.Model.from_text(text), seed=1)
    simulation.tissue.fields.value[0] = 1.0
    simulation.tissue.matrix.crosslink[0, :, :5] = 1.0
    before = simulation.tissue.matrix.density.copy()
    simulation.run("1 day")
    ratio = simulation.tissue.matrix.density / before
    np.testing.assert_allclose(ratio[0, :, :5], math.exp(-(CUTS[0] + LOSS) / 6 * 1440), rtol=0.01)
    np.testing.assert_allclose(ratio[0, :, 5:], math.exp(-(CUTS[0] + LOSS) * 1440), rtol=0.01)


def test_cells_feel_density_stiffness_and_order():
    sensing = MatrixSensing(6.0)
    tissue = world(sensing)
    sensing.prepare(tissue)
    fire(sensing, tissue, dt=6.0)
    c, grid = tissue.cells, tissue.fields.grid
    for r in range(0, c.n, 5):
        i, j, _ = ((c.position[r] - grid.lower) / grid.spacing).astype(int)
        rho, x, q = (
            tissue.matrix.density[0, j, i],
            tissue.matrix.crosslink[0, j, i],
            tissue.matrix.orientation[:, 0, j, i],
        )
        assert c["sense.matrix"][r] == rho and c["sense.stiffness"][r] == pytest.approx(
            SOFT * rho**POWER * (1 + LINKED * x)
        )
        assert c["sense.alignment"][r] == pytest.approx(
            2 * np.abs(np.linalg.eigvalsh([[q[0], q[2]], [q[2], q[1]]])).max()
        )
    # all along x in three dimensions
    assert order_of(np.array([[2 / 3], [-1 / 3], [0], [0], [0]]), 0, False) == pytest.approx(1.0)


def test_speed_by_hand():
    assert pores(0.4, 0.0) == pytest.approx(10.8) and pores(0.4, 0.6) == pytest.approx(10.8 * 0.7)
    assert pores(1.2, 0.0) == 0.0 and pores(0.4, 0.6, filled=0.0) == pores(0.4, 0.0)
    assert speed_factor(0.4, 0.4, 0.2, 10.8, 7.0, 0.0) == pytest.approx(10.8**8 / (10.8**8 + 7**8))
    assert speed_factor(0.8, 0.4, 0.2, pores(0.8, 0.0), 0.0, 0.0) == pytest.approx(0.2)
    # pores of 2.7 um^2
    narrow = pores(0.7, 0.0)
    assert speed_factor(0.7, 0.4, 0.2, narrow, 7.0, 0.0) < 0.01 < 0.4 < speed_factor(0.7, 0.4, 0.2, narrow, 7.0, 1.0)
    assert along(np.array([0.5, -0.5, 0.0, 0.0, 0.0]), True, 1.0, 0.0, 0.0) == (0.5, 0.0, 0.0)


def test_hyaluronan_takes_of_the_pores_what_cells_pass_through():
    def speed(hyaluronan, pore, lysis=0.0, filled=0.5):
        guidance, motility = Guidance(6.0, np.array([True]), filled=filled), Motility(6.0)
        tissue = world(Mechanics(6.0), guidance, motility, n=5)
        tissue.matrix.density[:], tissue.matrix.hyaluronan[:] = 0.4, hyaluronan
        c = tissue.cells
        c["motility.speed"][:], c["guidance.pore"][:], c["guidance.lysis"][:] = 1.0, pore, lysis
        fire(guidance, tissue, dt=6.0)
        assert np.ptp(c["motility.speed"]) == 0.0
        return c["motility.speed"][0]

    assert speed(0.0, 7.0) == pytest.approx(10.8**8 / (10.8**8 + 7**8))
    assert speed(1.0, 7.0) == pytest.approx(5.4**8 / (5.4**8 + 7**8))
    assert speed(1.0, 4.0) > 0.9, "T cells still pass"
    assert speed(1.0, 7.0, lysis=1.0) == speed(0.0, 0.0), "who cuts need not fit"
    assert speed(1.0, 7.0, filled=0.0) == speed(0.0, 7.0), "off"


def test_fibres_turn_headings_and_slow_who_crosses_them():
    guidance, motility = Guidance(6.0, np.array([True])), Motility(6.0)
    tissue = world(Mechanics(6.0), guidance, motility, n=400)
    c = tissue.cells
    tissue.matrix.density[:] = 0.4
    tissue.matrix.orientation[:] = np.array([0.5, -0.5, 0, 0, 0])[:, None, None, None]  # fully along x
    c.base["guidance.guidance"][:], c.base["guidance.barrier"][:], c.base["guidance.least"][:] = 1.0, 0.6, 1.0
    angle = np.linspace(0, 2 * np.pi, c.n)
    c["motility.heading"][:] = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    c["motility.speed"][:], c["motility.persistence"][:] = 1.0, 6.0
    fire(guidance, tissue, dt=6.0)
    assert (c["motility.heading"][:, 0] ** 2).mean() > 0.65  # 0.5 before
    assert c["motility.speed"][np.abs(np.sin(angle)) < 0.05].min() > 0.99
    assert c["motility.speed"][np.abs(np.cos(angle)) < 0.05].max() == pytest.approx(0.4, abs=0.01)
    np.testing.assert_allclose(np.linalg.norm(c["motility.heading"], axis=1), 1.0)


def test_matrix_drags_on_whoever_is_pushed_but_not_on_whoever_crawls():
    def moved(drag, density, speed=0.0):
        guidance, mechanics = Guidance(6.0, np.array([True])), Mechanics(1.0)
        tissue = tissue_of([Motility(1.0), guidance, mechanics], PLANE, matrix=Matrix(PLANE))
        tissue.matrix.density[:] = density
        c = tissue.cells
        c.base["guidance.drag"][:], c.base["guidance.least"][:], c.base["guidance.optimum"][:] = drag, 1.0, 0.5
        add_cells(tissue, [[0.0, 0.0, 0.0], [15.0, 0.0, 0.0]])
        c["motility.speed"][:], c["motility.heading"][:, 1] = speed, 1.0
        fire(guidance, tissue, dt=6.0)
        before = c.position.copy()
        fire(mechanics, tissue, dt=0.01)
        return c.position - before

    free = moved(0.0, 0.5)
    assert free[1, 0] > 0.0 and free[0, 0] == pytest.approx(-free[1, 0])
    np.testing.assert_allclose(moved(2.0, 0.5), 0.5 * free, rtol=1e-3, atol=1e-12)  # 1 / (1 + 2 x 0.5)
    assert np.array_equal(moved(2.0, 0.0), free), "where there is no matrix, nothing drags"
    assert moved(2.0, 0.5, speed=1.0)[:, 1] == pytest.approx(0.01)


def test_a_tissue_with_a_matrix_runs_restarts_and_hinders_diffusion():
    text = MODEL.replace("MMP", "0")
    whole = oc.Simulation(oc.Model.from_text(text), seed=1, threads=1)
    whole.run("12 h")
    fields, matrix = whole.tissue.fields, whole.tissue.matrix
    assert np.abs(np.log(fields.mobility[1]) + 1.2 * matrix.density).max() <= 1.2 * REFRESH, (
        "as it was when the density last changed by that much"
    )
    assert (
        (fields.mobility[0] == 1.0).all()
        and matrix.density.mean() > 0.45
        and matrix.latent_tgfb.max() > 0.0
        and fields.value[2].max() > 0.0
    )
    assert matrix.bound_vegfa.max() > 0.0
    half = oc.Simulation(oc.Model.from_text(text), seed=1, threads=2)
    half.run("5 h")
    other = oc.Simulation(oc.Model.from_text(text), seed=1)
    other.restore(half.state())
    other.run("12 h")
    assert other.digest() == whole.digest()


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("fibres: tangential", "fibres: tangental", "Did you mean 'tangential'?"),
        ("density: 0.9", "density: 9", "out of range"),
        ("patches: [", "patchs: [", "Did you mean 'patches'?"),
        ("patches: [", "membrane: {disc: {radius: 50 um}, strength: 0}, patches: [", "'strength' is no region here"),
        ("patches: [", "membrane: none, patches: [", "where a group of named values is expected"),
        ("boundary: 1 nM assumed", "fixed: [{everywhere: true, value: 1 nM, strenght: 1}]", "'strenght' is no setting"),
    ],
)
def test_slips_are_named(before, after, said):
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(MODEL.replace("MMP", "0").replace(before, after, 1))
    assert said in str(error.value)


def test_a_rule_on_a_matrix_that_is_not_there_is_refused():
    rule = "    rules: ['sense.stiffness increases motility.speed to 1 um/min, half 4 kPa']\n    reservoir:"
    text = MODEL.replace("MMP", "0").replace("    reservoir:", rule)
    oc.Model.from_text(text)
    without = text[: text.index("\nmatrix:")] + text[text.index("\ninitial:") :]
    with pytest.raises(ModelError, match="which the model does not have"):
        oc.Model.from_text(without)
