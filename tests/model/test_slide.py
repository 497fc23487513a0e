"""Tables of cells of a slide: any header, pixels, direction of y, crop, names, sizes, and what is wrong with them."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

DATA = Path(__file__).parent.parent / "data" / "scimap" / "exemplar_001.csv"
TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors: {oxygen: {unit: mmHg, diffusion: 1 um^2/min}}
cells: {tumor: {cycle: {model: live}}, T cell: {}}
initial: [{slide: %s, %s}]
"""
SMALL = "X_centroid,Y_centroid,phenotype\n100,40,tumor\n140,40,T cell\n100,80,tumor\n"


def slide(folder, text, words="pixel: 0.5 um", name="slide.csv"):
    if isinstance(text, str):
        text = text.encode()
    (folder / name).write_bytes(text)
    return Model.from_text(TEXT % (name, words), folder=folder)


def rows(model):
    return [(t, round(x, 9), round(y, 9)) for t, x, y, _ in model.placements[0].rows]


def said(model):
    return "\n".join(str(p) for p in model.problems)


def refused(folder, text, words="pixel: 0.5 um", name="slide.csv"):
    with pytest.raises(ModelError) as error:
        slide(folder, text, words, name)
    return str(error.value)


def grid(step, count=6, names=("tumor",)):
    """A table of cells on a square lattice."""
    lines = [f"{i * step},{j * step},{names[(i + j) % len(names)]}" for i in range(count) for j in range(count)]
    return "x,y,type\n" + "\n".join(lines) + "\n"


def test_pixels_become_um_around_the_middle_with_y_up(tmp_path):
    # 100..140 px and 40..80 px at 0.5 um: 50..70 and 20..40 um; the middle (60, 30) lies at the domain's middle
    expected = [("tumor", -10.0, 10.0), ("T cell", 10.0, 10.0), ("tumor", -10.0, -10.0)]
    assert rows(slide(tmp_path, SMALL)) == expected
    assert rows(slide(tmp_path, SMALL, "pixel: 0.5 um/px")) == expected
    up = [(t, x, -y) for t, x, y in expected]
    assert rows(slide(tmp_path, SMALL, "pixel: 0.5 um, y: up")) == up
    at = [("tumor", 40.0, -10.0), ("T cell", 60.0, -10.0), ("tumor", 40.0, -30.0)]
    assert rows(slide(tmp_path, SMALL, "pixel: 0.5 um, origin: [10 um, 10 um]")) == at


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_delimiters_marks_and_packing_change_nothing(tmp_path, delimiter, begin):
    text = begin + SMALL.replace(",", delimiter).encode()
    model = slide(tmp_path, text)
    assert rows(model) == rows(slide(tmp_path, SMALL))
    assert rows(slide(tmp_path, gzip.compress(text), name="slide.csv.gz")) == rows(model)
    assert rows(slide(tmp_path, SMALL.encode("utf-16"), name="slide.tsv")) == rows(model)


def test_columns_are_named_or_guessed_by_the_names_that_programs_give(tmp_path):
    table = SMALL.replace("X_centroid,Y_centroid,phenotype", "a,b,c")
    assert rows(slide(tmp_path, table, "columns: {x: a, y: b, type: c}, pixel: 0.5 um")) == rows(slide(tmp_path, SMALL))
    # QuPath says um in its header, so no pixel is asked for
    qupath = "Centroid X µm,Centroid Y µm,Classification\n50,20,tumor\n70,20,T cell\n50,40,tumor\n"
    assert rows(slide(tmp_path, qupath, "y: down")) == rows(slide(tmp_path, SMALL))
    assert "x is X_centroid, y is Y_centroid, type is phenotype, by their names" in said(slide(tmp_path, SMALL))


def test_a_table_with_words_of_a_slide_is_one(tmp_path):
    (tmp_path / "slide.csv").write_text(SMALL)
    text = (TEXT % ("slide.csv", "pixel: 0.5 um")).replace("slide: slide.csv", "table: slide.csv")
    assert rows(Model.from_text(text, folder=tmp_path)) == rows(slide(tmp_path, SMALL))
    with pytest.raises(ModelError, match="Other columns are read by  slide: <file>"):
        Model.from_text(text.replace(", pixel: 0.5 um", ""), folder=tmp_path)


def test_a_crop_takes_what_lies_in_it_and_its_middle_is_the_middle(tmp_path):
    model = slide(tmp_path, SMALL, "pixel: 0.5 um, crop: {x: [40 um, 60 um], y: [0 um, 50 um]}")
    assert rows(model) == [("tumor", 0.0, 5.0), ("tumor", 0.0, -15.0)]
    message = refused(tmp_path, SMALL, "pixel: 0.5 um, crop: {x: [400 um, 500 um]}")
    assert "no cell lies within the crop. Cells lie from 50 to 70 um in x and from 20 to 40 um in y" in message


