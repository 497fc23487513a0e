"""What a settings file may hold as its own format takes it, and what is told of it."""

import subprocess
import sys

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import ModelError
from oncarium.exchange.physicell import settings as exported
from oncarium.model.physicell.dictionary import Dictionary

from .world import OPTIONS, OXYGEN, WITH_CELLS, cell, read, refused, settings, told, value, write

TWO = "x,y,z,type\n0,0,0,tumor\n30,0,0,tumor\n"


def oncarium(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "oncarium", *words], cwd=cwd, capture_output=True, text=True, timeout=300
    )


# -- XML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<save>", "<!-- 8 -- threads --><!-- -- ----><save>", ""), ("<?xml", "\n \n<?xml", ""),
        ("<save>", "<?php echo '<!--' ?><save>", ""),
        ("</cell_definitions>", "</cell_definitions><note>this & that</note>", "1 '&' stands alone"),
        ("<save>", "<save a='1 & 2' b='x<y'>", "stands alone"),
        ('units="mmHg" ID="0"', 'units="mmHg" units="kPa" ID="0"',
         "the attribute units stands twice in <variable>; the first counts"),
        ("</PhysiCell_settings>", "</PhysiCell_settings> the end", "'the end' stands outside of all elements"),
        ("<PhysiCell_settings", "<!-- a --><other><b/></other><PhysiCell_settings", "2 elements stand side by side"),
        ("<PhysiCell_settings version",
         '<PhysiCell_settings xmlns="http://x.org/y" xmlns:z="http://x.org/z" z:a="1" version', ""),
        ("<save>", "<save><note>]]> & &nbsp; &#x41;</note>", "2 '&' stand alone"),
        ("<save>", "<save><![CDATA[ & <b> ]]>", ""),
    ],
)  # fmt: skip
def test_xml_that_the_formats_parser_takes(tmp_path, old, new, said):
    text = settings()
    assert old in text
    plain, odd = read(tmp_path / "a", text), read(tmp_path / "b", text.replace(old, new, 1))
    assert plain.diff(odd) == []
    assert (said in told(odd) and said not in told(plain)) or not said


def test_places_stay_true(tmp_path):
    text = settings(cells=cell("<motility><speed>x</speed></motility>")).replace(
        "<save>", "<!-- a\n -- \n b --><save a='1\n& 2'>"
    )
    line = text[: text.index("<speed>x")].count("\n") + 1
    assert f"model.xml:{line} " in refused(tmp_path, text)


def test_letters_as_declared(tmp_path):
    text = settings().replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').replace("tumor", "tümor")
    (tmp_path / "model.xml").write_bytes(text.encode("latin-1"))
    assert oc.load(tmp_path / "model.xml").types[0].name == "tümor"


@pytest.mark.parametrize("before", ["<?x <!-- ?>", "<!-- <?x --><!-- ?> -->", "<?x ?><!-- -- -->", ""])
def test_a_document_type_is_seen_wherever_it_stands(tmp_path, before):
    laughs = '<!DOCTYPE a [<!ENTITY d "ha"><!ENTITY e "&d;&d;">]>'
    message = refused(
        tmp_path,
        settings()
        .replace("<PhysiCell_settings", f"{before}{laughs}<PhysiCell_settings", 1)
        .replace('name="tumor"', 'name="&e;"'),
    )
    assert "declares a DOCTYPE" in message
    assert "DOCTYPE" not in told(read(tmp_path, settings().replace("<save>", "<!-- <!DOCTYPE a> --><save>")))


# -- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system(tmp_path, end):
    path = write(tmp_path, settings(rest=WITH_CELLS))
    (tmp_path / "cells.csv").write_bytes(TWO.replace("\n", end).encode())
    assert oc.load(path).cells_at_start == 2


def test_a_field_that_is_too_long_is_told_with_its_line(tmp_path):
    message = refused(tmp_path, settings(rest=WITH_CELLS), cells_csv=TWO + '"' + "1" * 140_000 + '",0,0,tumor\n')
    assert "cells.csv:4" in message and len(message) < 500 and "1" * 50 in message


@pytest.mark.parametrize("numerics", ["oncarium", "physicell"])
def test_cells_outside_stay_there_and_take_no_part(tmp_path, numerics):
    """Beyond the domain, or above a layer: in the output where they were put, neither moved nor asked for anything."""
    eager = cell("<cycle code='5'><phase_transition_rates><rate start_index='0' end_index='0'>0.05</rate>"
                 "</phase_transition_rates></cycle><secretion><substrate name='oxygen'><uptake_rate>100</uptake_rate>"
                 "</substrate></secretion>")  # fmt: skip
    model = read(
        tmp_path,
        settings(cells=eager, rest=WITH_CELLS),
        numerics=numerics,
        cells_csv="x,y,z,type\n0,0,0,tumor\n104,0,0,tumor\n0,5,30,tumor\n",
    )
    assert "cells.csv:3" in told(
        model
    ) and "2 cells lie outside the domain (first in this line); they are placed there and take no part" in told(model)
    result = oc.run(model, "60 min", out=tmp_path / "run")
    ids, last = result.array("id", result.times[-1]), result.array("position", result.times[-1])
    assert len(result.array("id", result.times[0])) == 3 and (result.array("vital", result.times[-1]) == 0).all()
    assert np.array_equal(last[ids == ids.min() + 1][0], [104, 0, 0]) and np.array_equal(
        last[ids == ids.min() + 2][0], [0, 5, 30]
    )
    assert len(last) > 3, "the cell inside divides"
    whole = oc.run(model, "30 min", out=tmp_path / "half")
    assert whole.digest != result.digest and oc.resume(tmp_path / "half", "60 min").digest == result.digest


