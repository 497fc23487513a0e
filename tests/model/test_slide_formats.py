"""AnnData, SpatialData, parquet and images of labels as slides."""

import math

import numpy as np
import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

pd = pytest.importorskip("pandas")
TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors: {oxygen: {unit: mmHg, diffusion: 1 um^2/min}}
cells: {tumor: {cycle: {model: live}}, T cell: {}}
initial: [{slide: %s, %s}]
"""


def read(folder, name, words="pixel: 1 um"):
    return Model.from_text(TEXT % (name, words), folder=folder)


def refused(folder, name, words="pixel: 1 um"):
    with pytest.raises(ModelError) as error:
        read(folder, name, words)
    return str(error.value)


def said(model):
    return "\n".join(str(p) for p in model.problems)


def rows(model):
    return [(t, round(x, 6), round(y, 6)) for t, x, y, _ in model.placements[0].rows]


def labels(dtype=np.uint16):
    """Two discs of 10 px across and a square, in an image of 60 x 40 px (wide x high)."""
    y, x = np.mgrid[0:40, 0:60] + 0.5
    image = np.zeros((40, 60), dtype)
    image[(x - 10) ** 2 + (y - 10) ** 2 <= 25] = 7
    image[(x - 50) ** 2 + (y - 10) ** 2 <= 25] = 3
    image[26:34, 26:34] = 12
    return image


EXPECTED = [("T cell", 20.0, 10.0), ("tumor", -20.0, 10.0), ("tumor", 0.0, -10.0)]
CLASSES = "CellID,phenotype\n3,T cell\n7,tumor\n12,tumor\n"


def write(path, image):
    if path.suffix == ".npy":
        np.save(path, image)
    elif path.suffix == ".png":
        pytest.importorskip("PIL.Image").fromarray(image).save(path)
    else:
        pytest.importorskip("tifffile").imwrite(path, image)


@pytest.mark.parametrize("name", ["mask.npy", "mask.png", "mask.tif"])
def test_labels_are_cells_at_their_centers_as_large_as_their_areas(tmp_path, name):
    write(tmp_path / name, labels())
    (tmp_path / "classes.csv").write_text(CLASSES)
    model = read(tmp_path, name, "pixel: 1 um, classes: classes.csv")
    assert rows(model) == EXPECTED
    volume = model.placements[0].values["volume.total", None]
    areas = [int((labels() == k).sum()) for k in (3, 7, 12)]
    assert areas[2] == 64  # by hand
    assert volume == pytest.approx([4 / 3 * math.pi * (a / math.pi) ** 1.5 for a in areas])
    nuclei = read(tmp_path, name, "pixel: 1 um, classes: classes.csv, columns: {nucleus: area}")
    assert nuclei.placements[0].values["volume.total", None] == pytest.approx([v * 2494 / 540 for v in volume])


def test_areas_and_centers_are_those_of_scipy(tmp_path):
    from scipy import ndimage

    from oncarium.model.slide.images import read_image
    from oncarium.model.slide.words import Words

    image = np.random.default_rng(3).integers(0, 9, (30, 50))
    np.save(tmp_path / "noise.npy", image)
    frame = read_image(tmp_path / "noise.npy", Words("noise.npy")).frame
    index = np.arange(1, 9)
    assert frame["label"].tolist() == index.tolist()
    center = np.array(ndimage.center_of_mass(np.ones_like(image), image, index)) + 0.5
    assert np.allclose(frame[["y", "x"]], center)
    assert np.allclose(frame["area"], ndimage.sum_labels(np.ones_like(image), image, index))


def test_ome_tiff_says_its_pixel(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    (tmp_path / "classes.csv").write_text(CLASSES)
    size = {"axes": "YX", "PhysicalSizeX": 1000.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 1.0}
    tifffile.imwrite(tmp_path / "mask.ome.tif", labels(), metadata=size)
    assert rows(read(tmp_path, "mask.ome.tif", "classes: classes.csv")) == EXPECTED
    other = read(tmp_path, "mask.ome.tif", "classes: classes.csv, pixel: 0.8 um")
    assert "the file says 1 um per pixel; 0.8 um is used, as the model says" in said(other)
    tifffile.imwrite(tmp_path / "mask.ome.tif", labels(), metadata=size | {"PhysicalSizeY": 3.0})
    assert "its pixels are 1 um wide and 3 um high" in refused(tmp_path, "mask.ome.tif", "classes: classes.csv")


@pytest.mark.parametrize(
    ("image", "wrong"),
    [
        (np.zeros((20, 20), np.uint8), "no pixel holds a label: the image is empty"),
        (np.zeros((20, 20, 3), np.uint8), "this is a picture in colors (20 x 20 x 3), no image of labels"),
        (np.zeros((5, 20, 20), np.uint16), "the image has 3 dimensions (5 x 20 x 20)"),
        (np.full((20, 20), 0.5), "the image holds broken numbers (float64)"),
        (np.full((20, 20), np.nan, np.float32), "the image holds broken numbers (float32)"),
        (np.full((20, 20), -1), "the lowest label is -1"),
        (np.eye(20, dtype=np.uint8) * np.arange(20, dtype=np.uint8)[:, None] // 200, "the image is empty"),
        ((labels() > 0).astype(np.uint8) * 255, "this is a mask: one label in 3 separate pieces"),
        (labels() > 0, "this is a mask: one label in 3 separate pieces"),
        (np.full((20, 20), 1 + 2j), "no numbers"),
    ],
)
def test_what_is_no_image_of_labels(tmp_path, image, wrong):
    np.save(tmp_path / "mask.npy", image)
    assert wrong in refused(tmp_path, "mask.npy")


def test_floats_that_are_whole_are_labels(tmp_path):
    np.save(tmp_path / "mask.npy", labels().astype(np.float32))
    (tmp_path / "classes.csv").write_text(CLASSES)
    assert rows(read(tmp_path, "mask.npy", "pixel: 1 um, classes: classes.csv")) == EXPECTED


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (
            "CellID,phenotype\n3,tumor\n",
            "the image has 3 labels and the table 1; 2 of the image are not in the table: 7, 12",
        ),
        ("CellID,phenotype\n1,tumor\n2,tumor\n", "the image has 3 labels and the table 2, and not one is in both"),
        (CLASSES + "3,tumor\n", "1 labels stand in several rows (the first is 3)"),
        ("a,b\n3,tumor\n", "which column is the label and the type is not said. It has: a, b"),
        ("", "the table is empty"),
    ],
)
def test_a_table_of_classes_that_does_not_fit(tmp_path, table, wrong):
    np.save(tmp_path / "mask.npy", labels())
    (tmp_path / "classes.csv").write_text(table)
    assert wrong in refused(tmp_path, "mask.npy", "pixel: 1 um, classes: classes.csv")


def test_rows_of_classes_without_a_cell_are_counted(tmp_path):
    np.save(tmp_path / "mask.npy", labels())
    (tmp_path / "classes.csv").write_text(CLASSES + "99,tumor\n")
    assert "1 rows of classes.csv have no cell in the image" in said(
        read(tmp_path, "mask.npy", "pixel: 1 um, classes: classes.csv")
    )
    assert "no column says the type" in refused(tmp_path, "mask.npy")
    whole = read(tmp_path, "mask.npy", "pixel: 1 um, others: inert")
    assert [t for t, _, _ in rows(whole)] == ["other"] * 3


@pytest.mark.parametrize("name", ["mask.npy", "mask.png", "mask.tif", "cells.h5ad", "cells.zarr", "cells.parquet"])
def test_files_that_are_damaged_are_said_to_be(tmp_path, name):
    (tmp_path / name).write_bytes(b"no such thing" * 20)
    message = refused(tmp_path, name)
    assert name in message and ("cannot be read" in message or "is not installed" in message or "no parquet" in message)


def annotated(folder, name="cells.h5ad", spatial=True, **uns):
    anndata = pytest.importorskip("anndata")
    place = np.array([[100.0, 40.0], [140.0, 40.0], [100.0, 80.0]])
    obs = pd.DataFrame({"cell_type": pd.Categorical(["tumor", "T cell", "tumor"])}, index=["a", "b", "c"])
    data = anndata.AnnData(np.zeros((3, 1), np.float32), obs=obs)
    if spatial:
        data.obsm["spatial"] = place
    else:
        data.obs["X_centroid"], data.obs["Y_centroid"] = place[:, 0], place[:, 1]
    data.uns.update(uns)
    (data.write_zarr if name.endswith("zarr") else data.write_h5ad)(folder / name)


PLACED = [("tumor", -10.0, 10.0), ("T cell", 10.0, 10.0), ("tumor", -10.0, -10.0)]


@pytest.mark.parametrize("spatial", [True, False])
@pytest.mark.parametrize("name", ["cells.h5ad", "cells.zarr"])
def test_anndata_has_its_cells_in_obsm_or_obs(tmp_path, name, spatial):
    annotated(tmp_path, name, spatial)
    assert rows(read(tmp_path, name, "pixel: 0.5 um")) == PLACED
    assert "the size of a pixel is not said" in refused(tmp_path, name, "y: down")


def test_parquet_is_a_table(tmp_path):
    pytest.importorskip("pyarrow")
    table = {"x": [100, 140, 100], "y": [40, 40, 80], "type": ["tumor", "T cell", "tumor"]}
    pd.DataFrame(table).to_parquet(tmp_path / "cells.parquet")
    assert rows(read(tmp_path, "cells.parquet", "pixel: 0.5 um")) == PLACED


def spatial(folder, shapes, system="global", element="cells", scale=1.0):
    """A SpatialData store with one element of shapes and the table of their types."""
    spatialdata = pytest.importorskip("spatialdata")
    anndata = pytest.importorskip("anndata")
    geopandas = pytest.importorskip("geopandas")
    from spatialdata.models import ShapesModel, TableModel
    from spatialdata.transformations import Identity, Scale

    transformation = {system: Identity() if scale == 1.0 else Scale([scale, scale], ("x", "y"))}
    frame = geopandas.GeoDataFrame(shapes, geometry="geometry", index=[4, 5, 6])
    obs = pd.DataFrame({"region": pd.Categorical(["cells"] * 3), "instance": [4, 5, 6],
                        "cell_type": ["tumor", "T cell", "tumor"]}, index=["a", "b", "c"])  # fmt: skip
    table = TableModel.parse(
        anndata.AnnData(np.zeros((3, 1)), obs=obs), region="cells", region_key="region", instance_key="instance"
    )
    shapes = ShapesModel.parse(frame, transformations=transformation)
    spatialdata.SpatialData(shapes={element: shapes}, tables={"table": table}).write(folder / "cells.zarr")


def test_spatialdata_circles_have_places_sizes_and_types(tmp_path):
    shapely = pytest.importorskip("shapely")
    points = [shapely.Point(100, 40), shapely.Point(140, 40), shapely.Point(100, 80)]
    spatial(tmp_path, {"geometry": points, "radius": [10.0, 12.0, 14.0]})
    model = read(tmp_path, "cells.zarr", "pixel: 0.5 um")
    assert rows(model) == PLACED
    radius = np.array([5.0, 6.0, 7.0])
    assert model.placements[0].values["volume.total", None] == pytest.approx(4 / 3 * math.pi * radius**3)


def test_spatialdata_polygons_and_a_system_in_um(tmp_path):
    shapely = pytest.importorskip("shapely")
    squares = [shapely.box(x - 10, y - 10, x + 10, y + 10) for x, y in ((100, 40), (140, 40), (100, 80))]
    spatial(tmp_path, {"geometry": squares}, "um", scale=0.5)
    model = read(tmp_path, "cells.zarr", "y: down")  # the transformation says how large a pixel is
    assert rows(model) == PLACED
    volume = 4 / 3 * math.pi * (100.0 / math.pi) ** 1.5
    assert model.placements[0].values["volume.total", None] == pytest.approx([volume] * 3)
    assert "no element is called 'nuclei'" in refused(tmp_path, "cells.zarr", "element: nuclei")
