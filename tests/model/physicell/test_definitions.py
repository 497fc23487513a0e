"""Cell definitions: every section of the phenotype, what is inherited and what is not."""

import pytest

from .world import TWO_CELLS, cell, read, refused, settings, told, value

RICH = """<cycle code="5" name="live"><phase_transition_rates>\
<rate start_index="0" end_index="0" fixed_duration="false">0.002</rate>
</phase_transition_rates></cycle>
<death><model code="100" name="apoptosis"><death_rate>0.001</death_rate><phase_durations>\
<duration index="0" fixed_duration="true">400</duration>
</phase_durations><parameters><unlysed_fluid_change_rate>0.04</unlysed_fluid_change_rate></parameters></model></death>
<volume><total>3000</total><nuclear>500</nuclear></volume>
<mechanics><cell_cell_adhesion_strength>0.3</cell_cell_adhesion_strength><cell_adhesion_affinities>
<cell_adhesion_affinity name="T cell">0.5</cell_adhesion_affinity></cell_adhesion_affinities></mechanics>
<motility><speed>2</speed><persistence_time>5</persistence_time><migration_bias>0.4</migration_bias><options>\
<enabled>true</enabled>
<chemotaxis><enabled>true</enabled><substrate>oxygen</substrate>\
<direction>-1</direction></chemotaxis></options></motility>
<secretion><substrate name="oxygen"><secretion_rate>1</secretion_rate><secretion_target>9</secretion_target>\
<uptake_rate>2</uptake_rate>
<net_export_rate>-3</net_export_rate></substrate></secretion>
<cell_interactions><apoptotic_phagocytosis_rate>0.1</apoptotic_phagocytosis_rate><live_phagocytosis_rates>
<phagocytosis_rate name="T cell">0.2</phagocytosis_rate></live_phagocytosis_rates><attack_rates>\
<attack_rate name="T cell">0.3</attack_rate>
</attack_rates><attack_damage_rate>4</attack_damage_rate><attack_duration>12</attack_duration><fusion_rates>
<fusion_rate name="T cell">0.5</fusion_rate></fusion_rates></cell_interactions>
<cell_transformations><transformation_rates>\
<transformation_rate name="T cell">0.6</transformation_rate></transformation_rates></cell_transformations>
<cell_integrity><damage_rate>0.7</damage_rate><damage_repair_rate>0.8</damage_repair_rate></cell_integrity>"""
KEPT = {
    ("cycle.exit", "live"): 0.002,
    ("death.apoptosis", None): 0.001,
    ("apoptosis.duration", None): 400.0,
    ("apoptosis.fluid_change", None): 0.04,
    ("volume.total", None): 3000.0,
    ("volume.nuclear", None): 500.0,
    ("mechanics.adhesion", None): 0.3,
    ("mechanics.affinity", "T cell"): 0.5,
    ("motility.speed", None): 2.0,
    ("motility.persistence", None): 5.0,
    ("motility.bias", None): 0.4,
    ("attack.duration", None): 12.0,
    ("damage.rate", None): 0.7,
    ("damage.repair", None): 0.8,
}
NOT_KEPT = {  # what definition 0 has, and what a definition without a parent has instead
    ("motility.active", None): (1.0, 0.0),
    ("motility.advanced", None): (0.0, 2.0),  # follows the cue, follows nothing
    ("secretion.approach", "oxygen"): (1.0, 0.0),
    ("secretion.target", "oxygen"): (9.0, 0.0),
    ("secretion.uptake", "oxygen"): (2.0, 0.0),
    ("secretion.rate", "oxygen"): (-3.0, 0.0),
    ("phagocytosis.apoptotic", None): (0.1, 0.0),
    ("phagocytosis.live", "T cell"): (0.2, 0.0),
    ("attack.rate", "T cell"): (0.3, 0.0),
    ("attack.damage_rate", None): (4.0, 1.0),
    ("fusion.rate", "T cell"): (0.5, 0.0),
    ("transformation.rate", "T cell"): (0.6, 0.0),
}


