"""Figures: every cell and number of the result is in them, with units, scale bars and legends."""

import inspect
import os

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

import oncarium as oc
from oncarium.analysis import plot
from oncarium.analysis.scales import range_of, time_axis
from oncarium.errors import InputError
from oncarium.model.model import Model
from oncarium.run.recorder import Recorder
from oncarium.run.simulation import Simulation

MODEL = """
oncarium: 1
title: A figure
domain: {x: [-200 um, 200 um], y: [-100 um, 100 um], Z voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  signal: {unit: nM, diffusion: 1e3 um^2/min, decay: 0.1 1/min}
cells:
  tumor: {cycle: {model: CYCLE, exit: EXIT}, secretion: {uptake: {oxygen: 10 1/min}}}
  cd8: {}
initial:
  - {cells: tumor, disc: {radius: 80 um}, count: TUMOR}
  - {cells: cd8, disc: {radius: 80 um}, count: CD8}
"""
CURVES = (plot.growth, plot.composition, plot.deaths, plot.phases, plot.factors)


def model_of(tumor=40, cd8=9, z="", cycle="live"):
    text = MODEL.replace("Z ", z).replace("TUMOR", str(tumor)).replace("CD8", str(cd8)).replace("CYCLE", cycle)
    text = text.replace("EXIT", "0.002 1/min" if cycle == "live" else "{G0G1: 0.01 1/min}")
    return Model.from_text(text)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Ten hours; some cells dead on purpose."""
    simulation = Simulation(model_of(), seed=1)
    recorder = Recorder(
        tmp_path_factory.mktemp("plot") / "run.zarr", simulation, cells_every=60, fields_every=60, checkpoint_every=1e4
    )
    recorder.see(simulation)
    simulation.run("1 h", see=recorder.see)
    simulation.tissue.cells["vital"][:6] = [1, 1, 2, 2, 2, 3]
    simulation.run("10 h", see=recorder.see)
    recorder.close(simulation)
    return oc.open(recorder.path)


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return oc.run(model_of(z="z: [-100 um, 100 um], "), "1 h", 1, out=tmp_path_factory.mktemp("space"))


@pytest.fixture(autouse=True)
def closing():
    yield
    plt.close("all")


def circles(ax):
    """Number, centers and widths of the cells drawn, in data units."""
    drawn = [c for c in ax.collections if isinstance(c, EllipseCollection)]
    assert all(c._units == "xy" for c in drawn)
    centers = np.concatenate([c.get_offsets() for c in drawn]) if drawn else np.empty((0, 2))
    return centers, np.concatenate([c.get_widths() for c in drawn]) if drawn else np.empty(0)


def labels(ax):
    legend = ax.get_legend()
    return [t.get_text() for t in legend.get_texts()] if legend else []


def has_scale_bar(ax):
    said = [t.get_text() for t in ax.texts if t.get_text().endswith(" µm")]
    bars = [p.get_width() for p in ax.patches]
    return len(said) == 1 and float(said[0].split()[0]) in bars


@pytest.mark.parametrize("t", [0, "5 h", None])
def test_every_cell_is_drawn_at_its_place_and_size(result, t):
    ax = plot.tissue(result, t)
    centers, widths = circles(ax)
    table = result.cells(t)
    drawn = np.array(sorted(zip(*centers.T, widths)))
    wanted = np.array(sorted(zip(table["x"], table["y"], 2.0 * table["radius"])))
    np.testing.assert_allclose(drawn, wanted, rtol=1e-6)
    assert ax.get_aspect() == 1.0 and ax.get_xlim() == (-200.0, 200.0) and ax.get_ylim() == (-100.0, 100.0)
    assert has_scale_bar(ax)
    assert ax.get_title(loc="left") == oc.units.say_time(table.attrs["time"])


def test_the_legend_counts_every_kind_of_cell(result):
    said = labels(plot.tissue(result, "5 h"))
    table = result.cells("5 h")
    live = table[table["vital"] == 0]["type"].value_counts()
    assert (table["vital"] > 1).sum() == 4 and (table["vital"] == 1).sum() >= 2
    assert set(said) == {
        "necrotic (4)",
        f"apoptotic ({(table['vital'] == 1).sum()})",
        f"tumor ({live['tumor']})",
        f"cd8 ({live['cd8']})",
    }
    assert labels(plot.tissue(result, "5 h", legend=False)) == []


def test_of_space_the_middle_plane_is_drawn_at_the_size_of_the_cut(space):
    ax = plot.tissue(space, 0)
    table = space.cells(0).query("abs(z) < radius")
    centers, widths = circles(ax)
    assert 0 < len(centers) == len(table) < 49
    np.testing.assert_allclose(
        sorted(widths), np.sort(2.0 * np.sqrt(table["radius"].astype(float) ** 2 - table["z"] ** 2)), rtol=1e-6
    )
    assert ax.get_title(loc="left") == "0 min, middle plane (z = 0 µm)" and has_scale_bar(ax)


@pytest.mark.parametrize("name, unit", [("oxygen", "mmHg"), ("signal", "nM")])
def test_a_field_is_drawn_voxel_by_voxel_with_its_unit(result, space, name, unit):
    for seen in (result, space):
        ax = plot.field(seen, name)
        image = ax.images[0]
        data = seen.fields[name].isel(time=-1)
        assert np.array_equal(image.get_array(), data.isel(z=data.sizes["z"] // 2))
        assert image.get_extent() == [-200.0, 200.0, -100.0, 100.0] and image.origin == "lower"
        assert [a.get_ylabel() for a in ax.child_axes] == [f"{name} ({unit})"]
        assert has_scale_bar(ax) and name in ax.get_title(loc="left")
        assert ("middle plane" in ax.get_title(loc="left")) == (seen is space)
    assert plot.field(result, "oxygen", limits=(0.0, 40.0)).images[0].get_clim() == (0.0, 40.0)


def test_the_time_of_a_field_is_that_of_its_frame(result):
    ax = plot.field(result, "oxygen", "4 h")
    assert np.array_equal(
        ax.images[0].get_array(), result.fields["oxygen"].sel(time=240.0, z=0.0)
    ) and "4 h" in ax.get_title(loc="left")


@pytest.mark.parametrize("draw", CURVES)
def test_curves_have_labels_with_units_and_a_legend(result, draw):
    ax = draw(result)
    assert ax.get_xlabel() == "time (hours)" and ax.get_ylabel() and ax.get_title(loc="left")
    assert labels(ax)


def test_growth_is_the_number_of_live_cells(result):
    ax = plot.growth(result)
    assert labels(ax) == ["tumor", "cd8"]
    for line, name in zip(ax.lines, result.types):
        assert np.array_equal(line.get_xdata(), result.times / 60.0) and np.array_equal(
            line.get_ydata(), result.summary[f"live.{name}"]
        )


def test_shares_add_up_to_one(result):
    tops = [c.get_paths()[0].vertices[:, 1].max() for c in plot.composition(result).collections]
    assert tops[-1] == pytest.approx(1.0)


def test_deaths_are_shares_of_their_type(result):
    ax = plot.deaths(result)
    assert labels(ax)[:2] == ["tumor, apoptotic", "tumor, necrotic"]
    s = result.summary
    total = s["live.tumor"] + s["apoptotic.tumor"] + s["necrotic.tumor"]
    assert np.allclose(ax.lines[1].get_ydata(), s["necrotic.tumor"] / total) and ax.lines[1].get_ydata().max() > 0.05


def test_a_cycle_of_one_phase_shows_its_divisions_per_cell_and_day(result):
    ax = plot.phases(result)
    assert ax.get_ylabel() == "divisions per live cell and day"
    area = np.trapezoid(ax.lines[0].get_ydata() * result.summary["live.tumor"], result.times / 1440.0)
    assert area == pytest.approx(result.summary["events.division"].iloc[-1], rel=0.1)


def test_a_cycle_of_several_phases_shows_their_shares(tmp_path):
    seen = oc.run(model_of(cycle="flow_cytometry"), "5 h", 1, out=tmp_path)
    ax = plot.phases(seen)
    assert labels(ax) == ["tumor, G0G1", "tumor, S", "tumor, G2M"] and ax.get_ylabel() == "share of live cells"
    np.testing.assert_allclose(np.sum([line.get_ydata() for line in ax.lines], axis=0), 1.0)


def test_factors_say_what_their_one_is(result):
    ax = plot.factors(result)
    top = result.summary["mean.oxygen"].max()
    assert labels(ax)[0] == f"oxygen (1 = {top:.3g} mmHg)"
    assert ax.lines[0].get_ydata().max() == 1.0


@pytest.mark.parametrize("until, unit, size", [("2 h", "min", 1.0), ("10 h", "hours", 60.0), ("3 day", "days", 1440.0)])
def test_the_axis_of_time_has_the_unit_of_the_span(until, unit, size):
    ax = plt.subplots()[1]
    minutes = np.linspace(0.0, oc.units.to_minutes(until), 5)
    assert np.array_equal(time_axis(ax, minutes), minutes / size) and ax.get_xlabel() == f"time ({unit})"


@pytest.mark.parametrize("tumor, cd8", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("z", ["", "z: [-100 um, 100 um], "], ids=["2-D", "3-D"])
def test_nothing_and_one_cell_can_be_drawn(tmp_path, tumor, cd8, z):
    seen = oc.run(model_of(tumor, cd8, z), 0, 1, out=tmp_path)
    ax = plot.tissue(seen)
    near = 1 if not z else int((np.abs(seen.cells()["z"]) < seen.cells()["radius"]).sum())
    assert len(circles(ax)[0]) == min(tumor + cd8, near) and has_scale_bar(ax)
    assert plot.field(seen, "oxygen").images[0].get_array().shape == (10, 20)
    for draw in CURVES:
        assert draw(seen).get_xlabel() == "time (min)"
    drawn = plot.overview(seen)
    assert isinstance(drawn, Figure)
    assert [ax.axison for ax in drawn.axes[:3]] == [True, False, False], "the one frame there is, once"


def test_every_function_draws_into_the_axes_it_is_given(result):
    others = {
        plot.scene,
        plot.network,
        plot.vessels,
        plot.perfusion,
        plot.dose_response,
        plot.enrichment,
        plot.cooccurrence,
        plot.infiltration,
    }
    drawing = [
        f
        for f in map(vars(plot).get, plot.__all__)
        if inspect.isfunction(f) and "ax" in inspect.signature(f).parameters
    ]
    own = ("trial_plots", "trial_curves", "plasma")  # whose figures take something else, and have tests of their own
    drawing = [f for f in drawing if f not in others and not f.__module__.endswith(own)]
    table = pd.DataFrame({"a": [1.0, 1.0, 2.0, 2.0], "b": ["u", "v", "u", "v"], "live": [4.0, 5.0, 2.0, 3.0]})
    given = {
        plot.field: (result, "oxygen"),
        plot.over_time: (result, "live.tumor"),
        plot.response: (table, "a", "live"),
        plot.heat_map: (table, "a", "b", "live"),
    }
    assert set(drawing) == {plot.tissue, *CURVES, *given}
    for draw in drawing:
        figure, ax = plt.subplots()
        assert draw(*given.get(draw, (result,)), ax=ax) is ax
        assert figure.axes[0] is ax


def test_the_overview_has_tissue_fields_and_curves(result):
    figure = plot.overview(result)
    drawn = [ax for ax in figure.axes if ax.axison]
    assert sum(bool(len(circles(ax)[0])) for ax in drawn) == 3 and sum(bool(ax.images) for ax in drawn) == 2
    assert "A figure, seed 1" in figure.get_suptitle()


def test_types_keep_their_color_and_colors_differ(result):
    assert plot.color_of(result, "tumor") != plot.color_of(result, "cd8")
    assert len(set(plot.PALETTE)) == len(plot.PALETTE)
    assert {plot.growth(result).lines[k].get_color() for k in range(2)} == {
        plot.color_of(result, t) for t in result.types
    }


@pytest.mark.parametrize(
    "call",
    [lambda r: plot.field(r, "oxgen"), lambda r: plot.tissue(r, "9 day"), lambda r: plot.field(r, "oxygen", "9 day")],
)
def test_what_is_not_there_is_not_drawn(result, call):
    with pytest.raises(InputError):
        call(result)


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_figures_are_saved_and_closed(result, tmp_path, kind):
    before = len(plt.get_fignums())
    path = plot.save(plot.tissue(result), tmp_path / "new" / f"tissue.{kind}")
    assert os.path.getsize(path) > 5000 and len(plt.get_fignums()) == before


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Nine types, the last without a cell, and eight factors."""
    factors = "".join(f"  f{k}: {{unit: nM, diffusion: 1e3 um^2/min, decay: 0.1 1/min}}\n" for k in range(8))
    cells = "".join(f"  t{k}: {{secretion: {{rate: {{f{k % 8}: 10 molecules/min}}}}}}\n" for k in range(9))
    placed = "".join(f"  - {{cells: t{k}, disc: {{radius: 90 um}}, count: {k + 2}}}\n" for k in range(8))
    domain = "domain: {x: [-200 um, 200 um], y: [-100 um, 100 um], voxel: 20 um}"
    text = f"oncarium: 1\ntitle: A crowd\n{domain}\nfactors:\n{factors}cells:\n{cells}initial:\n{placed}"
    return oc.run(Model.from_text(text), "1 h", 1, out=tmp_path_factory.mktemp("crowd"))


