"""Movies: as many frames as asked for, of one size, in order."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis import movie as module
from oncarium.errors import InputError
from oncarium.model.model import EXAMPLE, Model

Image = pytest.importorskip("PIL.Image", reason="Pillow, which writes GIF, is not installed")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    model = Model.from_text(EXAMPLE).with_({"cells.tumor.cycle.exit": "0.01 1/min", "record.cells": "10 min"})
    return oc.run(model, "1 h", 1, out=tmp_path_factory.mktemp("movie"))


@pytest.fixture
def without_encoder(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)


@pytest.mark.parametrize("frames, wanted", [(1, 1), (3, 3), (7, 7), (120, 7)])
def test_a_movie_has_the_frames_asked_for_where_the_run_has_them(result, tmp_path, frames, wanted):
    path = oc.movie(result, tmp_path / "new" / "movie.gif", frames=frames, rate=10)
    with Image.open(path) as picture:
        assert getattr(picture, "n_frames", 1) == wanted
        assert picture.format == "GIF" and (wanted == 1 or picture.info["duration"] == 100)


def test_frames_are_spread_over_the_run_from_its_start_to_its_end(result, tmp_path, monkeypatch):
    seen = []
    original = module._frame
    monkeypatch.setattr(module, "_frame", lambda result, t, look: seen.append(float(t)) or original(result, t, look))
    oc.movie(result, tmp_path / "movie.gif", frames=3)
    assert seen == [0.0, 30.0, 60.0]


def test_without_a_video_encoder_a_movie_is_a_gif(result, tmp_path, without_encoder):
    path = oc.movie(result, tmp_path / "movie.mp4", frames=2)
    assert (
        path == tmp_path / "movie.gif"
        and path.read_bytes()[:4] == b"GIF8"
        and [p.name for p in tmp_path.iterdir()] == ["movie.gif"]
    )


def test_a_video_encoder_gets_every_frame_once_in_even_sizes(result, tmp_path, monkeypatch):
    """An encoder that keeps what it is sent."""
    sent, asked = [], {}

    def write_frames(path, size, **options):
        asked.update(path=path, size=size, **options)
        frame = yield
        while True:
            sent.append(frame)
            frame = yield

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", SimpleNamespace(write_frames=write_frames))
    path = oc.movie(result, tmp_path / "movie.mp4", frames=4, rate=24)
    assert (
        path == tmp_path / "movie.mp4"
        and Path(asked["path"]).parent == tmp_path
        and asked["path"].endswith(".mp4")
        and asked["fps"] == 24
    )
    assert len(sent) == 4 and {f.shape for f in sent} == {(asked["size"][1], asked["size"][0], 3)}
    assert all(n % 2 == 0 for n in asked["size"]) and all(f.dtype == np.uint8 and f.flags.c_contiguous for f in sent)
    assert all(not np.array_equal(a, b) for a, b in zip(sent, sent[1:]))


def test_without_anything_that_writes_movies_it_says_what_to_install(result, tmp_path, monkeypatch, without_encoder):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match="oncarium\\[movie\\]"):
        oc.movie(result, tmp_path / "movie.gif")


def test_no_frames_are_no_movie(result, tmp_path):
    with pytest.raises(InputError, match="at least 1"):
        oc.movie(result, tmp_path / "movie.gif", frames=0)


def test_a_movie_shows_a_column_and_a_field_on_one_scale(result, tmp_path, monkeypatch):
    scales = []
    original = module._frame
    monkeypatch.setattr(
        module,
        "_frame",
        lambda result, t, look: scales.append((look["limits"], look["field_limits"])) or original(result, t, look),
    )
    told = []
    path = oc.movie(
        result,
        tmp_path / "movie.gif",
        frames=3,
        color="volume.total",
        field="oxygen",
        crop=(-80, 80, -60, 60),
        see=lambda *n: told.append(n),
    )
    with Image.open(path) as picture:
        assert picture.n_frames == 3
    volumes = [result.numbers("volume.total", t) for t in (0.0, 30.0, 60.0)]
    assert len(set(scales)) == 1 and scales[0][0][1] == pytest.approx(max(v.max() for v in volumes))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_map_has_the_same_place_in_every_frame(result):
    """Legends grow with the numbers of cells; the tissue must not jump."""
    look = {"color": "type", "field": None, "crop": None}
    places = [module._frame(result, t, look).axes[0].get_window_extent().bounds for t in (0.0, 60.0)]
    assert places[0] == places[1]


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("movie.avi", {}, "no kind of movie"),
        ("movie", {}, "no kind of movie"),
        ("movie.gif", {"color": "volum.total"}, "Did you mean 'volume.total'"),
        ("movie.gif", {"field": "oxigen"}, "Did you mean 'oxygen'"),
        ("movie.gif", {"crop": (10, 5, 0, 1)}, "shows nothing"),
        ("movie.gif", {"crop": (1, 2)}, "is no part of a map"),
        ("movie.gif", {"rate": 0}, "at least 1"),
    ],
)
def test_a_movie_that_cannot_be_is_told(result, tmp_path, name, how, told):
    with pytest.raises(InputError, match=told):
        oc.movie(result, tmp_path / name, frames=2, **how)
    assert not list(tmp_path.iterdir())
