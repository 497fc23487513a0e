"""Domain, time, output, substrates, cells and files of a settings XML."""

import os

import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

from .world import CELLS, OVERALL, OXYGEN, WITH_CELLS, cell, read, refused, settings, told, with_rules, write


def test_domain_of_a_slab_and_of_a_box(tmp_path):
    slab = read(tmp_path / "2", settings())
    assert slab.domain.shape == (10, 6, 1) and slab.domain.lower == (-100.0, -60.0, -10.0) and slab.domain.is_2d
    box = read(
        tmp_path / "3",
        settings()
        .replace("<use_2D>true", "<use_2D>false")
        .replace("<z_min>-10<", "<z_min>-50<")
        .replace("<z_max>10<", "<z_max>50<"),
    )
    assert box.domain.shape == (10, 6, 5) and box.domain.upper == (100.0, 60.0, 50.0)


def test_what_the_format_does_to_a_2d_domain_is_said(tmp_path):
    model = read(tmp_path, settings().replace("<z_min>-10<", "<z_min>-500<"))
    assert model.domain.lower[2] == -10.0 and "one layer of 20 um around z = 0" in told(model)


def test_our_steps_by_default_and_the_files_on_demand(tmp_path):
    ours, theirs = read(tmp_path, settings()), read(tmp_path, settings(), numerics="physicell")
    assert (ours.clock.transport, ours.clock.mechanics, ours.clock.phenotype) == (3.0, 3.0, 6.0)
    assert (theirs.clock.transport, theirs.clock.mechanics, theirs.clock.phenotype) == (0.01, 0.1, 6.0)
    assert (ours.numerics, theirs.numerics) == ("oncarium", "physicell")
    assert {f.solver for f in ours.factors} == {"auto"} and {f.solver for f in theirs.factors} == {"lod"}
    assert "PhysiCell's own steps of 0.01, 0.1 and 6 min" in told(ours) and "own steps" not in told(theirs)


@pytest.mark.parametrize(
    ("phenotype", "interval", "tick"), [("6", "60", 3.0), ("0.5", "60", 0.5), ("7.5", "30", 2.5), ("6", "0.5", 0.5)]
)
def test_our_tick_divides_the_phenotype_step_and_what_is_saved(tmp_path, phenotype, interval, tick):
    text = settings(overall=OVERALL.replace("<dt_phenotype>6", f"<dt_phenotype>{phenotype}")).replace(
        '"min">30<', f'"min">{interval}<'
    )
    if phenotype in ("0.5", "7.5"):
        text = text.replace("<dt_mechanics>0.1", "<dt_mechanics>0.1")
    model = read(tmp_path, text)
    assert model.clock.transport == tick and model.record.cells == float(interval)


def test_what_is_saved_and_when(tmp_path):
    model = read(tmp_path, settings())
    assert model.record.cells == model.record.fields == 30.0 and model.until == 60.0 and model.seed == 7
    off = read(tmp_path, settings(save="<full_data><enable>false</enable></full_data><SVG><enable>true</enable></SVG>"))
    assert off.record.cells == 60.0 and "full_data is off" in told(off) and "no effect here: save/SVG" in told(off)


@pytest.mark.parametrize("word", ["random", "system_clock", ""])
def test_seeds_from_the_clock_are_said(tmp_path, word):
    model = read(tmp_path, settings(options=f"<random_seed>{word}</random_seed>"))
    assert model.seed == 1 and "no fixed seed" in told(model)


@pytest.mark.parametrize("word", ["-1", "abc", "1.5", str(2**63)])
def test_seeds_that_are_none_are_refused(tmp_path, word):
    assert "is no seed" in refused(tmp_path, settings(options=f"<random_seed>{word}</random_seed>"))


def test_time_steps_out_of_order_or_zero_are_refused(tmp_path):
    assert "dt_phenotype is 0.05 min and dt_mechanics 0.1 min" in refused(
        tmp_path, settings(overall=OVERALL.replace(">6<", ">0.05<"))
    )
    assert "a time step of 0 min; expected above 0 min" in refused(
        tmp_path, settings(overall=OVERALL.replace(">0.1<", ">0<"))
    )
    assert "each a whole multiple" in refused(tmp_path, settings(overall=OVERALL.replace(">0.1<", ">0.17<")))