def test_of_a_table_of_several_slides_one_is_taken(tmp_path):
    first, second = SMALL.splitlines(), SMALL.replace("100", "101").splitlines()[1:]
    table = "\n".join([first[0] + ",imageid", *(f"{r},one" for r in first[1:]), *(f"{r},two" for r in second)])
    assert "imageid has 2 values: cells of several slides" in said(slide(tmp_path, table))
    one = slide(tmp_path, table, "pixel: 0.5 um, only: {imageid: one}")
    assert rows(one) == rows(slide(tmp_path, SMALL)) and "several slides" not in said(one)
    wrong = refused(tmp_path, table, "pixel: 0.5 um, only: {imageid: oen}")
    assert "no cell has 'oen' there. Did you mean 'one'? It has: one, two" in wrong
    assert "no column is called 'imagid'. Did you mean 'imageid'?" in refused(tmp_path, table, "only: {imagid: one}")


def test_names_are_mapped_and_those_of_no_type_are_kept_counted_or_told(tmp_path):
    table = grid(10, names=("Tumor", "CD8", "mystery", "T cell"))
    assert "unknown: CD8 (10 rows), Tumor (9 rows), mystery (9 rows)" in (m := refused(tmp_path, table, "pixel: 1 um"))
    assert m.count("unknown") == 1 and "This model has: tumor, T cell" in m
    words = "pixel: 1 um, types: {Tumor: tumor, CD8: T cell}"
    model = slide(tmp_path, table, words)
    kinds = [row[0] for row in model.placements[0].rows]
    assert {k: kinds.count(k) for k in set(kinds)} == {"tumor": 9, "T cell": 18, "other": 9}
    assert "1 name is unknown, kept as inert cells: mystery (9 rows)" in said(model)
    assert len(slide(tmp_path, table, words + ", others: drop").placements[0].rows) == 27
    assert "1 name is unknown: mystery (9 rows)" in refused(tmp_path, table, words + ", others: refuse")
    assert "no cell is called 'Tumour'. Did you mean 'Tumor'?" in said(
        slide(tmp_path, table, "pixel: 1 um, types: {Tumour: tumor}")
    )


def test_inert_cells_are_a_type_that_neither_dies_nor_divides_and_survives(tmp_path):
    words = "pixel: 1 um, types: {a: tumor}"
    model = slide(tmp_path, grid(10, names=("a", "b")), words)
    other = model.type("other")
    assert other.values["death.apoptosis"] == 0.0 and not other.cycle.phases and not model.type("tumor").doc
    again = Model.from_text(model.to_yaml(), folder=tmp_path)
    alone = Model.from_text(model.to_yaml(), folder=None)
    assert again == model and [t.name for t in alone.types] == ["tumor", "T cell", "other"]
    assert model.with_({"until": "1 day"}).type("other").values == other.values
    assert [t.name for t in slide(tmp_path, grid(10), "pixel: 1 um, others: inert").types] == ["tumor", "T cell"]


def test_areas_nuclei_and_diameters_become_volumes(tmp_path):
    def volume(column, value, words="pixel: 0.5 um"):
        text = SMALL.replace("phenotype\n", f"phenotype,{column}\n").replace("tumor\n", f"tumor,{value}\n")
        text = text.replace("T cell\n", "T cell,\n")
        return slide(tmp_path, text, words).placements[0].values["volume.total", None]

    area, words = math.pi * 5.0**2, "pixel: 0.5 um, columns: {%s: size}"
    sphere = 4.0 / 3.0 * math.pi * 5.0**3
    assert volume("size", area / 0.25, words % "area")[0] == pytest.approx(sphere)
    assert math.isnan(volume("size", area / 0.25, words % "area")[1])  # nothing said: as large as its type
    assert volume("size_um", area, words.replace("size", "size_um") % "area")[0] == pytest.approx(sphere)
    assert volume("size", 20.0, words % "diameter")[0] == pytest.approx(sphere)
    # a nucleus of 3 um radius; the whole cell is larger by the type's own ratio, 2494 to 540 um^3
    nucleus = volume("size", math.pi * 9.0 / 0.25, words % "nucleus")[0]
    assert nucleus == pytest.approx(4.0 / 3.0 * math.pi * 27.0 * 2494.0 / 540.0)