def test_every_section_is_read(tmp_path):
    model = read(tmp_path, settings(cells=cell(RICH) + cell("", "T cell", 1)))
    for (column, label), number in (KEPT | {k: v[0] for k, v in NOT_KEPT.items()}).items():
        assert value(model, "tumor", column, label) == number, column


def test_a_definition_without_a_parent_takes_over_what_is_no_rate(tmp_path):
    model = read(tmp_path, settings(cells=cell(RICH) + cell("", "T cell", 1)))
    for (column, label), number in (KEPT | {k: v[1] for k, v in NOT_KEPT.items()}).items():
        assert value(model, "T cell", column, label) == number, column


def test_a_named_parent_gives_everything(tmp_path):
    model = read(tmp_path, settings(cells=cell(RICH) + cell("", "T cell", 1, parent="tumor")))
    for (column, label), number in (KEPT | {k: v[0] for k, v in NOT_KEPT.items()}).items():
        assert value(model, "T cell", column, label) == number, column


def test_the_old_way_of_inheriting_takes_rates_over_too(tmp_path):
    model = read(
        tmp_path,
        settings(
            options="<legacy_cell_defaults_copy>true</legacy_cell_defaults_copy>",
            cells=cell(RICH) + cell("", "T cell", 1),
        ),
    )
    assert value(model, "T cell", "attack.rate", "T cell") == 0.3 and "everything of definition 0 is inherited" in told(
        model
    )


def test_a_parent_that_is_not_defined_before_is_told(tmp_path):
    model = read(tmp_path, settings(cells=cell(RICH) + cell("", "T cell", 1, parent="tumour")))
    assert (
        "'tumour' is not defined before it. Did you mean 'tumor'?" in told(model)
        and value(model, "T cell", "attack.rate", "T cell") == 0.0
    )


def test_a_definition_that_says_nothing_is_the_built_in_one(tmp_path):
    model = read(tmp_path, settings())
    expected = {
        "death.apoptosis": 0.00319 / 60,
        "motility.speed": 1.0,
        "motility.active": 0.0,
        "attack.duration": 30.0,
        "mechanics.membrane_repulsion": 100.0,
    }
    for column, number in expected.items():
        assert value(model, "tumor", column) == pytest.approx(number, rel=1e-12)
    assert model.type("tumor").cycle.name == "ki67_advanced"


def test_a_death_model_of_definition_0_starts_from_apoptosis_and_others_inherit(tmp_path):
    bare = '<death><model code="101" name="necrosis"><death_rate>0.01</death_rate></model></death>'
    model = read(tmp_path, settings(cells=cell(bare) + cell(bare, "T cell", 1)))
    for kind in ("tumor", "T cell"):
        assert (
            value(model, kind, "necrosis.swelling") == 3.0 / 60.0
            and value(model, kind, "necrosis.cytoplasm_change") == 1.0 / 60.0
        )


def test_the_phases_of_a_death_model_are_shared_and_the_last_one_holds(tmp_path):
    lasting = """<death><model code="100" name="apoptosis"><phase_durations>\
<duration index="0" fixed_duration="{}">{}</duration>
    </phase_durations></model></death>"""
    model = read(
        tmp_path, settings(cells=cell(lasting.format("true", 400)) + cell(lasting.format("false", 300), "T cell", 1))
    )
    assert value(model, "tumor", "apoptosis.duration") == 300.0 and value(model, "tumor", "apoptosis.fixed") == 0.0
    assert "apoptosis.duration differs between definitions" in told(model)


@pytest.mark.parametrize(
    ("code", "name", "phases"),
    [(0, "ki67_advanced", 3), (1, "ki67_basic", 2), (2, "flow_cytometry", 3), (3, "live", 1), (4, "live", 1),
     (5, "live", 1),
     (6, "flow_cytometry_separated", 4), (7, "cycling_quiescent", 2)],
)  # fmt: skip
def test_cycle_models_by_code(tmp_path, code, name, phases):
    model = read(tmp_path, settings(cells=cell(f'<cycle code="{code}" name="x"/>')))
    assert model.type("tumor").cycle.name == name and len(model.type("tumor").exit) == phases
    assert ("replaced by Live" in told(model)) == (code in (3, 4))


