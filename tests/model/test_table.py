"""Tables of cells: places, types by name or number, and values that single cells have."""

import math

import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors: {oxygen: {unit: mmHg, diffusion: 1 um^2/min}}
custom: {hits: {conserved: true}}
cells: {tumor: {cycle: {model: live}}, T cell: {cycle: {model: flow_cytometry}}}
initial: [{table: cells.csv}]
"""


def table(folder, text, model=TEXT):
    (folder / "cells.csv").write_text(text, encoding="utf-8")
    return Model.from_text(model, folder=folder)


def said(model):
    return "\n".join(str(p) for p in model.problems)


def refused(folder, text, model=TEXT):
    with pytest.raises(ModelError) as error:
        table(folder, text, model)
    return str(error.value)


def test_a_header_names_places_types_and_values_in_any_order(tmp_path):
    model = table(
        tmp_path,
        "type,y,x,volume,cycle entry,custom:hits,motility.speed\ntumor,1,2,1000,0.1,3,\nT cell,4,5,skip,0.2,,0.7\n",
    )
    p = model.placements[0]
    assert p.rows == (("tumor", 2.0, 1.0, 0.0), ("T cell", 5.0, 4.0, 0.0))
    assert p.values[("volume.total", None)][0] == 1000.0 and math.isnan(p.values[("volume.total", None)][1])
    assert p.values[("cycle.exit", "live")][0] == 0.1 and p.values[("cycle.exit", "G0G1")][1] == 0.2
    assert p.values[("custom.hits", None)][0] == 3.0 and p.values[("motility.speed", None)][1] == 0.7
    assert model.uses("motility")  # a table of cells needs the mechanism whose values it gives


def test_without_a_header_types_have_numbers(tmp_path):
    assert table(tmp_path, "1,2,0,1\n3,4,0,0\n").placements[0].rows == (
        ("T cell", 1.0, 2.0, 0.0),
        ("tumor", 3.0, 4.0, 0.0),
    )
    renumbered = TEXT.replace("{table: cells.csv}", "{table: cells.csv, numbers: {tumor: 7, T cell: 3}}")
    assert table(tmp_path, "1,2,0,7\n", renumbered).placements[0].rows[0][0] == "tumor"
    assert "no cell type has the number 2. This model has: 0 (tumor), 1 (T cell)" in refused(tmp_path, "1,2,0,2\n")


def test_rows_may_end_before_further_columns(tmp_path):
    model = table(tmp_path, "x,y,z,type,volume,custom:hits\n1,2,0,tumor\n3,4,0,tumor,900\n")
    assert len(model.placements[0].rows) == 2 and model.placements[0].values[("volume.total", None)][1] == 900.0
    assert "2 rows end before the column 'custom:hits'" in said(model)


def test_columns_that_are_nothing_are_said(tmp_path):
    assert "the column 'custom:hit' is no behavior and is ignored. Did you mean 'custom:hits'?" in said(
        table(tmp_path, "x,y,type,custom:hit\n1,2,tumor,5\n")
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("x,y,z,type\n1,2\n", "cells.csv:2\n  2 values, column 'z' is missing; expected 4"),
        ("1,2,0\n", "cells.csv:1\n  3 values, column 'type' is missing"),
        ("x,y,z,type\n1,2,0,tumor,9\n", "there are too many"),
        ("x,y,z,type\nnan,2,0,tumor\n", "x is nan. Expected a finite number"),
        ("x,y,z,type\n=1+1,2,0,tumor\n", "x is '=1+1', no number"),
        ("x,y,z,type\n1,2,0,tumour\n", "no cell type is called 'tumour'. Did you mean 'tumor'?"),
        ("x;y;z;type\n1;2;0;tumor\n", "separated by semicolons"),
        ("1;2;0;1\n", "separated by semicolons"),
        ("x,y,z,type\n900,2,0,tumor\n901,2,0,tumor\n", "2 cells lie outside the domain (first in this line)"),
        ("x,y,type,volume\n1,2,tumor,-1\n", "volume is -1. Expected above 0"),
        ("x,y,type,apoptosis\n1,2,tumor,-1\n", "apoptosis is -1. Expected at least 0"),
        ("x,y,type,apoptosis\n1,2,tumor,inf\n", "Expected a finite number, or nothing"),
        ("x,y,type,exit from cycle phase 2\n1,2,tumor,1\n", "the cycle of tumor has 1 phases: live"),
        ("x,y,type,x\n1,2,tumor,1\n", "the column 'x' stands twice"),
        ("a,b\n1,2\n", "the header is 'a,b'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path, text, wrong):
    assert wrong in refused(tmp_path, text)


def test_all_wrong_rows_are_told_but_not_thousands(tmp_path):
    message = refused(tmp_path, "x,y,z,type\n" + "a,0,0,tumor\n" * 500)
    assert message.count("no number") == 20


def test_what_is_changed_is_said(tmp_path):
    model = table(tmp_path, "x,y,z,type\n1,2,50,tumor\n1,2,0,tumor\n")
    assert "1 cells lie above or below the 2-D domain" in said(
        model
    ) and "1 cells lie exactly where another one does" in said(model)
    assert model.placements[0].rows[0][3] == 0.0
    clipped = table(tmp_path, "x,y,z,type\n900,2,0,tumor\n", TEXT.replace("cells.csv}", "cells.csv, clip: true}"))
    assert clipped.placements[0].rows[0][1] == 100.0 and "moved to its edge" in said(clipped)


def test_values_of_a_table_count_in_the_digest(tmp_path):
    one, two = (table(tmp_path, f"x,y,type,volume\n1,2,tumor,{v}\n") for v in (900, 901))
    assert one.digest != two.digest


def test_a_model_without_its_folder_remembers_what_its_table_gave(tmp_path):
    model = table(tmp_path, "x,y,type,attack tumor,cycle entry\n1,2,tumor,0.5,1\n")
    alone = Model.from_text(model.to_yaml(), folder=None)
    assert alone.uses("attack") and model.uses("attack") and not alone.uses("fusion")
    assert Model.from_text(model.to_yaml(), folder=tmp_path) == model
