"""Sections vessels, fluid and represents, and doors of cells in vessels: what is read, and what is said of slips."""

import shutil

import pytest

import oncarium as oc
from oncarium.errors import ModelError

HEAD = """
name: Slips
domain: {x: [0 um, 300 um], y: [0 um, 300 um], thickness: 20 um, voxel: 20 um}
until: 1 h
factors:
  oxygen: {unit: mmHg, diffusion: 120000 um^2/min, decay: 10 1/min, initial: 20 mmHg}
cells: {tumor: {}}
"""
NODES = """id,x_um,y_um,z_um,boundary,value,hd
in,0,150,10,pressure_mmHg,30,0.45
u,100,150,10,,,
v,200,150,10,,,
out,300,150,10,unknown,,
"""
SEGMENTS = """id,a,b,diameter_um,length_um
s1,in,u,12,100
s2,u,v,8,110
s3,u,v,8,130
s4,v,out,12,100
"""
VTP = """<VTKFile type="PolyData"><PolyData><Piece>
<PointData><DataArray type="Float32" Name="Radius" format="ascii">5 5 4</DataArray></PointData>
<Points><DataArray type="Float32" format="ascii">0 150 10  200 150 10  300 150 10</DataArray></Points>
<Lines><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2</DataArray>
<DataArray type="Int32" Name="offsets" format="ascii">3</DataArray></Lines></Piece></PolyData></VTKFile>"""
TABLES = "vessels: {given: {nodes: nodes.csv, segments: segments.csv}}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "segments.csv").write_text(SEGMENTS)
    (tmp_path / "network.vtp").write_text(VTP)
    return tmp_path


def told(text, folder="."):
    with pytest.raises(ModelError) as caught:
        oc.Model.from_text(HEAD + text, folder=folder)
    said = {}
    for p in caught.value.problems:
        said[p.path] = said.get(p.path, "") + f"{p.message} {p.expected} {p.remedy}\n"
    return said


def test_every_slip_is_told_at_once_with_what_is_allowed():
    said = told("""
vessels:
  columns:
    - {density: 75}
    - {density: 90000 1/mm^2}
    - {density: 75 1/mm^2, diamter: 8 um}
    - {density: 75 1/mm^2, gradient: 0 mmHg/mm}
    - {density: 75 1/mm^2, disc: {center: [900 um, 900 um], radius: 50 um}}
    - {density: 75 1/mm^2, apart: 200 um}
    - {density: 75 1/mm^2, diameter: 0 um}
    - {}
  mesh: {spacing: 200 um}
  random:
    - {density: 1 mm/mm^3}
    - {density: 1e5 mm/mm^3}
    - {density: 300 mm/mm^3, inlet: 5 mmHg, outlet: 15 mmHg}
  haematocrit: 45
  oxygen: 40 nM
  split: seperated
  species: humn
  period: 7.5 min
  sprouting: {larget: 1e-4 1/min, half: -1 nM}
  sprout: {}
fluid:
  lymph: [{density: 20}, {disk: {}}]
  preessure: {}
  margin: -5 um
represents: 1 um^3
entry:
  - {cells: tumor, at: vesel, rate: 1 1/h/mm}
  - {cells: tumor, at: vessel, rate: 1 1/h}
  - {cells: tumor, at: vessel, from: blood, rate: 1 1/h/mm, count: 20 1/mm}
exit:
  - {cells: tumor, at: lymph, rate: -1 1/min}
""")
    expected = {
        "vessels.columns.0.density": "unit", "vessels.columns.1.density": "at most 9.95e+03",
        "vessels.columns.2.diamter": "'diameter'", "vessels.columns.3.gradient": "no pressure difference",
        "vessels.columns.4": "outside the domain", "vessels.columns.5.density": "at most 15.9",
        "vessels.columns.6.diameter": "above 0 um", "vessels.columns.7.density": "missing",
        "vessels.mesh.spacing": "300 x 300 x 20", "vessels.random.0.density": "no network",
        "vessels.random.1.density": "no tissue", "vessels.random.2.inlet": "no pressure difference",
        "vessels.haematocrit": "at most 0.95", "vessels.oxygen": "mmHg", "vessels.split": "'separated'",
        "vessels.species": "'human'", "vessels.period": "multiple of 1 min", "vessels.sprouting.larget": "'largest'",
        "vessels.sprouting.half": "above 0", "vessels.sprout": "'sprouting'", "fluid.lymph.0.density": "at most 10",
        "fluid.lymph.1.disk": "'disc'", "fluid.preessure": "'pressure'", "fluid.margin": "at least 0",
        "represents": "smaller than the tissue", "entry.0.at": "'vessel'", "entry.1.rate": "1/min/um",
        "entry.2.from": "blood", "exit.0.rate": "at least 0",
    }  # fmt: skip
    for path, word in expected.items():
        assert word in said.pop(path, "nothing"), path
    assert not said


