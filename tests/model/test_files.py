"""Model files: encodings, YAML with places, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncarium.errors import ModelError
from oncarium.model import files
from oncarium.model.library import on_shelf
from oncarium.model.model import Model

TEXT = "a: 1\nb:\n  - x: 2 um\n  - [3, 4]\n"


@pytest.mark.parametrize(
    "data",
    [TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.replace("\n", "\r\n").encode(), TEXT.encode("utf-16")],
    ids=["utf-8", "byte-order mark", "windows lines", "utf-16"],
)
def test_encodings_give_the_same_tree(data):
    assert files.parse(files.decode(data, "m"), "m").tree == {"a": "1", "b": [{"x": "2 um"}, ["3", "4"]]}


def test_every_value_knows_its_line():
    document = files.parse(TEXT, "m.yaml")
    assert document.where("b.0.x") == "m.yaml:3"
    assert document.where("b.0.x.unknown") == "m.yaml:3"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"a: \xe4", "byte 3"),
        (b"a: \0", "NUL"),
        (b"[1, 2]", "not a model"),
        (b"a: [1, 2", "not valid YAML"),
        (b"[" * 20_000, "nested"),
        (b"a: " + b"[" * 100 + b"]" * 100, "levels"),
        (
            b"x: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + b"".join(
                b"y%d: &b%d [%s]\n" % (i, i, b",".join([b"*a" if i == 0 else b"*b%d" % (i - 1)] * 10)) for i in range(7)
            ),
            "values",
        ),
    ],
    ids=["empty", "latin-1", "nul", "list", "truncated", "brackets", "deep", "bomb"],
)
def test_damaged_files_are_refused_in_one_sentence(data, said):
    with pytest.raises(ModelError, match=said):
        files.parse(files.decode(data, "m.yaml"), "m.yaml")


def test_a_name_that_stands_twice_is_reported_with_both_lines():
    document = files.parse("a: 1\nb: 2\na: 3\n", "m.yaml")
    assert "m.yaml:3" in str(document.problems[0]) and "line 1" in str(document.problems[0])


def test_included_values_come_second(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("until: 1 day\nseed: 3\n")
    (tmp_path / "m.yaml").write_text("include: base.yaml\nseed: 4\n")
    document = files.read(tmp_path / "m.yaml")
    assert document.tree == {"until": "1 day", "seed": "4"}
    assert document.where("until").endswith("base.yaml:1")


def test_what_the_library_holds_is_included_by_name(tmp_path: Path):
    (tmp_path / "m.yaml").write_text("include: [human, inflamed]\nseed: 4\n")
    model = Model.load(tmp_path / "m.yaml")
    plain = Model.load("inflamed")
    assert (model.seed, model.name) == (4, "") and model.placements == plain.placements
    assert model.numbers["cells.carcinoma.drive.oncogene"].value < plain.numbers["cells.carcinoma.drive.oncogene"].value
    (tmp_path / "half_millimeter").mkdir()  # what lies beside the file comes first
    (tmp_path / "m.yaml").write_text("include: half_millimeter\n")
    with pytest.raises(ModelError, match="is a folder"):
        Model.load(tmp_path / "m.yaml")
    (tmp_path / "m.yaml").write_text("include: humn\n")
    with pytest.raises(ModelError, match="no such file"):
        Model.load(tmp_path / "m.yaml")


@pytest.mark.parametrize("name", on_shelf("scenarios"))
def test_scenarios_load_without_a_word(name):
    model = Model.load(name)
    assert model.problems == [] and model.name == name and model.title and model.document.tree["description"]


def test_files_that_include_each_other_are_refused(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("include: b.yaml\n")
    (tmp_path / "b.yaml").write_text("include: a.yaml\n")
    with pytest.raises(ModelError, match=r"a\.yaml > b\.yaml > a\.yaml"):
        files.read(tmp_path / "a.yaml")


def test_the_library_is_parsed_once_and_nobody_changes_what_was_kept(monkeypatch):
    model = Model.load("reference")
    parsed = []
    monkeypatch.setattr(files, "parse", lambda text, name, parse=files.parse: parsed.append(name) or parse(text, name))
    assert Model.load("reference") == model and parsed == []
    document, again = (files.read(files.SHELF / "reference.yaml") for _ in range(2))
    wanted = again.copy()
    document.tree["factors"].clear()
    document.tree["initial"].append("x")
    document.places.clear()
    document.problems.append("x")
    assert again == wanted == files.read(files.SHELF / "reference.yaml")


def test_files_of_the_user_are_read_anew(tmp_path: Path):
    path = tmp_path / "m.yaml"
    for seed in "34":
        path.write_text(f"include: reference\nseed: {seed}\n")
        assert Model.load(path).seed == int(seed)


def test_values_of_the_library_keep_their_lines():
    def line(file: str, key: str) -> int:
        return 1 + next(
            i for i, said in enumerate((files.LIBRARY / file).read_text().splitlines()) if said.startswith(f"{key}:")
        )

    for model in (Model.load("reference"), Model.load("reference").with_({"until": "1 day"})):
        assert (
            model.document.where("factors.oxygen.diffusion")
            == f"library/factors/oxygen.yaml:{line('factors/oxygen.yaml', 'diffusion')}"
        )
        assert model.document.where("seed") == f"reference.yaml:{line('scenarios/reference.yaml', 'seed')}"


WORD = st.text(alphabet="abcXYZ019 .,:#'\"-[]{}&*!%@µ\\/", min_size=1, max_size=12).map(str.strip).filter(bool)
TREE = st.dictionaries(
    WORD.filter(lambda w: w != "include"),
    st.recursive(
        WORD | st.none() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(TREE)
def test_what_is_written_reads_back_the_same(tree):
    assert files.parse(files.emit(tree), "m").tree == tree
