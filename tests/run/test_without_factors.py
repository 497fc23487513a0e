"""A model needs no factor."""

import oncarium as oc
from oncarium.model.model import Model

TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 h
record: {cells: 30 min, fields: 30 min, checkpoint: 1 h}
cells: {tumor: {library: tumor_simple, motility: {speed: 1 um/min, persistence: 5 min}}}
initial: [{cells: tumor, disc: {radius: 50 um}, count: 20}]
"""


def test_cells_alone(tmp_path):
    result = oc.run(Model.from_text(TEXT), out=tmp_path)
    assert len(result.cells(60.0)) >= 20
    assert oc.report(result, tmp_path).exists()
