"""From a folder of tables to a folder of results, and the command for it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from oncarium.cli import app
from oncarium.errors import InputError, ModelError
from oncarium.run.vessel_case import notices, solve_case, write_case

NODES = """id,x_um,y_um,z_um,type,boundary,value,hd,po2_mmHg
in,0,100,100,boundary,pressure_mmHg,40,0.45,60
u,100,100,100,inner,,,,
v,200,100,100,inner,,,,
out,300,100,100,boundary,pressure_mmHg,10,,
w,100,150,100,inner,,,,
x,10,10,10,inner,,,,
y,20,10,10,inner,,,,
"""
SEGMENTS = """id,a,b,diameter_um,length_um
s1,in,u,12,100
s2,u,v,2,100
s3,v,u,9,120
s4,v,out,12,100
blunt,u,w,8,60
alone,x,y,8,10
"""
OXYGEN = """viscosity: {law: pries_in_vivo_1994, plasma_cP: 1.05}
hematocrit: {rule: phase_separation}
box_um: [300, 200, 200]
oxygen: {inlet_po2_mmHg: 60, vmax_cm3_per_cm3_s: 1.0e-4, km_mmHg: 1}
"""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "case"
    place.mkdir()
    (place / "nodes.csv").write_text(NODES)
    (place / "segments.csv").write_text(SEGMENTS)
    return place


def rows(path):
    with path.open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_what_is_written_can_be_read_and_is_whole(folder, tmp_path):
    case = solve_case(folder)
    written = write_case(case, tmp_path / "out")
    assert [p.name for p in written] == ["segments.csv", "nodes.csv", "events.csv"]
    found = rows(tmp_path / "out" / "segments.csv")
    assert list(found) == ["s1", "s2", "s3", "s4", "blunt", "alone"]
    assert float(found["s3"]["flow_nl_min"]) < 0 < float(found["s1"]["flow_nl_min"])
    assert float(found["s1"]["flow_nl_min"]) == pytest.approx(case.blood.flow[0], rel=1e-11)
    assert found["blunt"]["flow_nl_min"] == "0" and found["blunt"]["hd"] == "" and found["blunt"]["pressure_mmHg"] != ""
    assert found["alone"]["flow_nl_min"] == "0" and found["alone"]["pressure_mmHg"] == ""
    said = " ".join(notices(case))
    assert "dead end: blunt" in said and "unperfused: alone" in said and "clamped: s2" in said
    kinds = {r["kind"] for r in rows(tmp_path / "out" / "events.csv").values()}
    assert kinds == {"dead end", "unperfused", "clamped"}


def test_twice_the_same_bytes(folder, tmp_path):
    for name in ("one", "two"):
        write_case(solve_case(folder), tmp_path / name)
    for name in ("segments.csv", "nodes.csv", "events.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_order_of_rows_changes_no_number(folder, tmp_path):
    write_case(solve_case(folder), tmp_path / "one")
    for name, text in (("nodes", NODES), ("segments", SEGMENTS)):
        head, *lines = text.strip().split("\n")
        (folder / f"{name}.csv").write_text("\n".join([head, *reversed(lines)]))
    write_case(solve_case(folder), tmp_path / "two")
    one, two = (rows(tmp_path / name / "segments.csv") for name in ("one", "two"))
    for name in one:
        for key in ("flow_nl_min", "hd", "pressure_mmHg"):
            assert (one[name][key] == "") == (two[name][key] == "")
            if one[name][key]:
                assert float(one[name][key]) == pytest.approx(float(two[name][key]), rel=1e-8)


def test_flow_may_be_given_and_tissue_is_sampled_where_asked(folder, tmp_path):
    (folder / "parameters.yaml").write_text(OXYGEN)
    (folder / "tissue_points.csv").write_text("x_um,y_um,z_um\n150,110,100\n150,190,190\n")
    case = solve_case(folder, voxel=20.0)
    write_case(case, tmp_path / "out")
    with (tmp_path / "out" / "tissue.csv").open() as file:
        near, far = (float(r["po2_mmHg"]) for r in csv.DictReader(file))
    assert 60 > near > far >= 0
    assert 0 < case.oxygen[3] < case.oxygen[0] < 60 and np.isnan(case.oxygen[5])
    head, *lines = SEGMENTS.strip().split("\n")
    with_flow = [f"{line},{flow:.17g},0.4" for line, flow in zip(lines, case.blood.flow)]
    (folder / "segments.csv").write_text("\n".join([head + ",flow_nl_min,hd", *with_flow]))
    (folder / "parameters.yaml").write_text(OXYGEN + "flow: given\n")
    again = solve_case(folder, voxel=20.0)
    assert (again.blood.flow == case.blood.flow).all() and (again.blood.haematocrit == 0.4).all()
    (folder / "segments.csv").write_text(SEGMENTS)
    with pytest.raises(InputError, match="flow_nl_min in every row"):
        solve_case(folder)


@pytest.mark.parametrize(
    "text, words",
    [
        (OXYGEN.replace("box_um", "bax_um"), "box"),
        (OXYGEN.replace("km_mmHg: 1", "km_mmHg: -1"), "oxygen.km_mmHg"),
        (OXYGEN.replace("km_mmHg", "km"), "oxygen.km"),
        (OXYGEN.replace("60,", "hot,"), "hot"),
    ],
)
def test_oxygen_that_cannot_be_is_one_message(folder, text, words):
    (folder / "parameters.yaml").write_text(text)
    with pytest.raises((InputError, ModelError), match=words):
        solve_case(folder)


def test_the_command(folder, tmp_path):
    run = CliRunner()
    done = run.invoke(app, ["vessels", "solve", str(folder), "-o", str(tmp_path / "o"), "--viscosity", "constant:3"])
    assert done.exit_code == 0 and "6 segments, 2 of them without flow" in done.output
    flow = float(rows(tmp_path / "o" / "segments.csv")["s1"]["flow_nl_min"])
    other = solve_case(folder, viscosity="constant:3", hematocrit="fixed:0.2").blood.flow[0]
    assert flow == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"mode": "x"}, "no mode"),
        ({"viscosity": "thick"}, "constant:3"),
        ({"hematocrit": "fixed:1"}, "fixed:0.4"),
        ({"domain": "0..1"}, "x, y and z"),
        ({"domain": "0..50,0..200,0..200"}, "outside"),
    ],
)
def test_options_that_cannot_be(folder, options, words):
    with pytest.raises((InputError, ModelError), match=words):
        solve_case(folder, **options)


def test_no_network_is_replaced_and_no_folder_is_one_message(folder, tmp_path):
    with pytest.raises(InputError, match="would be replaced"):
        write_case(solve_case(folder), folder)
    with pytest.raises(InputError, match="no such folder"):
        solve_case(tmp_path / "nowhere")
    assert (folder / "segments.csv").read_text() == SEGMENTS