def test_labels_are_never_converted_and_contradictions_are_said(tmp_path):
    text = settings(
        overall=OVERALL.replace('max_time units="min"', 'max_time units="hour"').replace(">micron<", ">cm<")
    )
    text = text.replace("<diffusion_coefficient>", '<diffusion_coefficient units="cm^2/s">')
    model = read(tmp_path, text)
    assert model.until == 60.0 and model.factors[0].diffusion == 1000.0
    said = told(model)
    assert "its label says 'hour'" in said and "its label says 'cm^2/s'" in said and "'cm' is a label" in said


def test_labels_that_agree_are_not_mentioned(tmp_path):
    text = (
        settings()
        .replace("<diffusion_coefficient>", '<diffusion_coefficient units="micron^2/min">')
        .replace("<decay_rate>", '<decay_rate units="1/min">')
    )
    assert "its label" not in told(read(tmp_path, text))


def boundary(enabled: str = "true", options: str = "") -> str:
    return OXYGEN.replace('<Dirichlet_boundary_condition enabled="false">0</Dirichlet_boundary_condition>',
                          '<Dirichlet_boundary_condition '
                          f'enabled="{enabled}">38</Dirichlet_boundary_condition>{options}')  # fmt: skip


def test_a_boundary_condition_holds_the_outermost_voxels_of_every_face(tmp_path):
    factor = read(tmp_path, settings(substrates=boundary())).factors[0]
    assert {f: (b.condition, b.value) for f, b in factor.boundary.items()} == {
        f: ("voxels", 38.0) for f in ("xmin", "xmax", "ymin", "ymax")
    }


def test_options_override_single_faces(tmp_path):
    faces = (
        '<boundary_value ID="xmin" enabled="false">1</boundary_value><boundary_value ID="ymax" '
        'enabled="1">5</boundary_value>'
    )
    factor = read(
        tmp_path, settings(substrates=boundary(options=f"<Dirichlet_options>{faces}</Dirichlet_options>"))
    ).factors[0]
    assert {f: b.value for f, b in factor.boundary.items()} == {"xmax": 38.0, "ymin": 38.0, "ymax": 5.0}


def test_options_without_any_enabled_condition_are_off_and_said(tmp_path):
    faces = '<Dirichlet_options><boundary_value ID="xmin" enabled="true">1</boundary_value></Dirichlet_options>'
    model = read(tmp_path, settings(substrates=boundary("false", faces)))
    assert model.factors[0].boundary == {} and "they are off, as in PhysiCell" in told(model)


def test_units_of_substrates(tmp_path):
    model = read(
        tmp_path, settings(substrates=OXYGEN + OXYGEN.replace('"oxygen" units="mmHg"', '"IL 2" units="dimensionless"'))
    )
    assert [(f.name, f.unit, f.initial, f.decay) for f in model.factors] == [
        ("oxygen", "mmHg", 38.0, 0.1),
        ("IL 2", "1", 38.0, 0.1),
    ]


def test_a_substrate_that_stands_twice_is_refused_with_both_lines(tmp_path):
    assert "the substrate 'oxygen' stands twice, here and in line 9" in refused(
        tmp_path, settings(substrates=OXYGEN + "\n" + OXYGEN)
    )


def test_internalised_amounts_on_demand(tmp_path):
    assert not read(tmp_path, settings()).internalise
    on = "<track_internalized_substrates_in_each_agent>true</track_internalized_substrates_in_each_agent>"
    assert read(tmp_path, settings(environment=on)).internalise


def test_initial_concentrations_from_a_table(tmp_path):
    table = "x,y,z,oxygen\n" + "".join(
        f"{x},{y},0,{x + y + 200}\n" for y in range(-50, 60, 20) for x in range(-90, 100, 20)
    )
    environment = '<initial_condition type="csv" enabled="true"><filename>start.csv</filename></initial_condition>'
    model = read(tmp_path, settings(environment=environment), start_csv=table)
    assert model.factors[0].initial_table == "start.csv" and len(model.factors[0].initial_content) == 64
    other = read(tmp_path, settings(environment=environment), start_csv=table.replace("-90,-50,0,60", "-90,-50,0,61"))
    assert other.digest != model.digest
    message = refused(
        tmp_path, settings(environment=environment), start_csv=table.replace("-90,-50,0,60", "-90,-50,0,x")
    )
    assert "start.csv:2" in message and "oxygen is 'x'" in message


