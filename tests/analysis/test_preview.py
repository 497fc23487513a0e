"""A look before anything runs, a page of data and start, and the commands for slides."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import oncarium as oc

DATA = Path(__file__).parent.parent / "data" / "scimap" / "exemplar_001.csv"
WORDS = ("--pixel", "0.65um", "--columns", "nucleus=Area", "--types", "ECAD+=tumor,Immune=cd8")


def oncarium(*words, cwd):
    done = subprocess.run([sys.executable, "-m", "oncarium", *map(str, words)], cwd=cwd, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


def test_a_slide_is_drawn_and_told_without_a_model(tmp_path):
    seen = oc.preview(DATA, pixel="0.65 um", columns={"nucleus": "Area"})
    text = str(seen)
    for said in ("1,386 cells", "0.65 um per pixel, y down", "499 x 500 um", "8.27 um away", "ECAD+", "434   31 %"):
        assert said in text
    assert "to be said" not in text and seen.save(tmp_path / "a.png").stat().st_size > 20_000
    assert seen.figure().get_legend().get_texts()[0].get_text() == "ECAD+ (434)"


def test_what_a_model_would_ask_is_told_and_the_cells_are_drawn_all_the_same():
    seen = oc.preview(DATA)
    assert seen.unit == "px" and "pixel size unknown" in seen.figure().get_title(loc="left")
    assert "the size of a pixel is not said" in str(seen).partition("to be said:")[2]
    small = oc.preview(DATA, pixel="0.05 um")
    assert small.unit == "um" and "With a pixel of about 0.8 um they would be usual cells" in str(small)


def test_what_cannot_be_drawn_is_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(oc.ModelError, match="which column is x and y is not said"):
        oc.preview(tmp_path / "a.csv")
    with pytest.raises(oc.ModelError, match="no such file"):
        oc.preview(tmp_path / "b.csv")
    with pytest.raises(oc.ModelError, match="'pixl' is no word of a slide here. Did you mean 'pixel'"):
        oc.preview(DATA, pixl="1 um")


def test_a_hundred_names_fit_a_legend(tmp_path):
    rows = [f"{10 * (k % 20)},{10 * (k // 20)},type {k % 100}" for k in range(400)]
    (tmp_path / "a.csv").write_text("x_um,y_um,type\n" + "\n".join(rows))
    legend = [t.get_text() for t in oc.preview(tmp_path / "a.csv").figure().get_legend().get_texts()]
    assert len(legend) == 12 and legend[-1] == "89 more (356)"


def test_from_a_slide_to_a_run_on_the_command_line(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "slide.csv").write_bytes(DATA.read_bytes())
    done = oncarium("import", "slide", "data/slide.csv", *WORDS, "-o", "models/model.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for said in ("434   31 %  -> tumor", "-> other", "5,555 cells/mm^2", "of those that touch overlap"):
        assert said in done.stdout
    text = (tmp_path / "models" / "model.yaml").read_text()
    assert "slide: ../data/slide.csv" in text and "y: down" in text and "x: X_centroid" in text
    assert "look:" not in text, "what to look at in the scenario need not be here"
    model = oc.load(tmp_path / "models" / "model.yaml")
    assert model.cells_at_start == 1386 and model.domain.lower[:2] == (-280.0, -280.0)
    again = oncarium("import", "slide", "data/slide.csv", *WORDS, "-o", "models/model.yaml", cwd=tmp_path)
    assert again.returncode == 2 and "this file exists" in again.stderr
    seen = oncarium("preview", "models/model.yaml", "-o", "start.html", cwd=tmp_path)
    assert seen.returncode == 0, seen.stderr
    page = (tmp_path / "start.html").read_text()
    assert page.count("<img ") == 2 and "Cells moved by" in page and "<td>434<td>434" in page
    # shares of neighbors of each kind sum to 1, in the data and at the start
    mixing = re.findall(r"([\d.]+) / ([\d.]+)", page.partition("Neighborhoods")[2])
    assert len(mixing) == 9 and sum(float(a) for a, _ in mixing) == pytest.approx(3.0, abs=0.05)


def test_a_run_of_a_slide_leaves_data_and_start_beside_its_report(tmp_path):
    (tmp_path / "slide.csv").write_bytes(DATA.read_bytes())
    crop = ("--crop", "x=1000..1150,y=1400..1550")
    assert oncarium("import", "slide", "slide.csv", *WORDS, *crop, cwd=tmp_path).returncode == 0
    done = oncarium("run", "model.yaml", "--until", "6 min", "--out", "r", "--quiet", cwd=tmp_path)
    assert done.returncode == 0 and "start    r/start.html" in done.stdout, done.stderr
    assert "<a href='start.html'>" in (tmp_path / "r" / "report.html").read_text()
    page = (tmp_path / "r" / "start.html").read_text()
    cells = oc.open(tmp_path / "r").cells(0)
    count = {t: int((cells["type"] == t).sum()) for t in ("tumor", "cd8", "other")}
    assert page.count("<img ") == 2 and all(f"<td>{t}<td>{n}<td>{n}" in page for t, n in count.items())
    other = ("run", "hypoxic_tumor", "--until", "0 min", "--out", "r", "--quiet", "--overwrite")
    done = oncarium(*other, cwd=tmp_path)  # another run in its place: no page of what is gone
    assert done.returncode == 0 and "start " not in done.stdout.replace("at start ", ""), done.stdout
    assert not (tmp_path / "r" / "start.html").exists()
    assert "start.html" not in (tmp_path / "r" / "report.html").read_text()


def test_commands_refuse_what_makes_no_sense(tmp_path):
    for words, said in (
        (("preview", DATA, "--pixel", "0.65"), "--pixel"),
        (("preview", DATA, "--columns", "X_centroid"), "'X_centroid' is no pair; expected NAME=VALUE"),
        (("preview", "hypoxic_tumor", "--pixel", "1um"), "a model says itself what its slide is"),
        (("preview", "no_such.csv"), "no such file"),
        (("import", "slide", DATA, "--pixel", "6.5um", "--types", "ECAD+=tumor"), "With a pixel of about 0.8 um"),
        (("import", "slide", DATA, *WORDS, "--like", "hypoxic"), "neither a file nor a scenario"),
        (("import", "slide", DATA, *WORDS, "--margin", "wide"), "--margin wide"),
        (("import", "slide", DATA, *WORDS, "--like", "spheroid", "--others", "refuse"), "cd8"),
        (("import", "morpheus", DATA), "morpheus"),
    ):
        done = oncarium(*words, cwd=tmp_path)
        assert done.returncode == 2 and said in done.stderr, (words, done.stderr)
    assert not (tmp_path / "model.yaml").exists()


def test_a_page_needs_a_model_with_data(tmp_path):
    with pytest.raises(oc.InputError, match="a page needs a model"):
        oc.preview(DATA, pixel="0.65 um").save(tmp_path / "a.html")
    with pytest.raises(oc.InputError, match="no cell of this model comes from a slide or a table"):
        oc.preview(oc.Model.from_text(oc.EXAMPLE)).save(tmp_path / "a.html")
