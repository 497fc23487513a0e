"""`oncarium doses` as a user meets it."""

import pytest

from oncarium.cli.doses import doses
from oncarium.errors import InputError, ModelError


def say(capsys, *given, **options):
    usual = {
        "until": None,
        "to": None,
        "csv": None,
        "out": None,
        "start": None,
        "time": "h",
        "drug": "drug",
        "unit": "mg",
    }
    doses(*given, **{**usual, "most": 40, **options})
    return capsys.readouterr().out


def test_a_line_becomes_a_table(capsys):
    out = say(capsys, "pembrolizumab 200 mg every 3 weeks from day 14", until="60 day")
    assert [row.split()[0] for row in out.splitlines()[1:4]] == ["14", "35", "56"]
    assert out.splitlines()[-1] == "pembrolizumab: 3 doses, 600 mg in all"


def test_files_are_written_whole_and_read_back(capsys, tmp_path):
    line = "pembrolizumab 200 mg over 30 min every 3 weeks, 3 times"
    table = say(capsys, line)
    for notation, ending in (("english", "txt"), ("yaml", "yaml"), ("nonmem", "csv"), ("simbiology", "csv")):
        path = tmp_path / f"{notation}.{ending}"
        say(capsys, line, to=notation, out=path)
        assert say(capsys, str(path)).split("\n", 1)[1] == table.split("\n", 1)[1]
    assert "Wrote" in say(capsys, line, csv=tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == ",0,0,pembrolizumab,200,mg,,30,"


@pytest.mark.parametrize(
    "line, options, kind, said",
    [
        ("pembrolizumb 200 mg daily", {}, ModelError, "Did you mean 'pembrolizumab'"),
        ("pembrolizumab 200 mg daily", {}, ModelError, "has no end"),
        ("pembrolizumab 200 mg daily", {"to": "nonmme"}, InputError, "Did you mean 'nonmem'"),
        ("pembrolizumab 200 mg on day 9", {"until": "5 day"}, ModelError, "begins on day 9"),
        ("pembrolizumab 200 mg daily", {"until": "soon"}, InputError, "no length of time"),
        ("pembrolizumab 200 mg on 2026-01-09", {"start": "2026-02-30"}, InputError, "no date of the calendar"),
        ("nowhere.csv", {}, ModelError, "no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(capsys, tmp_path, line, options, kind, said):
    with pytest.raises(kind, match=said):
        say(capsys, line, out=tmp_path / "x", **options)
    assert not list(tmp_path.iterdir())
