"""A notebook with a real kernel: every figure shows once, the user's own plots and backend are left alone."""

import nbformat
import pytest
from nbclient import NotebookClient

import oncarium as oc
from oncarium.model.model import EXAMPLE, Model

CELLS = [
    "import matplotlib.pyplot as plt\nimport oncarium as oc\nresult = oc.open('run')\nbackend = plt.get_backend()",
    "oc.plot.growth(result)\noc.plot.tissue(result)\noc.plot.deaths(result)",
    "oc.plot.growth(result)\noc.plot.fields(result)",
    "ours = oc.plot.growth(result)\nbefore = len(ours.lines)\nplt.plot([1, 2], [3, 4])\n"
    "print(len(ours.lines) == before, plt.gca() is ours)",
    "figure, mine = plt.subplots()\noc.plot.growth(result, mine)\nprint(plt.gca() is mine)",
    "oc.plot.save(oc.plot.growth(result), 'growth.png')\nreport = oc.report(result)\n"
    "oc.movie(result, 'growth.gif', frames=2)",
    "print(plt.get_backend() == backend, plt.get_fignums(),"
    " plt.rcParams['font.size'] == plt.rcParamsDefault['font.size'])",
    "result.fields['oxygen']",
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    oc.run(Model.from_text(EXAMPLE).with_({"record.cells": "30 min"}), "1 h", seed=1, out=folder / "run")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in book.cells]


def pictures(outputs):
    return sum("image/png" in o.get("data", {}) for o in outputs)


def said(outputs):
    return "".join(o.get("text", "") for o in outputs).split()


def test_every_figure_of_a_cell_shows_once(outputs):
    assert pictures(outputs[1]) == 3
    assert pictures(outputs[2]) == 2  # the last one is also the cell's value


def test_the_users_own_plot_is_not_drawn_into_ours(outputs):
    assert said(outputs[3]) == ["True", "False"] and pictures(outputs[3]) == 2


def test_we_draw_into_the_users_axes_where_asked(outputs):
    assert said(outputs[4]) == ["True"] and pictures(outputs[4]) == 1


def test_what_is_saved_does_not_show(outputs):
    assert pictures(outputs[5]) == 0


def test_backend_and_style_stay_the_users(outputs):
    assert said(outputs[6]) == ["True", "[]", "True"]


def test_a_field_displays_itself(outputs):
    assert "oxygen" in outputs[7][0]["data"]["text/html"]