def test_many_types_are_told_apart(crowd):
    assert len({plot.color_of(crowd, t) for t in crowd.types}) == 9 and len(plot.PALETTE) >= 12
    ax = plot.growth(crowd)
    assert labels(ax) == [f"t{k}" for k in range(8)] and ax.get_yscale() == "symlog"  # nobody of t8 was ever there
    assert ax.get_legend().get_bbox_to_anchor().x0 > ax.bbox.x1 * 0.99  # beside the curves, not over them
    assert labels(plot.composition(crowd)) == labels(ax) and labels(plot.deaths(crowd)) == []
    assert isinstance(plot.overview(crowd), Figure)


def test_many_factors_are_small_maps_and_bands(crowd):
    figure = plot.fields(crowd)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(crowd.factors)
    for ax, name in zip(figure.axes, crowd.factors):
        data = crowd.fields[name].isel(time=-1, z=0)
        assert np.array_equal(ax.images[0].get_array(), data)
        low, high, note = range_of(data.values)
        assert ax.get_xlabel() == f"{low:.2g} to {high:.2g} nM" + (f"\n{note}" if note else "")
    ax = plot.factors(crowd)
    assert ax.images[0].get_array().shape == (8, len(crowd.times)) and ax.images[0].get_array().max() == 1.0
    assert ax.get_yticklabels()[0].get_text() == f"f0 ({crowd.summary['mean.f0'].max():.3g} nM)"


def test_a_report_of_many_factors_shows_them_once(crowd, tmp_path):
    oc.report(crowd, tmp_path)
    names = {p.name for p in (tmp_path / "figures").iterdir()}
    assert "fields.png" in names and not any(n.startswith("field_") for n in names)
