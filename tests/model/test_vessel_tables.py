"""Tables of vessels: what is read, and what is said of what cannot be."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest

from oncarium.errors import InputError, ModelError
from oncarium.model.vessel_ends import check_ends
from oncarium.model.vessel_parameters import VesselParameters, box_of, read_parameters, with_options
from oncarium.model.vessel_tables import read_network, read_points, read_wall_resistance
from oncarium.model.vtp import read_vtp

NODES = """id,x_um,y_um,z_um,type,boundary,value,hd,po2_mmHg
in,0,0,0,boundary,pressure_mmHg,40,0.45,95
u,100,0,0,inner,,,,
v,200,0,0,inner,,,,
out,300,0,0,boundary,pressure_mmHg,10,,
"""
SEGMENTS = """id,a,b,diameter_um,length_um
s1,in,u,12,100
s2,u,v,8,100
s3,u,v,9,120
s4,v,out,12,100
"""


def folder(path, nodes=NODES, segments=SEGMENTS, parameters=None):
    (path / "nodes.csv").write_text(nodes, encoding="utf-8")
    (path / "segments.csv").write_text(segments, encoding="utf-8")
    if parameters is not None:
        (path / "parameters.yaml").write_text(parameters, encoding="utf-8")
    return path


def test_a_network_is_read_whatever_the_order_of_columns_marks_and_line_ends(tmp_path):
    network = read_network(folder(tmp_path))
    assert network.nodes == ["in", "u", "v", "out"] and network.ends.tolist() == [[0, 1], [1, 2], [1, 2], [2, 3]]
    assert network.boundary.tolist() == [1, 0, 0, 1] and network.diameter.tolist() == [12, 8, 9, 12]
    assert np.isnan(network.hd[3]) and network.oxygen[0] == 95.0 and not network.notices
    turned = "\n".join(",".join(reversed(line.split(","))) for line in SEGMENTS.split())
    odd = folder(tmp_path, "\ufeff" + NODES.replace("\n", "\r\n"), turned)
    assert read_network(odd).ends.tolist() == network.ends.tolist()


TWICE = SEGMENTS.replace("\n", ",100\n").replace("length_um,100", "length_um,length_um")
LAST = "out,300,0,0,boundary,pressure_mmHg,10,,"
BAD = [  # what is changed in which table, and what the message must say
    ("segments", "s2,u,v,8,", "s2,u,v,0,", "segments.csv:3 s2 diameter_um above 0"),
    ("segments", "s2,u,v,8,", "s2,u,v,-8,", "segments.csv:3 s2 diameter_um above 0"),
    ("segments", "s2,u,v,8,", "s2,u,v,eight,", "segments.csv:3 s2 eight"),
    ("segments", "s2,u,v,8,", "s2,u,v,nan,", "segments.csv:3 s2 nan"),
    ("segments", "s2,u,v,8,", "s2,u,v,1.1,", "segments.csv:3 s2 1.1"),
    ("segments", "s2,u,v,8,100", "s2,u,v,8,inf", "s2 length_um inf"),
    ("segments", "s2,u,v,8,100", "s2,u,v,8,20", "s2 20 100 apart"),
    ("segments", "s2,u,v,8,100", "s2,u,v", "segments.csv:3 s2 3 values"),
    ("segments", "s2,u,v", "s2,u,u", "s2 itself"),
    ("segments", "s2,u,v", "s2,u,w", "s2 w"),
    ("segments", "s2,u,v", "s1,u,v", "s1 duplicate line 2"),
    ("segments", "diameter_um", "radius_um", "diameter_um radius_um double"),
    ("segments", "diameter_um", "diameter_mm", "diameter_um missing"),
    ("segments", SEGMENTS, "", "segments.csv empty"),
    ("segments", SEGMENTS, SEGMENTS.split("\n")[0], "no segment"),
    ("segments", SEGMENTS, TWICE, "length_um twice"),
    (
        "nodes",
        "out,300,0,0,boundary,pressure_mmHg,10,,",
        "out,300,0,0,boundary,pressure_mmHg,10,,\nu,5,0,0,inner,,,,",
        "u duplicate",
    ),
    ("nodes", "40,0.45", "40,45", "hd in 45"),
    ("nodes", "40,0.45", "40,-0.1", "hd in -0.1"),
    ("nodes", "pressure_mmHg,40", "presure_mmHg,40", "presure_mmHg Did you mean 'pressure_mmHg'"),
    ("nodes", "pressure_mmHg,40", "pressure_Pa,5333", "pressure_Pa pressure_mmHg"),
    ("nodes", "pressure_mmHg,40", "pressure_mmHg,", "in no value"),
    ("nodes", "v,200", "v,x", "nodes.csv:4 v x_um"),
    ("nodes", "v,200,0,0", "v,200,0,15", "v outside domain"),
]


@pytest.mark.parametrize("table, old, new, words", BAD)
def test_one_message_says_what_is_wrong(tmp_path, table, old, new, words):
    tables = {"nodes": NODES, "segments": SEGMENTS}
    assert old in tables[table]
    tables[table] = tables[table].replace(old, new, 1)
    with pytest.raises(ModelError) as refused:
        read_network(folder(tmp_path, **tables), ((0, 400), (-300, 300), (-10, 10)))
    said = str(refused.value)
    assert all(w in said for w in words.split()), said
    assert len(refused.value.problems) == 1, said


def test_all_problems_come_at_once_and_by_kind(tmp_path):
    segments = SEGMENTS + "".join(f"t{k},u,v,-1,100\n" for k in range(500)) + "t,u,zz,8,100\n"
    with pytest.raises(ModelError) as refused:
        read_network(folder(tmp_path, NODES.replace("40,0.45", "40,45"), segments))
    assert len(refused.value.problems) == 3 and "500" in str(refused.value)


@pytest.mark.parametrize(
    "changes, words",
    [
        ([("pressure_mmHg,40", ","), ("pressure_mmHg,10", ",")], "boundary"),
        ([("pressure_mmHg,10", ",")], "no outlet"),
        ([("pressure_mmHg,10", "pressure_mmHg,40")], "no pressure difference"),
        ([("pressure_mmHg,40", "flow_nl_min,5"), ("pressure_mmHg,10", "flow_nl_min,-4")], "no pressure balance 1"),
    ],
)
def test_where_no_blood_can_flow_one_message_says_why(tmp_path, changes, words):
    nodes = NODES
    for old, new in changes:
        nodes = nodes.replace(old, new)
    network = read_network(folder(tmp_path, nodes))
    with pytest.raises(ModelError) as refused:
        check_ends(network)
    assert len(refused.value.problems) == 1 and all(w in str(refused.value) for w in words.split())


def test_what_is_odd_is_a_notice(tmp_path):
    nodes = NODES.replace("v,200", "v,100") + "w,5,5,0,inner,,,,\n"
    said = " ".join(p.message for p in read_network(folder(tmp_path, nodes)).notices)
    assert "same place" in said and "node w" in said and "length of the table counts" in said


def test_parameters_and_options(tmp_path):
    assert read_parameters(tmp_path) == VesselParameters()
    text = (
        "default: b\nmodes:\n  a: {viscosity: {law: constant, cP: 3}}\n  b: {hematocrit: {rule: fixed, value: 0.3}}\n"
    )
    folder(tmp_path, parameters=text)
    assert read_parameters(tmp_path).fixed == 0.3 and read_parameters(tmp_path, "a").constant == 3.0
    (tmp_path / "inner").mkdir()
    assert read_parameters(tmp_path / "inner").fixed == 0.3
    with pytest.raises(InputError, match="has a, b"):
        read_parameters(tmp_path, "c")
    changed = with_options(read_parameters(tmp_path, "a"), "rat", "phase")
    assert changed.constant is None and changed.cell == 55.0 and changed.fixed is None
    for option in (
        {"viscosity": "constant:x"},
        {"viscosity": "mouse"},
        {"hematocrit": "fixed:45"},
        {"hematocrit": "no"},
    ):
        with pytest.raises(InputError):
            with_options(changed, **option)
    for text in ("0..400", "0..400,1..0,0..1", "a..b,0..1,0..1"):
        with pytest.raises(InputError):
            box_of(text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("viscosity: {law: constant}", "viscosity.cP"),
        ("viscosity: {law: pries}", "viscosity.law"),
        ("viscosity: {law: constant, cP: -3}", "viscosity.cP"),
        ("viscocity: {law: constant, cP: 3}", "Did you mean 'viscosity'"),
        ("hematocrit: {rule: fixed, value: 45}", "hematocrit.value"),
        ("hematocrit: 0.45", "group"),
        ("flow: take", "given"),
        ("box_um: [1, 2]", "three numbers"),
        ("modes: {a: 1}\ndefault: b", "default"),
    ],
)
def test_parameters_that_cannot_be(tmp_path, text, words):
    (tmp_path / "parameters.yaml").write_text(text)
    with pytest.raises(ModelError) as refused:
        read_parameters(tmp_path)
    assert words in str(refused.value) and "parameters.yaml:" in str(refused.value)


def test_points_and_walls(tmp_path):
    (tmp_path / "p.csv").write_text("z_um,x_um,y_um\n3,1,2\n")
    assert read_points(tmp_path / "p.csv").tolist() == [[1.0, 2.0, 3.0]]
    (tmp_path / "w.csv").write_text("diameter_um,resistance_mmHg_um_s_per_um3\n5,2\n5,3\n")
    with pytest.raises(ModelError, match="twice"):
        read_wall_resistance(tmp_path / "w.csv")


# -- VTK --------------------------------------------------------------------------------------------------------------

PLACES = np.array([[0, 0, 0], [10, 0, 0], [10, 0, 0], [10, 20, 0], [50, 0, 0], [50, 0, 0]], float)
RADIUS = np.array([5.0, 5, 5, 4, 3, 3])
WAY, STOP = np.array([0, 1, 2, 3, 4, 5]), np.array([2, 4, 6])


def encoded(array, kind, form, packed):
    data = array.astype(kind).tobytes()
    if form == "ascii":
        return " ".join(f"{v:g}" for v in array.ravel())
    if not packed:
        block = struct.pack("<I", len(data)) + data
        return base64.b64encode(block).decode() if form == "binary" else block
    small = zlib.compress(data)
    head = struct.pack("<IIII", 1, len(data), len(data), len(small))
    if form == "binary":
        return (base64.b64encode(head) + base64.b64encode(small)).decode()
    return head + small


def vtp(path, form, packed=False, radius="Radius"):
    blob = b""

    def array(name, values, kind, word):
        nonlocal blob
        text = encoded(values, kind, form, packed)
        where = ""
        if form == "appended":
            where, blob, text = f' offset="{len(blob)}"', blob + text, ""
        return f'<DataArray type="{word}" Name="{name}" format="{form}"{where}>{text}</DataArray>'

    packer = ' compressor="vtkZLibDataCompressor"' if packed else ""
    body = (
        f'<VTKFile type="PolyData" byte_order="LittleEndian"{packer}><PolyData><Piece NumberOfPoints="6">'
        f"<PointData>{array(radius, RADIUS, 'f8', 'Float64')}</PointData>"
        f"<Points>{array('Points', PLACES, 'f4', 'Float32')}</Points>"
        f"<Lines>{array('connectivity', WAY, 'i8', 'Int64')}{array('offsets', STOP, 'i4', 'Int32')}</Lines>"
        "</Piece></PolyData>"
    ).encode()
    tail = b'<AppendedData encoding="raw">_' + blob + b"</AppendedData>" if form == "appended" else b""
    path.write_bytes(body + tail + b"</VTKFile>")
    return path


@pytest.mark.parametrize("form, packed", [(f, p) for f in ("ascii", "binary", "appended") for p in (False, True)])
def test_polydata_in_all_its_encodings(tmp_path, form, packed):
    """Two lines that share a place, and a piece without length."""
    network = read_vtp(vtp(tmp_path / "v.vtp", form, packed), inlet=30, outlet=10)
    assert network.position.tolist() == [[0, 0, 0], [10, 0, 0], [10, 20, 0]]
    assert network.ends.tolist() == [[0, 1], [1, 2]] and network.diameter.tolist() == [10.0, 9.0]
    assert network.value[[0, 2]].tolist() == [30.0, 10.0] and network.boundary.tolist() == [1, 0, 1]
    assert any("no length" in p.message for p in network.notices)


def test_what_pyvista_writes_is_read(tmp_path):
    pyvista = pytest.importorskip("pyvista")
    lines = np.concatenate([[2, 0, 1], [2, 2, 3], [2, 4, 5]])
    data = pyvista.PolyData(PLACES, lines=lines)
    data.point_data["Vessel Radius"] = RADIUS
    for binary in (True, False):
        data.save(tmp_path / "p.vtp", binary=binary)
        assert read_vtp(tmp_path / "p.vtp").diameter.tolist() == [10.0, 9.0]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda b: b[:200], "XML"),
        (lambda b: b.replace(b"PolyData", b"ImageData"), "no PolyData"),
        (lambda b: b.replace(b"Radius", b"Distance"), "Radius or Diameter"),
        (lambda b: b.replace(b"0 1 2 3 4 5", b"0 1 2 3 4 9"), "not there"),
        (lambda b: b.replace(b">0 0 0 10", b">0 0 x 10"), "decoded"),
        (lambda b: b.replace(b"ascii", b"hexadecimal"), "pyvista"),
        (lambda b: b.replace(b"byte_order", b'compressor="vtkLZ4DataCompressor" byte_order'), "pyvista"),
    ],
)
def test_polydata_that_cannot_be_read(tmp_path, change, words):
    path = vtp(tmp_path / "v.vtp", "ascii")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ModelError, match=words):
        read_vtp(path)
