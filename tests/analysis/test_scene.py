"""Tissues in space: every cell has its color, the cut shows the inside, and what cannot be drawn is told."""

import sys

import numpy as np
import pytest

import oncarium as oc

pytest.importorskip("pyvista", reason="pyvista, which draws in space, is not installed")


@pytest.fixture(scope="module")
def ball(tmp_path_factory):
    model = oc.load("spheroid").with_({"initial.0.ball.radius": "60 um", "record.cells": "30 min"})
    return oc.run(model, "30 min", 1, out=tmp_path_factory.mktemp("ball"))


def picture(ax):
    return np.asarray(ax.images[0].get_array())


def test_cells_are_balls_in_a_box_with_legend_and_sizes(ball):
    ax = oc.plot.scene(ball, cut=False)
    assert ax.get_title(loc="left") == "30 min, box of 150 × 150 × 150 µm"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [f"tumor ({len(ball.cells()):,})"]
    shown = picture(ax).astype(int)
    orange = (shown[..., 0] > shown[..., 2] + 60).mean()
    assert 0.1 < orange < 0.8, "the ball fills a good part of the picture"


def test_the_cut_shows_the_inside(ball):
    """Colored by oxygen, which is lowest in the middle: dark cells are seen only where the ball is cut open."""
    numbers = ball.numbers("sense.factor.oxygen")
    whole, cut = (
        picture(oc.plot.scene(ball, color="sense.factor.oxygen", cut=c, limits=(numbers.min(), numbers.max()))).astype(
            int
        )
        for c in (False, True)
    )
    yellow = [float(((p[..., 0] > 150) & (p[..., 2] < 120)).sum() / (p.min(axis=2) < 200).sum()) for p in (whole, cut)]
    assert yellow[0] > 1.2 * yellow[1] > 0


def test_what_cannot_be_drawn_is_told(ball, tmp_path, monkeypatch):
    with pytest.raises(oc.InputError, match="Did you mean 'volume.total'"):
        oc.plot.scene(ball, color="volum.total")
    flat = oc.run(oc.Model.from_text(oc.EXAMPLE), "6 min", out=tmp_path / "flat")
    with pytest.raises(oc.InputError, match="this tissue is 2-D"):
        oc.plot.scene(flat)
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(oc.InputError, match="three-d"):
        oc.plot.scene(ball)