def test_cells_of_every_type_at_random(tmp_path):
    parameters = (
        '<user_parameters><number_of_cells type="int">5</number_of_cells><speedup type="double">2</speedup>'
        "</user_parameters>"
    )
    model = read(tmp_path, settings(rest=parameters))
    assert [(p.type, p.count) for p in model.placements] == [("tumor", 5), ("T cell", 5)]
    assert "only custom C++ reads speedup; custom code is out of reach" in told(model)


def test_no_cells_is_a_notice(tmp_path):
    assert "0 cells: the model places none" in told(read(tmp_path, settings()))
    assert "0 cells: the table is empty" in told(read(tmp_path, settings(rest=WITH_CELLS), cells_csv=""))


def test_unknown_elements_and_attributes_are_listed_with_their_path(tmp_path):
    text = settings(rest="<extras><deep>1</deep></extras>").replace("<overall>", '<overall color="red">')
    said = told(read(tmp_path, text))
    assert (
        "model.xml:13  extras\n  this element is not known and is ignored" in said
        and "the attribute color is not known" in said
    )


def test_an_element_that_stands_twice_is_said(tmp_path):
    assert "<dx> stands twice" in told(read(tmp_path, settings().replace("<dx>20</dx>", "<dx>20</dx><dx>10</dx>")))


def test_add_ons_are_named(tmp_path):
    said = told(
        read(
            tmp_path,
            settings(substrates=OXYGEN.replace("</variable>", "<PK/></variable>"), rest="<behavior_rulesets/>"),
        )
    )
    assert "PK (PhysiPKPD)" in said and "extended rules in XML" in said


def test_missing_sections_are_all_told_at_once(tmp_path):
    message = refused(tmp_path, "<PhysiCell_settings><options/></PhysiCell_settings>")
    for said in (
        "<domain> is missing",
        "<overall> is missing",
        "<microenvironment_setup> is missing",
        "no cell type is defined",
    ):
        assert said in message
    assert "the root element is <sbml>" in refused(tmp_path, "<sbml/>")


def test_a_number_that_is_none_is_told_with_its_element(tmp_path):
    wrong = {
        "abc": "'abc' is not a number",
        "1,5": "has a decimal comma",
        "1e400": "too large",
        "nan": "not finite",
        "5 um": "not a number",
    }
    for text, said in wrong.items():
        message = refused(tmp_path, settings().replace(">1000<", f">{text}<"))
        assert (
            said in message
            and "microenvironment_setup/variable[oxygen]/physical_parameter_set/diffusion_coefficient" in message
        )


def test_negative_numbers_are_told_with_line_and_range(tmp_path):
    message = refused(tmp_path, settings(cells=cell("<motility><speed>-1</speed></motility>")))
    assert "model.xml:12  cells.tumor.motility.speed" in message and "expected at least 0 um/min" in message


def test_everything_wrong_is_told_at_once(tmp_path):
    text = (
        settings(cells=cell("<motility><speed>x</speed></motility>"))
        .replace(">1000<", ">-1000<")
        .replace("<dx>20<", "<dx>0<")
    )
    message = refused(tmp_path, text)
    assert (
        "3 problems" in message
        and "'x' is not a number" in message
        and "0 um is out of range; expected above 0 um" in message
    )


# -- files
# --------------------------------------------------------------------------------------------------------------

TABLE = "x,y,z,type\n1,2,0,tumor\n"