@pytest.mark.parametrize(
    ("text", "path", "word"),
    [
        ("vessels: {sprouting: {}}", "vessels", "columns, mesh, random or given"),
        ("vessels: 3", "vessels", "group"),
        ("vessels: {columns: 75 1/mm^2}", "vessels.columns", "group"),
        ("fluid: 3", "fluid", "group"),
        ("represents: 1 m", "represents", "um^3"),
        ("represents: -1 cm^3", "represents", "above 0"),
        ("entry: [{cells: tumor, at: vessel, rate: 1 1/h/mm}]", "entry.0.at", "vessels"),
        ("exit: [{cells: tumor, at: lymph, rate: 1 1/h}]", "exit.0.at", "lymph"),
        ("vessels: {given: {nodes: a.csv, vtp: b.vtp}}", "vessels.given", "nodes and segments, or vtp, or folder"),
        ("vessels: {given: {}}", "vessels.given", "no file"),
        ("vessels: {given: {vtp: [1]}}", "vessels.given.vtp", "text"),
    ],
)
def test_one_slip(text, path, word):
    assert word in told(text)[path]


def test_columns_need_a_slice():
    text = (HEAD + "vessels: {columns: {density: 75 1/mm^2}}").replace("thickness: 20 um", "z: [0 um, 300 um]")
    with pytest.raises(ModelError, match="cross a slice"):
        oc.Model.from_text(text)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("nodes.csv", "v,200", "v,2000", ["nodes.csv:4", "outside the domain", "x 0 to 300"]),
        ("nodes.csv", "unknown,", "pressure_mmHg,30", ["no pressure difference"]),
        ("nodes.csv", "unknown,", "unkown,", ["nodes.csv:5", "unkown", "'unknown'"]),
        ("nodes.csv", "u,100", "v,100", ["duplicate"]),
        ("nodes.csv", "x_um", "x", ["x_um"]),
        ("nodes.csv", "pressure_mmHg,30", ",", ["no node has a pressure"]),
        ("segments.csv", "s1,in", "s1,inn", ["segments.csv:2", "'in'"]),
        ("segments.csv", "v,8,110", "v,0,110", ["segments.csv:3", "above 0"]),
        ("segments.csv", "v,8,110", "v,-8,110", ["segments.csv:3", "above 0"]),
        ("segments.csv", SEGMENTS, "", ["segments.csv"]),
    ],
)
def test_networks_that_cannot_be_are_refused_by_file_and_line(folder, file, old, new, words):
    content = (folder / file).read_text()
    assert old in content
    (folder / file).write_text(content.replace(old, new))
    said = told(TABLES, folder)["vessels.given"]
    assert all(word in said for word in words), said


def test_a_file_that_is_not_there_and_vtp_outside_the_domain(folder):
    assert "no such file" in told("vessels: {given: {vtp: netwrk.vtp}}", folder)["vessels.given"]
    (folder / "network.vtp").write_text(VTP.replace("300 150 10", "300 950 10"))
    said = told("vessels: {given: {vtp: network.vtp}}", folder)["vessels.given"]
    assert "1 of 3 points lie outside the domain, e.g. (300, 950, 10) um" in said


def test_vessels_above_a_slice_are_no_vessels_of_it(folder):
    (folder / "nodes.csv").write_text(NODES.replace(",150,10,", ",150,100,"))
    assert "no vessel meets the slice" in told(TABLES, folder)["vessels.given"]


def test_blunt_ends_of_which_nothing_is_known_get_pressures_that_fall_with_x(folder):
    bare = NODES.replace("pressure_mmHg,30", ",").replace("unknown", "")
    (folder / "nodes.csv").write_text(bare)
    model = oc.Model.from_text(HEAD + TABLES, folder=folder)
    assert model.vessels.network.value[[0, 3]].tolist() == [25.0, 15.0]
    assert any("no end is known" in p.message and p.severity == "notice" for p in model.problems)


def test_the_content_of_the_files_counts_and_not_where_they_lie(folder, tmp_path):
    first = oc.Model.from_text(HEAD + TABLES, folder=folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("nodes.csv", "segments.csv"):
        shutil.copy(folder / name, elsewhere / name)
    again = oc.Model.from_text(HEAD + TABLES.replace("given: {nodes: nodes", "given: {nodes: elsewhere/nodes").replace(
        "segments: seg", "segments: elsewhere/seg"), folder=folder)  # fmt: skip
    assert first.digest == again.digest == oc.Model.from_text(HEAD + TABLES, folder=elsewhere).digest
    by_folder = oc.Model.from_text(HEAD + "vessels: {given: {folder: elsewhere}}", folder=folder)
    assert by_folder.digest == first.digest
    (folder / "segments.csv").write_text(SEGMENTS.replace("12,100", "13,100"))
    assert oc.Model.from_text(HEAD + TABLES, folder=folder).digest != first.digest


def test_a_model_that_is_written_elsewhere_names_its_files_from_there(folder, tmp_path):
    model = oc.Model.from_text(HEAD + TABLES, folder=folder)
    below = tmp_path / "below"
    below.mkdir()
    again = oc.Model.from_text(model.to_yaml(folder=below), folder=below)
    assert again.digest == model.digest
