"""The report: one file that needs nothing else and says everything."""

import base64
import io
import re

import pandas as pd
import pytest

import oncarium as oc
from oncarium.model.model import EXAMPLE, Model
from oncarium.run import checkpoint


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    model = Model.from_text(EXAMPLE).with_({"title": "Tumor <b>&</b> friends", "cells.tumor.cycle.exit": "0.003 1/min"})
    return oc.run(model, "5 h", 1, out=tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(result):
    path = oc.report(result)
    assert path == result.path.parent / "report.html"
    return path.read_text(encoding="utf-8")


def test_it_needs_nothing_else(page):
    assert set(re.findall(r"""<[^>]*\b(?:src|href)\s*=\s*['"]?([^'"]{5})""", page)) == {"data:"}
    assert "<script src" not in page and "@import" not in page and "url(" not in page and "fetch(" not in page
    pictures = re.findall(r"src='data:image/png;base64,([^']+)'", page)
    assert len(pictures) == 6 + 1 + 6  # tissue, field, curves and overview
    for picture in pictures:
        assert base64.b64decode(picture, validate=True).startswith(b"\x89PNG")


def test_every_picture_has_words(page):
    figures = re.findall(r"<figure.*?</figure>", page, re.S)
    assert len(figures) == 1 + 1 + 6
    for figure in figures:
        assert re.search(r"alt='[^']+'", figure) and re.search(r"<figcaption>[^<]+<", figure)


def test_it_says_what_to_look_at_what_colors_mean_and_how_to_cite(tmp_path):
    model = Model.from_text(EXAMPLE).with_({"description": "Twenty cells & air.", "look": "Whether <they> divide."})
    page = oc.report(oc.run(model, "1 h", 1, out=tmp_path)).read_text(encoding="utf-8")
    assert "Twenty cells &amp; air." in page and "Whether &lt;they&gt; divide." in page
    assert f"background:{oc.plot.PALETTE[0]}'></span> tumor" in page and "How to cite" in page
    assert f"version = {{{oc.__version__}}}" in page and "--seeds 10" in page


def test_moments_follow_a_dial_and_tables_can_be_saved(page, result):
    frames = re.search(r"<figure data-frames>.*?</figure>", page, re.S)[0]
    assert "type=range min=0 max=5" in frames and re.findall(r"alt='([^']+)'", frames) == [
        "0 min", "1 h", "2 h", "3 h", "4 h", "5 h",
    ]  # fmt: skip
    saved = re.search(r"download='summary.csv' href='data:text/csv;base64,([^']+)'", page)[1]
    table = pd.read_csv(io.StringIO(base64.b64decode(saved).decode()))
    assert (
        list(table["time"]) == list(result.times)
        and table["live.tumor"].iloc[-1] == result.summary["live.tumor"].iloc[-1]
    )
    assert "download='events.csv'" in page and "download='cells_at_the_end.csv'" in page


def test_it_says_where_it_comes_from(page, result):
    for said in (
        result.attrs["model_digest"],
        result.digest,
        "seed 1",
        result.attrs["versions"]["numpy"],
        result.attrs["started"],
        "Transport",
    ):
        assert said in page
    assert "Tumor &lt;b&gt;&amp;&lt;/b&gt; friends" in page and "<b>&</b>" not in page
    assert "final state" in page and "not finished" not in page
    assert "diffusion: 100000 um^2/min" in page


def test_its_numbers_are_those_of_the_summary(page, result):
    last = result.summary.iloc[-1]
    counts = "".join(f"<td>{last[f'{kind}.tumor']:,.0f}" for kind in ("live", "apoptotic", "necrotic", "volume"))
    assert f"<td>tumor<td>20{counts}" in page
    assert f"<td>oxygen<td>{last['mean.oxygen']:.4g}" in page and "<td>mmHg" in page
    assert "<th>division" in page and f"<tr><td>{last['events.division']:,.0f}" in page


def test_figures_lie_beside_it(page, result):
    names = {p.name for p in (result.path.parent / "figures").iterdir()}
    assert names >= {
        "tissue_0000.png",
        "tissue_0005.png",
        "field_oxygen.png",
        "growth.png",
        "composition.png",
        "phases.png",
        "deaths.png",
        "factors.png",
    }


def test_it_goes_where_it_is_told_and_replaces_what_is_there(result, tmp_path):
    (tmp_path / "report.html").write_text("old")
    path = oc.report(result, tmp_path)
    assert path == tmp_path / "report.html" and "old" != path.read_text() and not list(tmp_path.glob("*.part"))


def test_an_unfinished_run_is_reported_as_such(tmp_path):
    unfinished = oc.run(Model.from_text(EXAMPLE), "5 h", 1, out=tmp_path, see=lambda s: s.tick == 10)
    page = oc.report(unfinished).read_text()
    assert ", not finished." in page and "final state" not in page and unfinished.digest in page


def test_a_run_without_checkpoints_is_reported_too(tmp_path):
    """They take room, and a reader may have thrown them away."""
    result = oc.run(Model.from_text(EXAMPLE), "10 min", 1, out=tmp_path, see=lambda s: s.tick == 5)
    for path in checkpoint.folder_of(result.path).iterdir():
        path.unlink()
    page = oc.report(result).read_text()
    assert "no checkpoint" in page and result.attrs["model_digest"] in page


def test_no_cells_are_reported_too(tmp_path):
    model = Model.from_text(EXAMPLE).with_({"initial.0.count": 0, "cells.tumor.rules": []})
    assert "<td>tumor<td>0<td>0<td>0<td>0<td>0" in oc.report(oc.run(model, "10 min", 1, out=tmp_path)).read_text()