def test_durations_are_exit_rates_and_may_be_fixed(tmp_path):
    cycle = """<cycle code="1" name="x"><phase_durations><duration index="0" fixed_duration="true">120</duration>
    <duration index="1" fixed_duration="false">300</duration></phase_durations></cycle>"""
    tumor = read(tmp_path, settings(cells=cell(cycle))).type("tumor")
    assert tumor.exit == (1 / 120, 1 / 300) and tumor.fixed == (True, False)


def test_the_same_cycle_model_keeps_the_rates_of_definition_0_and_not_what_is_fixed(tmp_path):
    first = (
        '<cycle code="5"><phase_transition_rates>'
        '<rate start_index="0" end_index="0" fixed_duration="true">0.01</rate></phase_transition_rates></cycle>'
    )
    model = read(
        tmp_path,
        settings(cells=cell(first) + cell('<cycle code="5"/>', "T cell", 1) + cell('<cycle code="7"/>', "B cell", 2)),
    )
    assert model.type("T cell").exit == (0.01,) and model.type("T cell").fixed == (False,)
    assert model.type("B cell").exit[0] == pytest.approx(1 / (4.59 * 60))


def test_a_link_between_phases_that_the_cycle_does_not_have_is_refused(tmp_path):
    cycle = """<cycle code="2"><phase_transition_rates><rate start_index="0" end_index="2">1</rate>\
<rate start_index="9">1</rate>
    </phase_transition_rates></cycle>"""
    message = refused(tmp_path, settings(cells=cell(cycle)))
    assert "no link to phase 2" in message and "the phases 0 to 2" in message


def test_an_equilibrium_distance_sets_the_adhesion(tmp_path):
    distance = '<set_{}_equilibrium_distance enabled="true">{}</set_{}_equilibrium_distance>'
    mechanics = f"<mechanics><options>{distance}</options></mechanics>"
    relative = read(tmp_path / "r", settings(cells=cell(mechanics.format("relative", 1.8, "relative"))))
    expected = 10.0 * ((1 - 0.9) / (1 - 0.9 / 1.25)) ** 2
    assert value(relative, "tumor", "mechanics.adhesion") == pytest.approx(expected, rel=1e-14)
    radius = (0.75 * 2494 / 3.141592653589793) ** (1 / 3)
    absolute = read(tmp_path / "a", settings(cells=cell(mechanics.format("absolute", 1.8 * radius, "absolute"))))
    assert value(absolute, "tumor", "mechanics.adhesion") == pytest.approx(expected, rel=1e-12)
    capped = read(tmp_path / "c", settings(cells=cell(mechanics.format("relative", 3, "relative"))))
    assert value(capped, "tumor", "mechanics.adhesion") == 0.0 and "capped at 2" in told(capped)


def test_chemotaxis_of_either_kind(tmp_path):
    advanced = """<motility><options><enabled>true</enabled><advanced_chemotaxis><enabled>true</enabled>
    <normalize_each_gradient>true</normalize_each_gradient><chemotactic_sensitivities>
    <chemotactic_sensitivity substrate="oxygen">-0.5</chemotactic_sensitivity>\
<chemotactic_sensitivity substrate="oxygn">1</chemotactic_sensitivity>
    </chemotactic_sensitivities></advanced_chemotaxis></options></motility>"""
    model = read(tmp_path, settings(cells=cell(advanced)))
    assert (
        value(model, "tumor", "motility.sensitivity", "oxygen") == -0.5
        and value(model, "tumor", "motility.advanced") == 1.0
    )
    assert model.type("tumor").normalized and "no substrate is called 'oxygn'. Did you mean 'oxygen'?" in told(model)


