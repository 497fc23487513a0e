"""Concentrations at the start: CSV with and without header, MATLAB files, and what is refused."""

import struct

import numpy as np
import pytest

from oncarium.errors import ModelError
from oncarium.model.concentrations import read_concentrations
from oncarium.model.environment import Domain

DOMAIN = Domain((0.0, 0.0, -5.0), (10.0, 10.0, 10.0), (3, 2, 1))
ROWS = [(x, y, 0.0, x + 10 * y, x * y) for y in (5.0, 15.0) for x in (5.0, 15.0, 25.0)]
EXPECTED = np.array([[[55.0, 65.0, 75.0], [155.0, 165.0, 175.0]]])


def lines(rows, header="x,y,z,a,b"):
    return "\n".join([header, *(",".join(str(v) for v in r) for r in rows)]).strip() + "\n"


def csv(folder, text):
    path = folder / "start.csv"
    path.write_text(text)
    return read_concentrations(path, ["a", "b"], DOMAIN, "start.csv")


def mat(folder, matrix, letters=b"m", kind=0):
    path = folder / "start.mat"
    rows, columns = matrix.shape
    path.write_bytes(
        struct.pack("<5I", kind, rows, columns, 0, len(letters))
        + letters
        + np.asfortranarray(matrix).tobytes(order="F")
    )
    return read_concentrations(path, ["a", "b"], DOMAIN, "start.mat")


def test_csv_with_a_header_in_any_order_of_rows(tmp_path):
    fields, digest = csv(tmp_path, lines(ROWS[::-1]))
    assert np.array_equal(fields["a"], EXPECTED) and len(digest) == 64


def test_a_header_may_name_some_substrates_in_any_order(tmp_path):
    fields, _ = csv(tmp_path, lines([(x, y, z, b) for x, y, z, _, b in ROWS], "x,y,z,b"))
    assert list(fields) == ["b"] and fields["b"][0, 1, 2] == 375.0


def test_without_a_header_columns_are_the_substrates(tmp_path):
    fields, _ = csv(tmp_path, lines(ROWS).split("\n", 1)[1])
    assert np.array_equal(fields["a"], EXPECTED)


def test_matlab_files_of_version_4(tmp_path):
    for letters in (b"x", b"x\0", b"density"):
        fields, _ = mat(tmp_path, np.array(ROWS), letters)
        assert np.array_equal(fields["a"], EXPECTED)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table is empty"),
        (lines(ROWS[:-1]), "1 of 6 voxels are missing, the first at (25, 15, 0)"),
        (lines([*ROWS, ROWS[0]]), "this voxel stands twice, here and in line 2"),
        (lines([*ROWS, (99.0, 5.0, 0.0, 1.0, 1.0)]), "(99, 5, 0) lies outside the domain"),
        (lines(ROWS).replace(",55.0", ",-1"), "a concentration of -1; expected at least 0"),
        (lines(ROWS).replace(",55.0", ",nan"), "start.csv:2\n  a is 'nan'. Expected a finite number"),
        (lines(ROWS).replace(",55.0", ",1,5"), "6 values; expected 5"),
        (lines(ROWS, "x,y,z,a,c"), "no substrate is called 'c'"),
        (lines(ROWS, "y,x,z,a,b"), "expected x, y, z and names of substrates"),
        (lines(ROWS).replace(",", ";"), "separated by semicolons"),
    ],
)
def test_tables_that_are_wrong(tmp_path, text, said):
    with pytest.raises(ModelError) as error:
        csv(tmp_path, text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda f: mat(f, np.array(ROWS)[:, :4]), "4 columns; expected 5: x, y, z, a, b"),
        (lambda f: mat(f, np.array(ROWS), kind=10), "no MATLAB file of version 4 with one real matrix of doubles"),
        (lambda f: mat(f, np.where(np.array(ROWS) == 55.0, np.nan, ROWS)), "row 1 holds a number that is not finite"),
    ],
)
def test_matlab_files_that_are_wrong(tmp_path, make, said):
    with pytest.raises(ModelError) as error:
        make(tmp_path)
    assert said in str(error.value)


HUGE, SHORT = struct.pack("<5I", 0, 2**31, 2**31, 0, 1) + b"x", struct.pack("<5I", 0, 6, 5, 0, 1) + b"x" * 9


@pytest.mark.parametrize("data", [b"", b"MATLAB 5.0 MAT-file, Platform", HUGE, SHORT])
def test_bytes_that_are_no_matrix(tmp_path, data):
    (tmp_path / "start.mat").write_bytes(data)
    with pytest.raises(ModelError) as error:
        read_concentrations(tmp_path / "start.mat", ["a", "b"], DOMAIN)
    assert "MATLAB" in str(error.value) or "does not fit" in str(error.value)