def test_sizes_that_no_cell_has_are_those_of_the_type_and_told_once(tmp_path):
    lines = grid(10).replace("type\n", "type,area\n").replace("tumor\n", "tumor,60\n").splitlines()
    lines[3], lines[5] = lines[3].replace(",60", ",1"), lines[5].replace(",60", ",90000")
    model = slide(tmp_path, "\n".join(lines), "pixel: 1 um, columns: {area: area}")
    volume = np.array(model.placements[0].values["volume.total", None])
    assert np.isnan(volume).sum() == 2 and said(model).count("2 of 36 cells have a size that no cell has") == 1


def test_the_digest_depends_on_the_content_and_not_on_the_place(tmp_path):
    one = slide(tmp_path, SMALL)
    (tmp_path / "elsewhere").mkdir()
    assert slide(tmp_path / "elsewhere", SMALL, name="moved.csv").digest == one.digest
    assert slide(tmp_path, SMALL.replace("140", "141")).digest != one.digest
    assert slide(tmp_path, SMALL, "pixel: 0.6 um").digest != one.digest
    assert "slide: ../slide.csv" in slide(tmp_path, SMALL).to_yaml(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("text", "words", "wrong"),
    [
        (SMALL, "y: down", "the size of a pixel is not said. Cells lie 40 apart (median): with pixel: 0.65 um that"),
        (SMALL, "pixel: 0.5", "'0.5' has no unit"),
        (SMALL, "pixel: -1 um", "-1 um is out of range; expected above 0"),
        (SMALL, "pixel: 0.5 um, y: dwn", "no direction of y is called 'dwn'. Did you mean 'down'?"),
        (SMALL, "pixel: 0.5 um, origin: middle", "'middle' is no origin; expected center, or [x, y] in um"),
        (SMALL, "pixel: 0.5 um, origin: [1 um, 2 um, 3 um]", "is no origin"),
        (SMALL, "pixel: 0.5 um, crop: {x: [9 um, 2 um]}", "the lower end 9 um is not below the upper end 2 um"),
        (SMALL, "pixel: 0.5 um, pixl: 3", "'pixl' is no word of a slide here. Did you mean 'pixel'?"),
        (SMALL, "pixel: 0.5 um, columns: {x: X_center}", "no column is called 'X_center'. Did you mean 'X_centroid'?"),
        (SMALL, "pixel: 0.5 um, columns: {x: X_centroid, size: a}", "'size' is no meaning of a column here"),
        (SMALL, "pixel: 0.5 um, columns: {area: phenotype, nucleus: phenotype}", "area and nucleus each say how large"),
        (SMALL, "pixel: 0.5 um, columns: {area: phenotype}", "phenotype holds no number"),
        (SMALL, "pixel: 0.5 um, types: {tumor: tumr}", "no cell type is called 'tumr'. Did you mean 'tumor'?"),
        (SMALL, "pixel: 0.5 um, others: keep", "no way with cells of no type is called 'keep'"),
        (SMALL, "pixel: 0.5 um, classes: b.csv", "only an image of labels has a table of classes"),
        ("a,b,c\n1,2,3\n", "pixel: 1 um", "which column is x and y is not said. It has: a, b, c"),
        ("x,y\n1,2\n", "pixel: 1 um", "no column says the type of the cells. It has: x, y"),
        ("x_um,y_px,type\n1,2,tumor\n", "pixel: 1 um", "x and y are in different units: x_um in um and y_px in px"),
        ("x_um,y_um,type\n1,2,tumor\n", "pixel: 0.5 um", "x_um is in um already, and the pixel is said to be 0.5 um"),
        ("x,y,type\n1,2,tumor\n,3,tumor\nnan,3,tumor\n", "pixel: 1 um",
         "2 cells have no x: x is nothing (1 rows), 'nan' (1 rows), first in line 3"),
        ("x;y;type\n1,5;2;tumor\n", "pixel: 1 um", "x is '1,5' (1 rows), first in line 2. Expected a decimal point"),
        ("x,y,type\n1e999,2,tumor\n", "pixel: 1 um", "1 cells have no x"),
        ("", "pixel: 1 um", "the table is empty"),
        ("\n\n", "pixel: 1 um", "the table is empty"),
        ("x,y,type\n", "pixel: 1 um", "the table has a header only"),
        ("1,2,tumor\n3,4,tumor\n", "pixel: 1 um", "which column is x and y is not said"),
        ("1,2,3\n3,4,5\n", "pixel: 1 um", "the first line is '1,2,3', no header"),
        ("x y type\n1 2 tumor\n", "pixel: 1 um", "expected columns separated by commas, tabs or semicolons"),
        ("x,y,type\n1,2,tumor,4,5\n", "pixel: 1 um", "the rows do not fit the header"),
        (b"x,y,type\n1,2,tum\xffr\n", "pixel: 1 um", "byte 16 (0xff) is not valid utf-8. Save the file as UTF-8"),
        (b"\x1f\x8bnothing", "pixel: 1 um", "it cannot be unpacked"),
        (grid(50), "pixel: 1 um", "the nearest neighbor of a cell would be 50 um away (median), 576 of them per mm^2"),
        (grid(10), "pixel: 0.1 um", "With a pixel of about 1 um they would be usual cells. If they are right:  trust"),
        (grid(10, 4) + grid(10, 4)[9:], "pixel: 1 um", "16 of 32 cells lie exactly where another one does"),
        (grid(30, 9), "pixel: 1 um", "76 of 81 cells lie outside the domain"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_once_with_its_remedy(tmp_path, text, words, wrong):
    if "76 of 81" in wrong:
        words += ", origin: [500 um, 240 um]"
        wrong = (
            "81 of 81 cells lie outside the domain, by up to 400 um: x from -500 to -260 um (domain -100 to 100 um), y"
        )
    assert refused(tmp_path, text, words).count(wrong) == 1


def test_areas_in_another_unit_than_places_are_seen(tmp_path):
    table = grid(8).replace("type\n", "type,area\n").replace("tumor\n", "tumor,1100\n")
    message = refused(tmp_path, table, "pixel: 1 um, columns: {area: area}")
    assert "cover the slide" in message and "areas and places differ in unit" in message


def test_thousands_of_wrong_rows_are_one_problem(tmp_path):
    message = refused(tmp_path, "x,y,type\n" + "a,0,tumor\n" * 5000, "pixel: 1 um")
    assert message.count("5,000 cells have no x: x is 'a' (5,000 rows), first in line 2") == 1
    assert len(message) < 400


def test_several_problems_are_told_together(tmp_path):
    message = refused(tmp_path, grid(10, names=("q",)), "pixel: 9 um")
    assert "2 problems" in message and "1 name is unknown: q (36 rows)" in message and "90 um away" in message


def test_odd_data_are_taken_when_asked(tmp_path):
    assert len(slide(tmp_path, grid(2), "pixel: 1 um, trust: true").placements[0].rows) == 36
    once = slide(tmp_path, grid(10) + "0,0,tumor\n", "pixel: 1 um")
    assert "1 cells lie exactly where another one does; they are pushed apart" in said(once)
    edge = slide(tmp_path, grid(10, 4), "pixel: 1 um, origin: [120 um, 20 um], clip: true")
    assert "they are moved to its edge" in said(edge) and min(x for _, x, _ in rows(edge)) == -100.0


def test_files_that_are_not_there_or_are_nothing_known(tmp_path):
    slide(tmp_path, SMALL)
    for name, wrong in (("nowhere.csv", "Here lie: slide.csv"), ("slide.docx", "expected CSV, TSV")):
        (tmp_path / "slide.docx").write_text("")
        with pytest.raises(ModelError, match="no such file|cannot be told") as error:
            Model.from_text(TEXT % (name, "pixel: 1 um"), folder=tmp_path)
        assert wrong in str(error.value)


def test_a_model_without_types_says_so(tmp_path):
    (tmp_path / "slide.csv").write_text(SMALL)
    text = (
        "domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}\ninitial: [{slide: slide.csv, pixel: 1 um}]"
    )
    with pytest.raises(ModelError, match="the model has no cell types"):
        Model.from_text(text, folder=tmp_path)


def test_real_cells_are_as_many_and_as_far_apart_as_in_the_file(tmp_path):
    import pandas as pd
    from scipy.spatial import cKDTree

    words = "pixel: 0.65 um, columns: {nucleus: Area}, types: {ECAD+: tumor, Immune: T cell}"
    text = (TEXT % (DATA.name, words)).replace("100 um", "260 um")
    model = Model.from_text(text, folder=DATA.parent)
    table = pd.read_csv(DATA)
    place = np.array([row[1:3] for row in model.placements[0].rows])
    given = table[["X_centroid", "Y_centroid"]].to_numpy() * 0.65
    apart = [np.median(cKDTree(p).query(p, k=2)[0][:, 1]) for p in (place, given)]
    assert apart[0] == pytest.approx(apart[1]) and 8.2 < apart[1] < 8.4
    assert np.ptp(place, axis=0) == pytest.approx(np.ptp(given, axis=0))
    kinds = [row[0] for row in model.placements[0].rows]
    assert (kinds.count("tumor"), kinds.count("T cell"), kinds.count("other")) == (434, 395, 557)