def test_chemotaxis_toward_an_unknown_substrate_is_refused_even_when_off(tmp_path):
    simple = (
        "<motility><options><chemotaxis><enabled>false</enabled><substrate>oxgen</substrate></chemotaxis>"
        "</options></motility>"
    )
    message = refused(tmp_path, settings(cells=cell(simple)))
    assert (
        "follows 'oxgen'" in message
        and "Did you mean 'oxygen'?" in message
        and "motility/options/chemotaxis/substrate" in message
    )


def test_random_headings_stay_in_the_plane_where_a_3d_file_says_so(tmp_path):
    flat = "<motility><options><use_2D>true</use_2D></options></motility>"
    box = (
        settings(cells=cell(flat))
        .replace("<use_2D>true</use_2D></domain>", "<use_2D>false</use_2D></domain>")
        .replace("<z_min>-10", "<z_min>-50")
    )
    assert value(read(tmp_path / "3", box), "tumor", "motility.planar") == 1.0
    assert value(read(tmp_path / "2", settings(cells=cell(flat))), "tumor", "motility.planar") == 0.0


OLD = """<cell_interactions><dead_phagocytosis_rate>0.2</dead_phagocytosis_rate><attack_rates>\
<attack_rate name="tumor">0.1</attack_rate></attack_rates>
<damage_rate>3</damage_rate></cell_interactions>"""


def test_the_old_damage_rate_is_the_attack_damage_rate_unless_the_bug_is_asked_for(tmp_path):
    now = read(tmp_path / "now", settings(cells=cell(OLD)))
    assert value(now, "tumor", "attack.damage_rate") == 3.0 and value(now, "tumor", "attack.duration") == 0.1
    assert "notice: " in told(now) and "attack damage rate of files from before 1.14" in told(now)
    then = read(tmp_path / "then", settings(cells=cell(OLD)), compat="1.14.2")
    assert value(then, "tumor", "attack.damage_rate") == 0.0 and value(then, "tumor", "attack.duration") == 0.0
    assert "1.14.2 ignores this old damage_rate" in told(then) and then.compat == "1.14.2"


def test_the_old_phagocytosis_rate_is_all_three_and_absent_ones_are_zero(tmp_path):
    model = read(tmp_path, settings(cells=cell(OLD) + cell("<cell_interactions/>", "T cell", 1, parent="tumor")))
    for kind in ("apoptotic", "necrotic", "other_dead"):
        assert (
            value(model, "tumor", f"phagocytosis.{kind}") == 0.2
            and value(model, "T cell", f"phagocytosis.{kind}") == 0.0
        )
    assert value(model, "T cell", "attack.rate", "tumor") == 0.1  # what is listed per type is inherited


def test_attacks_without_damage_rate_or_duration_read_zero_and_say_so(tmp_path):
    attack = (
        '<cell_interactions><attack_rates><attack_rate name="tumor">0.1</attack_rate></attack_rates>'
        "</cell_interactions>"
    )
    model = read(tmp_path, settings(cells=cell(attack)))
    assert value(
        model, "tumor", "attack.damage_rate"
    ) == 0.0 and "attack_damage_rate and attack_duration missing: 0" in told(model)


def test_names_of_types_that_do_not_exist_are_told_or_refused_as_upstream(tmp_path):
    fuse = (
        '<cell_interactions><fusion_rates><fusion_rate name="tumour">1</fusion_rate></fusion_rates></cell_interactions>'
    )
    said = told(read(tmp_path / "a", settings(cells=cell(fuse))))
    assert "warning" in said and "Did you mean 'tumor'?" in said
    divide = """<cycle code="5"><standard_asymmetric_division enabled="true">\
<asymmetric_division_probability name="tumour">1
    </asymmetric_division_probability></standard_asymmetric_division></cycle>"""
    assert "no cell type is called 'tumour'" in refused(tmp_path / "b", settings(cells=cell(divide)))


