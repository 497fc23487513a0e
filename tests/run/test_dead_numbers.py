"""Numbers that nothing hears: a dead one is found, living ones are not, whatever they do."""

import pytest

import oncarium as oc
from oncarium.run.dead_numbers import asked, by_section, dead_numbers, why_dead

TEXT = """
domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, initial: 30 mmHg assumed,
    boundary: 38 mmHg assumed, michaelis: 2.5 mmHg assumed}
cells:
  tumor:
    cycle: {model: live, exit: 0.0005 1/min assumed}
    death: {apoptosis: 1e-6 1/min assumed}
    motility: {speed: 0.1 um/min assumed, persistence: 15 min assumed}
    rules:
      - pressure decreases cycle.exit.live to 0 1/min, half 1, hill 2 assumed
      - oxygen decreases death.necrosis to 0 1/min, half 5 mmHg, hill 4 assumed
  idle: {motility: {speed: 0 um/min}}
initial: [{cells: tumor, disc: {radius: 40 um}, packing: hexagonal, spacing: 14 um}]
"""


def test_what_nothing_hears_is_found_and_nothing_else():
    model = oc.Model.from_text(TEXT)
    found = {d.path: d for d in dead_numbers(model)}
    assert "factors.oxygen.michaelis" in found  # nobody consumes oxygen
    assert not set(found) & {
        "factors.oxygen.diffusion",
        "cells.tumor.death.apoptosis",  # one death in seven hundred days is rare, not dead
        "cells.tumor.motility.persistence",
        "cells.tumor.rules.0.half",
        "cells.tumor.rules.0.hill",
    }
    assert found["factors.oxygen.michaelis"].tried == "25 mmHg"
    assert "factors.oxygen" in by_section(found.values()) and not why_dead(found["factors.oxygen.michaelis"])


def test_geometry_counts_zeros_and_solvers_are_not_asked():
    model = oc.Model.from_text(TEXT)
    paths = asked(model)
    assert not [p for p in paths if p.startswith(("domain", "clock", "initial", "record"))]
    assert "cells.idle.motility.speed" not in paths and "cells.tumor.rules.1.to" not in paths
    assert set(asked(model, "motility")) == {p for p in paths if "motility" in p}


@pytest.mark.parametrize(
    "only, said", [("apoptosis", "1 numbers asked, 0 that nothing hears"), ("weather", "0 numbers asked")]
)
def test_the_command(tmp_path, only, said):
    from typer.testing import CliRunner

    from oncarium.cli import app

    (tmp_path / "m.yaml").write_text(TEXT)
    done = CliRunner().invoke(app, ["check", str(tmp_path / "m.yaml"), "--dead", "--only", only])
    assert done.exit_code == 0 and said in done.output
