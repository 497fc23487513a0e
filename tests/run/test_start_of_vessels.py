"""Before time 0, blood and tissue come into balance with each other."""

import oncarium as oc
from oncarium.biology.vessels.exchange import VesselExchange
from oncarium.engine.process import Tick

MODEL = """
name: Columns
domain: {x: [0 um, 300 um], y: [0 um, 300 um], thickness: 20 um, voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 120000 um^2/min, decay: 10 1/min, initial: 20 mmHg}
vessels:
  columns: {density: 90 1/mm^2 assumed}
cells: {tumor: {}}
initial: [{cells: tumor, disc: {center: [150 um, 150 um], radius: 60 um}, count: 5}]
start: steady
"""


def test_blood_and_tissue_agree_at_time_0():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), 1)
    exchange = next(p for p in simulation.plan.processes if isinstance(p, VesselExchange))
    oxygen = simulation.tissue.fields.value[0].copy()
    assert 1.0 < oxygen.min() < oxygen.max() < 40.0 and oxygen.std() > 1.0
    exchange.step(simulation.tissue, Tick(0, 0.0, 1.0, 1))
    assert exchange.imbalance < 2e-3


HEAD = MODEL.partition("vessels:")[0] + "cells: {tumor: {}}\ninitial: [{cells: tumor, disc: {center: [150 um, 150 um], "
HEAD += "radius: 60 um}, count: 5}]\nuntil: 12 min\nrecord: {checkpoint: 6 min}\n"
NODES = """id,x_um,y_um,z_um,boundary,value,hd
in,0,150,10,pressure_mmHg,45,0.4
u,100,150,10,,,
v,200,150,10,,,
out,300,150,10,unknown,,
"""
SEGMENTS = "id,a,b,diameter_um,length_um\ns1,in,u,12,100\ns2,u,v,8,110\ns3,u,v,8,130\ns4,v,out,12,100\n"


def given(folder):
    (folder / "nodes.csv").write_text(NODES)
    (folder / "segments.csv").write_text(SEGMENTS)
    return oc.Model.from_text(HEAD + "vessels: {given: {nodes: nodes.csv, segments: segments.csv}}", folder=folder)


def test_what_flows_at_unknown_ends_is_estimated(tmp_path):
    graph = oc.Simulation(given(tmp_path), 1).tissue.vessels.graph
    flow = graph.segments["flow"]
    assert (flow != 0.0).all() and abs(flow[0] - flow[3]) < 1e-9 * abs(flow[0])
    assert abs(flow[1] + flow[2] - flow[0]) < 1e-9 * abs(flow[0])
    assert graph.nodes["given"][0] == 45.0 and graph.nodes["kind"].tolist() == [1, 0, 0, 2]
    assert graph.nodes["given"][3] < 0.0  # blood leaves there
    assert graph.nodes["haematocrit"][0] == 0.4 and graph.segments["radius"].tolist() == [6.0, 4.0, 4.0, 6.0]


def test_a_run_with_a_given_network_goes_on_without_its_files(tmp_path):
    model = given(tmp_path)
    whole = oc.run(model, out=tmp_path / "whole", seed=1)
    oc.run(model.with_({"until": "6 min"}), out=tmp_path / "part", seed=1)
    for name in ("nodes.csv", "segments.csv"):
        (tmp_path / name).unlink()
    longer = oc.resume(tmp_path / "part", until="12 min")
    one, two = whole.vessels(12.0), longer.vessels(12.0)
    assert len(one) == 4 and one.equals(two)


def test_a_random_network_has_the_length_that_was_asked_for():
    text = HEAD.replace("thickness: 20 um", "z: [0 um, 300 um]")
    text = text.replace("disc: {center: [150 um, 150 um], radius: 60 um}", "everywhere: {}")
    text += "vessels: {random: {density: 200 mm/mm^3}, adapted: false}"
    graph = oc.Simulation(oc.Model.from_text(text), 1).tissue.vessels.graph
    assert abs(graph.segments["length"].sum() / (200e-6 * 300.0**3) - 1.0) < 0.2