def test_asymmetric_division_counts_only_when_enabled(tmp_path):
    divide = """<cycle code="5"><standard_asymmetric_division enabled="{}">\
<asymmetric_division_probability name="T cell">0.3
    </asymmetric_division_probability></standard_asymmetric_division></cycle>"""
    for word, number in (("true", 0.3), ("false", 0.0)):
        model = read(tmp_path / word, settings(cells=cell(divide.format(word)) + cell("", "T cell", 1)))
        assert value(model, "tumor", "division.asymmetric", "T cell") == number


def test_a_type_does_not_become_itself(tmp_path):
    turn = (
        '<cell_transformations><transformation_rates><transformation_rate name="tumor">1</transformation_rate>'
        "</transformation_rates></cell_transformations>"
    )
    model = read(tmp_path, settings(cells=cell(turn)))
    assert value(model, "tumor", "transformation.rate", "tumor") == 0.0 and "does not become itself" in told(model)


def test_custom_variables_and_their_inheritance(tmp_path):
    custom = (
        '<custom_data><hits conserved="true" units="none" description="hits so far">2</hits><pair>1,3</pair>'
        "</custom_data>"
    )
    model = read(
        tmp_path,
        settings(cells=cell("", rest=custom) + cell("", "T cell", 1, rest="<custom_data><hits>5</hits></custom_data>")),
    )
    assert value(model, "tumor", "custom.hits") == 2.0 and value(model, "T cell", "custom.hits") == 5.0
    assert value(
        model, "T cell", "custom.pair[1]"
    ) == 3.0 and "a vector of 2 becomes the variables pair[0] to pair[1]" in told(model)
    assert model.conserved == {"custom.hits"} and model.names.columns["custom.hits"].doc == "hits so far"


def test_walls_and_springs_of_the_options(tmp_path):
    options = (
        "<virtual_wall_at_domain_edge>true</virtual_wall_at_domain_edge>"
        "<disable_automated_spring_adhesions>true</disable_automated_spring_adhesions>"
    )
    springs = (
        "<mechanics><attachment_rate>0.5</attachment_rate>"
        "<attachment_elastic_constant>0.2</attachment_elastic_constant></mechanics>"
    )
    model = read(tmp_path, settings(options=options, cells=cell(springs) + cell("", "T cell", 1)))
    for kind in ("tumor", "T cell"):
        assert value(model, kind, "mechanics.wall") == 100.0
        assert value(model, kind, "springs.active") == 0.0 and value(model, kind, "springs.elastic") == 0.2


def test_distributions_of_initial_values(tmp_path):
    drawn = """<initial_parameter_distributions enabled="true">
    <distribution enabled="true" type="Normal" check_base="true"><behavior>Volume</behavior><mu>2494</mu>\
<sigma>100</sigma>
    <lower_bound>2000</lower_bound></distribution>
    <distribution type="LogUniform" check_base="false"><behavior>cycle entry</behavior><min>1e-4</min>\
<max>1e-2</max></distribution>
    <distribution enabled="false" type="Uniform">\
<behavior>nonsense</behavior></distribution></initial_parameter_distributions>"""
    one, two = read(tmp_path, settings(cells=cell('<cycle code="5"/>', rest=drawn))).type("tumor").distributions
    assert (one.column, one.kind, one.parameters, one.low) == ("volume.total", "normal", (2494.0, 100.0), 2000.0)
    assert (two.column, two.label, two.kind, two.parameters) == ("cycle.exit", "live", "loguniform", (1e-4, 1e-2))


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ('type="Gauss"><behavior>volume</behavior>', "no distribution is called 'Gauss'"),
        ('type="Uniform"><behavior>apoptosi</behavior><min>0</min><max>1</max>', "Did you mean 'apoptosis'?"),
        ('type="Uniform"><behavior>volume</behavior><min>1</min><max>2</max>', "lies outside of the distribution"),
        (
            'type="Uniform" check_base="false"><behavior>volume</behavior><min>2</min><max>1</max>',
            "expected low <= high",
        ),
        ('type="Normal"><behavior>volume</behavior><mu>2494</mu>', "<sigma> missing"),
        (
            'type="Normal" check_base="false"><behavior>volume</behavior><mu>1</mu><sigma>1</sigma>'
            "<lower_bound>900</lower_bound>",
            "almost no draw",
        ),
    ],
)
def test_distributions_that_make_no_sense_are_refused(tmp_path, inside, said):
    drawn = f"<initial_parameter_distributions><distribution {inside}</distribution></initial_parameter_distributions>"
    assert said in refused(tmp_path, settings(cells=cell("", rest=drawn)))


