"""What is no slide, or says what cannot be, is one message within a second: never a traceback, never a wait."""

import os

import numpy as np
import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

pd = pytest.importorskip("pandas")
TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
cells: {tumor: {cycle: {model: live}}, T cell: {}}
initial: [{slide: %s, %s}]
"""
GRID = [(10 * i, 10 * j) for i in range(6) for j in range(6)]


def refused(folder, name, words="pixel: 1 um"):
    with pytest.raises(ModelError) as error:
        Model.from_text(TEXT % (name, words), folder=folder)
    assert len(error.value.problems) == 1, error.value
    return str(error.value)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("pixel: 0.65", "'0.65' has no unit; expected one that converts to um"),
        ("pixel: 1 px", "'1 px' says nothing of a length; expected um per pixel"),
        ("pixel: 2 px/um", "'px/um' cannot be converted to um"),
        ("pixel: [0.5 um, 0.6 um]", "it is one length, as pixels are square"),
        ("pixel: {x: 1 um}", "it is one length"),
        ("pixel: nan um", "is not finite"),
        ("pixel: 1e300 um", "is out of range"),
        ("pixel: 1 mm", "with 1000 um per pixel the nearest neighbor of a cell would be"),
        ("pixel: 1 um, crop: {x: [1000 um, 2000 um]}", "no cell lies within the crop. Cells lie from 0 to 50 um in x"),
        ("pixel: 1 um, crop: {z: [0 um, 1 um]}", "'z' is no axis here"),
        ("pixel: 1 um, crop: [0 um, 10 um]", "a group of named values is expected"),
        ("pixel: 1 um, types: {tumor: zebra}", "no cell type is called 'zebra'"),
        ("pixel: 1 um, types: [tumor]", "a group of named values is expected"),
        ("pixel: 1 um, columns: {x: x, y: x}", "x and y are both the column x"),
        ("pixel: 1 um, columns: {x: 1}", "no column is called '1'"),
        ("pixel: 1 um, columns: {x: type}", "36 cells have no x: type is 'tumor' (36 rows)"),
        ("pixel: 1 um, columns: {diameter: x}", "areas and places differ in unit"),
        ("pixel: 1 um, only: {type: zebra}", "no cell has 'zebra' there. It has: tumor"),
        ("pixel: 1 um, element: cells", "only SpatialData (.zarr) has elements"),
    ],
)
def test_words_that_cannot_be(tmp_path, words, wrong):
    (tmp_path / "grid.csv").write_text("x,y,type\n" + "".join(f"{x},{y},tumor\n" for x, y in GRID))
    assert wrong in refused(tmp_path, "grid.csv", words)


@pytest.mark.parametrize(
    ("text", "words", "wrong"),
    [
        ('x,y,type\n"1,234.5",5,tumor\n', "pixel: 1 um", "Expected a decimal point and no other marks, e.g. 1234.5"),
        ("x,y,type\n0x10,5,tumor\n", "pixel: 1 um", "x is '0x10' (1 rows), first in line 2"),
        ("x,y,type\n-inf,5,tumor\n", "pixel: 1 um", "x is '-inf'"),
        ("x,y,type\n1,2,tum\0or\n", "pixel: 1 um", "a NUL byte stands at character 16"),
        ('x,y,type\n1,2,"tu\nmor"\n', "pixel: 1 um", "1 name is unknown: tu mor (1 rows)"),
        ('x,y,type\n1,2,"tumor\n3,4,tumor\n', "pixel: 1 um", "the rows do not fit the header"),
        ("# by hand\nx,y,type\n1,2,tumor\n", "pixel: 1 um", "the header is '# by hand'"),
        ("<html><body>404</body></html>\n", "pixel: 1 um", "the header is '<html>"),
        ("x_mm,y_mm,type\n0.1,0.2,tumor\n", "pixel: 1 um", "which column is x and y is not said"),
        ("x_um,y_um,type,area_px\n1,2,tumor,90\n", "columns: {area: area_px}", "area_px is in pixels, and x_um in um"),
        ("x,y,type,area\n1,2,tumor,-5\n", "pixel: 1 um, columns: {area: area}", "1 of 1 cells have a size that"),
        ("x,y,type\n" + "".join(f"{10 * k},1,n{k}\n" for k in range(999)), "pixel: 1 um",
         "999 names are unknown: n0 (1 rows), n1 (1 rows)"),
        (",".join(f"c{k}" for k in range(20_000)) + "\n" + ",".join("1" * 20_000), "pixel: 1 um", "It has: c0, c1,"),
    ],
    ids=range(13),
)  # fmt: skip
def test_tables_that_cannot_be(tmp_path, text, words, wrong):
    (tmp_path / "table.csv").write_text(text)
    message = refused(tmp_path, "table.csv", words)
    assert wrong in message and len(message) < 700


@pytest.mark.parametrize("end", ["csv", "tsv", "parquet", "h5ad", "npy", "png", "tif"])
def test_folders_pipes_and_links_in_a_circle(tmp_path, end):
    (tmp_path / f"folder.{end}").mkdir()
    os.mkfifo(tmp_path / f"pipe.{end}")
    (tmp_path / f"loop.{end}").symlink_to(f"loop.{end}")
    assert "is a folder; expected a file" in refused(tmp_path, f"folder.{end}")
    assert "is no regular file; expected a file on a disk" in refused(tmp_path, f"pipe.{end}")
    assert "no such file" in refused(tmp_path, f"loop.{end}")
    (tmp_path / f"empty.{end}").write_bytes(b"")
    assert any(said in refused(tmp_path, f"empty.{end}") for said in ("cannot be read", "can be read", "is empty"))


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (None, "which column is x and y is not said"),
        (np.zeros((0, 2)), "it holds no cell"),
        (np.zeros((3, 1)), "obsm['spatial'] has the shape (3, 1)"),
        (np.zeros((3, 4)), "obsm['spatial'] has the shape (3, 4)"),
        (pd.DataFrame({"a": ["x", "y", "z"], "b": ["1", "2", "3"]}, index=["0", "1", "2"]), "holds no numbers"),
        ("truncated", "it cannot be read as AnnData"),
    ],
    ids=range(6),
)
def test_anndata_that_cannot_be(tmp_path, place, wrong):
    anndata = pytest.importorskip("anndata")
    count = 3 if place is None or isinstance(place, str) else len(place)
    obs = pd.DataFrame({"cell_type": ["tumor"] * count}, index=[str(k) for k in range(count)])
    data = anndata.AnnData(np.zeros((count, 1), np.float32), obs=obs)
    if place is not None and not isinstance(place, str):
        data.obsm["spatial"] = place
    path = tmp_path / "cells.h5ad"
    data.write_h5ad(path)
    if place is not None and isinstance(place, str):
        path.write_bytes(path.read_bytes()[:-20])
    assert wrong in refused(tmp_path, path.name)


def test_stores_of_another_program(tmp_path):
    pytest.importorskip("anndata")
    zarr = pytest.importorskip("zarr")
    zarr.save(tmp_path / "array.zarr", np.zeros((3, 3)))
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "file.zarr").write_text("x")
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "other.h5ad", "w") as file:
        file["x"] = [1, 2, 3]
    for name in ("array.zarr", "empty.zarr", "file.zarr", "other.h5ad"):
        assert "it cannot be read as AnnData" in refused(tmp_path, name)


def test_files_that_were_cut_short(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("pyarrow")
    image = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
    tifffile.imwrite(tmp_path / "image.tif", image, compression="zlib")
    np.save(tmp_path / "image.npy", image)
    pd.DataFrame({"x": [1.0], "y": [2.0], "type": ["tumor"]}).to_parquet(tmp_path / "table.parquet")
    for name in ("image.tif", "image.npy", "table.parquet"):
        whole = (tmp_path / name).read_bytes()
        for length in (9, len(whole) // 2, len(whole) - 20):
            (tmp_path / name).write_bytes(whole[:length])
            message = refused(tmp_path, name)
            assert "cannot be read" in message or "can be read" in message


@pytest.mark.parametrize(
    ("image", "wrong"),
    [
        (np.zeros((5, 20, 30), np.uint16), "the image has 3 dimensions (5 x 20 x 30)"),
        (np.ones((20, 30, 3), np.uint16), "this is a picture in colors (20 x 30 x 3)"),
        (np.ones(5, int), "the image has 1 dimensions (5)"),
        (
            np.ones((40, 60), np.uint8),
            "with 1 um per pixel cells would be 55.3 um across (median). Expected 4 to 40 um",
        ),
        (np.random.default_rng(0).integers(0, 250, (100, 100)), "the nearest neighbor of a cell would be"),
    ],
    ids=range(5),
)
def test_images_that_cannot_be(tmp_path, image, wrong):
    np.save(tmp_path / "image.npy", image)
    assert wrong in refused(tmp_path, "image.npy", "pixel: 1 um, others: inert")


def test_few_cells_are_cells(tmp_path):
    (tmp_path / "one.csv").write_text("x,y,type\n5,5,tumor\n")
    assert Model.from_text(TEXT % ("one.csv", "pixel: 1 um"), folder=tmp_path).placements[0].rows == (
        ("tumor", 0.0, 0.0, 0.0),
    )