def test_a_number_of_cells_says_what_it_does(tmp_path):
    user = "<user_parameters><number_of_cells type='int'>7</number_of_cells>{}</user_parameters>"
    plain, placed = (
        told(read(tmp_path, settings(rest=user.format(more)))) for more in ("", "<tumor_radius>50</tumor_radius>")
    )
    assert (
        "notice" in plain
        and "7 cells of each of 2 types are placed at random in the whole domain" in plain
        and "warning" not in plain
    )
    assert "warning" in placed and "tumor_radius look like numbers or places of cells" in placed


def test_a_substrate_named_like_a_signal(tmp_path):
    """The word is the signal's, as in PhysiCell, where the later of two entries counts."""
    words = Dictionary(["pressure", "oxygen"], ["tumor"])
    assert words.signals["pressure"] == ("sense.pressure", None) and words.signals["pressure gradient"] == (
        "sense.gradient",
        "pressure",
    )
    model = read(tmp_path, settings(substrates=OXYGEN.replace('name="oxygen"', 'name="time"')))
    assert "the substrate 'time' is named like a signal" in told(model)


# -- the way back -----------------------------------------------------------------------------------------------------


def test_switches_come_back(tmp_path):
    options = OPTIONS + "".join(
        f"<{w}>true</{w}>" for w in ("disable_automated_spring_adhesions", "virtual_wall_at_domain_edge")
    )
    springs = cell("<mechanics><attachment_rate>0.1</attachment_rate></mechanics>")
    model = read(tmp_path / "a", settings(options=options, cells=springs))
    exported.write(model, tmp_path / "b")
    again = oc.load(tmp_path / "b" / "PhysiCell_settings.xml")
    assert (
        value(again, "tumor", "springs.active") == 0.0 == value(model, "tumor", "springs.active")
        and model.diff(again) == []
    )


def test_diff_compares_quantities(tmp_path):
    other = settings().replace(">1000<", ">1e3<").replace('interval units="min">30<', "interval>30.0<")
    one, other = read(tmp_path / "a", settings()), read(tmp_path / "b", other)
    assert one.diff(other) == []
    (line,) = one.diff(read(tmp_path / "c", settings().replace(">1000<", ">1001<")))
    assert line == "factors.oxygen.diffusion: 1000 um^2/min -> 1001 um^2/min"


def test_snapshots_of_an_earlier_run_are_left_out(tmp_path, caplog):
    model = read(tmp_path / "m", settings(rest=WITH_CELLS), cells_csv=TWO)
    from oncarium.exchange.physicell import snapshot

    for name, until in (("long", "60 min"), ("short", "30 min")):
        result = oc.run(model.with_({"record.cells": "6 min", "record.fields": "6 min"}), until, out=tmp_path / name)
        snapshot.export(result, tmp_path / f"{name}_out")
    for file in (tmp_path / "short_out").iterdir():
        (tmp_path / "long_out" / file.name).write_bytes(file.read_bytes())
    assert oc.open(tmp_path / "long_out").times.tolist() == oc.open(tmp_path / "short_out").times.tolist()
    assert "left from an earlier run" in caplog.text


# -- the command line -------------------------------------------------------------------------------------------------

INTRACELLULAR = cell("<intracellular type='maboss'><bnd_filename>x.bnd</bnd_filename></intracellular>")


def test_a_projects_folder_is_a_model_and_every_command_takes_the_remedy(tmp_path):
    write(tmp_path / "project" / "config", settings(cells=INTRACELLULAR)).rename(
        tmp_path / "project" / "config" / "PhysiCell_settings.xml"
    )
    (tmp_path / "empty").mkdir()
    for words in (("check", "project"), ("diff", "project", "project"), ("export", "project", "out"),
                  ("import", "physicell", "project"),
                  ("run", "project", "--until", "0", "--no-report", "-q")):  # fmt: skip
        plain = oncarium(*words, cwd=tmp_path)
        assert plain.returncode == 2 and "--ignore intracellular" in plain.stderr, (words, plain.stderr)
        done = oncarium(*words, "--ignore", "intracellular", cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    assert "folder" in oncarium("check", "empty", cwd=tmp_path).stderr
    with pytest.raises(ModelError, match="Expected the folder of a PhysiCell project"):
        oc.load(tmp_path / "empty")


def test_what_is_said_of_several_places_is_said_once(tmp_path, capsys):
    from oncarium.cli.options import say_problems

    ghost = "".join(f"<{k}_rates>\n<{k}_rate name='ghost'>1</{k}_rate></{k}_rates>" for k in ("attack", "fusion"))
    ghost = f"<cell_interactions>{ghost}</cell_interactions>"
    model = read(tmp_path, settings(cells=cell(ghost)))
    say_problems(model.problems)
    assert capsys.readouterr().err.count("no cell type is called 'ghost'") == 1