def test_intracellular_models_are_named_and_refused_unless_ignored(tmp_path):
    boolean = '<intracellular type="maboss"><bnd_filename>x.bnd</bnd_filename></intracellular>'
    message = refused(tmp_path, settings(cells=cell(boolean)))
    assert "intracellular model of type 'maboss'" in message and "--ignore intracellular" in message
    model = read(tmp_path, settings(cells=cell(boolean)), ignore=("intracellular",))
    assert "(maboss) is ignored, as asked" in told(model)


def test_fibres_are_named_and_refused_unless_ignored(tmp_path):
    fibre = cell("", "ecm fibre", 0, rest="<custom_data><fibre_length>75</fibre_length></custom_data>")
    assert "a fibre of PhysiMeSS" in refused(tmp_path, settings(cells=fibre))
    assert "ordinary round cell" in told(read(tmp_path, settings(cells=fibre), ignore=("intracellular",)))


def test_sections_that_1_14_2_does_not_read_are_said(tmp_path):
    model = read(tmp_path, settings(cells=cell("<molecular><x>1</x></molecular><unheard><of>1</of></unheard>")))
    assert "phenotype/molecular\n  1.14.2 does not read this section" in told(model)
    assert "phenotype/unheard\n  this element is not known and is ignored" in told(model) and "unheard/of" not in told(
        model
    )


def test_two_types_of_one_name_or_number_are_refused_with_both_lines(tmp_path):
    twice = (
        '<cell_definition name="tumor" ID="0"/>\n<cell_definition name="tumor" ID="1"/>\n<cell_definition '
        'name="B" ID="0"/>'
    )
    message = refused(tmp_path, settings(cells=twice))
    assert (
        "'tumor' stands twice, here and in line 12" in message
        and "the ID 0 stands twice, here and in line 12" in message
    )


def test_types_at_rest_need_no_mechanism(tmp_path):
    quiet = read(tmp_path, settings(cells=TWO_CELLS))
    assert not any(quiet.uses(s) for s in ("attack", "springs", "motility", "fusion", "phagocytosis", "transformation"))
    busy = read(tmp_path, settings(cells=cell(RICH) + cell("", "T cell", 1)))
    assert all(busy.uses(s) for s in ("attack", "motility", "fusion", "phagocytosis", "transformation"))


def test_a_nucleus_larger_than_its_cell_is_bearable_only_for_the_file_s_own_numerics(tmp_path):
    small = settings(cells=cell("<volume><total>500</total></volume>"))
    ours, theirs = read(tmp_path, small), read(tmp_path, small, numerics="physicell")
    assert value(ours, "tumor", "volume.nuclear") == pytest.approx(
        500 * 540 / 2494
    ) and "the usual share of a cell" in told(ours)
    assert value(theirs, "tumor", "volume.nuclear") == 540.0 and "expected 0 < nuclear < total" in told(theirs)


def test_types_that_inherit_in_a_circle_are_refused(tmp_path):
    circle = cell("") + cell("", "A", 1, parent="B") + cell("", "B", 2, parent="C") + cell("", "C", 3, parent="A")
    assert "in a circle: A > B > C > A" in refused(tmp_path, settings(cells=circle))
    assert "in a circle: A > A" in refused(tmp_path, settings(cells=cell("") + cell("", "A", 1, parent="A")))
