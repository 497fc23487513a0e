"""Growth of vessels in a model: columns sprout toward a source, the same bytes for threads and after a restart."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.vessels.state import TIP

MODEL = """
domain: {x: [0 um, 500 um], y: [0 um, 500 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
factors:
  vegfa:
    {unit: nM, diffusion: 1520 um^2/min assumed, decay: 0.0115 1/min assumed, initial: 0 nM,
     fixed: [{box: {x: [400 um, 500 um], y: [200 um, 300 um]}, value: LEVEL nM assumed}]}
  ang1: {unit: nM, diffusion: 320 um^2/min assumed, decay: 0.005 1/min assumed, initial: 1 nM assumed}
  pdgfb: {unit: nM, diffusion: 500 um^2/min assumed, decay: 0.02 1/min assumed, initial: 0.1 nM assumed}
cells:
  tumor: {death: {apoptosis: 0 1/min}}
matrix: {density: 0.3 assumed}
vessels: {columns: {density: 60 1/mm^2 assumed}, maturation: {}, sprouting: {}, regression: {}, compression: {}}
fluid: {stress: {}}
initial: [{cells: tumor, disc: {radius: 30 um}, count: 5}]
"""


def simulation(level="0.8", threads=1, seed=1):
    return oc.Simulation(oc.Model.from_text(MODEL.replace("LEVEL", level)), seed=seed, threads=threads)


@pytest.fixture(scope="module")
def whole():
    out = simulation()
    out.run("60 h")
    return out


def test_columns_sprout_toward_the_source_in_the_plane(whole):
    graph, events = whole.tissue.vessels.graph, whole.tissue.population
    new = np.unique(graph.ends[graph.segments["sprout"] >= 0])
    assert (graph.nodes["kind"] == TIP).any() and len(new) > 10
    assert (graph.position[new, 2] == graph.position[graph.nodes["kind"] == TIP, 2][0]).all()
    named = {events.kinds[k] for k in np.unique(np.concatenate(events.pending)["kind"])}
    assert {"sprout", "anastomosis"} <= named
    source = np.array([450.0, 250.0])
    roots = graph.position[1:45:3, :2]
    busy = np.isin(np.arange(1, 45, 3), graph.ends[graph.segments["sprout"] >= 0])
    far = np.linalg.norm(roots - source, axis=1)
    assert far[busy].mean() < far[~busy].mean()


def test_restart_in_the_middle_of_sprouting_and_threads_change_nothing(whole):
    half = simulation(threads=2)
    half.run("37 h")
    assert (half.tissue.vessels.graph.segments["sprout"] >= 0).any()
    other = simulation()
    other.restore(half.state())
    other.run("60 h")
    assert other.digest() == whole.digest()


def test_without_a_source_nothing_sprouts():
    calm = simulation("0.005")
    calm.run("60 h")
    graph = calm.tissue.vessels.graph
    assert graph.n_segments == 30 and (graph.segments["sprout"] == -1).all()
    assert 0.6 < graph.segments["coverage"].mean() < 0.95, "normal vessels keep their pericytes"