@pytest.mark.parametrize("folder", [".", "config", "nowhere"])
def test_tables_are_found_in_the_folder_its_parent_or_beside_the_file(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = settings(rest=f"<initial_conditions>{CELLS}</initial_conditions>").replace(
        "<folder>.<", f"<folder>./{folder}<"
    )
    model = read(tmp_path / "project" / "config", text, cells_csv=TABLE)
    assert len(model.placements[0].rows) == 1
    assert ("is read from" in told(model)) == (folder != ".")


def test_tables_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "here" / "data").mkdir(parents=True)
    (tmp_path / "here" / "data" / "cells.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path / "here")
    text = settings(rest=WITH_CELLS).replace("<folder>.<", "<folder>data<")
    model = read(tmp_path / "there" / "deep", text)
    assert model.placements[0].table == os.path.join("..", "..", "here", "data", "cells.csv")


def test_a_missing_table_is_told_with_its_absolute_path(tmp_path):
    message = refused(tmp_path, settings(rest=WITH_CELLS + with_rules()))
    assert f"no such file: {tmp_path / 'cells.csv'}" in message and f"no such file: {tmp_path / 'rules.csv'}" in message


def test_an_output_folder_is_never_a_path(tmp_path):
    assert "never used as a path or given to a shell" in told(read(tmp_path, settings(save="<folder>../out</folder>")))
    assert (
        "a shell would act on" in refused(tmp_path, settings(save="<folder>out; touch PWNED</folder>"))
        and not (tmp_path / "PWNED").exists()
    )


# -- what is no plain XML
# -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b'{"a": 1}', "not well-formed XML"),
        (b"<PhysiCell_settings>\n<domain>", "model.xml:2"),
        (b"<a>" * 20000 + b"</a>" * 20000, "nested deeper than 100 levels"),
        (b"<a>" * 200 + b"</a>" * 200, "nested deeper than 100 levels"),
        (b"<a>\0</a>", "a NUL byte stands at character 3"),
        (b"<a>\xe9</a>", "byte 3 (0xe9) is not valid utf-8"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "it declares a DOCTYPE"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "nothing of it was read or opened"),
    ],
)
def test_what_is_no_plain_xml_is_refused(tmp_path, data, said):
    (tmp_path / "model.xml").write_bytes(data)
    with pytest.raises(ModelError) as error:
        Model.load(tmp_path / "model.xml")
    assert said in str(error.value)


def test_a_declaration_inside_a_comment_is_none(tmp_path):
    assert read(tmp_path, settings(rest="<!-- <!DOCTYPE a> -->")).factors


@pytest.mark.parametrize(
    "encode",
    [
        lambda t: t.encode("utf-8-sig"),
        lambda t: t.replace("\n", "\r\n").encode(),
        lambda t: t.replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
)
def test_encodings_of_one_file_are_one_model(tmp_path, encode):
    plain = read(tmp_path / "plain", settings())
    other = write(tmp_path / "other", settings())
    other.write_bytes(encode(settings()))
    assert Model.load(other).digest == plain.digest


# -- writing
# ------------------------------------------------------------------------------------------------------------


def test_a_model_written_as_yaml_is_the_same_model_wherever_it_lies(tmp_path):
    text = settings(
        substrates=boundary(), rest=WITH_CELLS + with_rules(), cells=cell('<cycle code="5"/>') + cell("", "T cell", 1)
    )
    rules = (
        "tumor,oxygen,increases,cycle entry,0.001,5,4,0\n"
        "tumor,contact with T cell,increases,transform to T cell,0.1,2,8,0\n"
    )
    for numerics in ("oncarium", "physicell"):
        model = read(
            tmp_path / "x",
            text,
            numerics=numerics,
            cells_csv="x,y,z,type,volume\n1,2,0,tumor,1000\n5,5,0,T cell,\n",
            rules_csv=rules,
        )
        beside = Model.from_text(model.to_yaml(), folder=tmp_path / "x")
        (tmp_path / "y").mkdir(exist_ok=True)
        moved = Model.from_text(model.to_yaml(tmp_path / "y"), folder=tmp_path / "y")
        for again in (beside, moved):
            assert (
                again == model
                and again.clock == model.clock
                and again.placements[0].values == model.placements[0].values
            )
            assert [r.text for _, r in again.rules] == [r.text for _, r in model.rules]
    assert "oxygen increases cycle.exit.live to 0.001 1/min, half 5 mmHg, hill 4" in model.to_yaml()
    assert "contact with T cell increases transformation.rate.T cell to 0.1 1/min, half 2, hill 8" in model.to_yaml()
    assert "Solvers, time steps and order of operations are those of PhysiCell" in model.describe()


def test_choices_that_do_not_exist_are_refused(tmp_path):
    path = write(tmp_path, settings())
    wrong = (
        ({"numerics": "physicel"}, "Did you mean 'physicell'?"),
        ({"compat": "1.13"}, "Expected 1.14.2"),
        ({"ignore": ("rules",)}, "intracellular"),
    )
    for options, said in wrong:
        with pytest.raises(ModelError) as error:
            Model.load(path, **options)
        assert said in str(error.value)
