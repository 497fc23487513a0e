"""How far oxygen reaches from a vessel (V06, V25): a column in tissue that consumes as a tumor does."""

import numpy as np
import pytest

from oncarium.biology.transport import Transport
from oncarium.biology.vessels.exchange import VesselExchange
from oncarium.biology.vessels.perfusion import Perfusion
from oncarium.biology.vessels.state import PRESSURE, Vessels
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue
from reference import krogh

DIFFUSION = 1e5  # um^2/min
CONSUMPTION = 0.8 / 1.3e-3 * 0.85  # mmHg/min: 0.8 mM/min in cells that fill 85 % of the tissue
WIDE = 300.0  # um, half of the square


def around_a_column(voxel, entering=55.0, michaelis=1.0):
    """Tissue in balance around one column that crosses its middle: distance (voxel) um, oxygen (voxel) mmHg, wall."""
    n = round(2 * WIDE / voxel)
    grid = Grid((-WIDE, -WIDE, -10.0), (voxel, voxel, 20.0), (1, n, n))
    fields = Fields(
        grid, ["oxygen"], ["mmHg"], diffusion=[DIFFUSION], decay=[0.0], michaelis=[michaelis], initial=[20.0]
    )
    vessels = Vessels.empty()
    nodes = vessels.graph.add_nodes(
        [[0, 0, -225], [0, 0, 0], [0, 0, 225]], kind=[PRESSURE, 0, PRESSURE], given=[22.25, 0, 17.75], oxygen=entering
    )
    vessels.graph.add_segments([nodes[:2], nodes[1:]], length=225.0, radius=5.0)
    tissue = Tissue(Cells([], (), {}), fields, vessels=vessels)
    transport, exchange = Transport(6.0, {"oxygen": "quasi-steady"}, {"oxygen": 1e-4}), VesselExchange(6.0)
    for process in (Perfusion(), exchange, transport):
        process.prepare(tissue)
    for k in range(40):
        fields.clear_sources()
        fields.capacity[0] += CONSUMPTION
        exchange.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
        transport.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
    x, y = np.meshgrid(grid.centers("x"), grid.centers("y"))
    return np.hypot(x, y), fields.value[0, 0], vessels.graph.segments["oxygen"]


@pytest.mark.parametrize("voxel", [10.0, 20.0, 30.0])
def test_oxygen_is_gone_100_to_150_um_from_a_vessel(voxel):
    """V25: next to nothing by 100 to 150 um (Helmlinger et al. 1997; Thomlinson & Gray 1955)."""
    distance, oxygen, blood = around_a_column(voxel)

    def ring(a, b):
        return oxygen[(distance >= a) & (distance < b)].mean()

    assert 35.0 < blood.min() < blood.max() < 55.0
    assert ring(0, 30) > 10.0 and ring(30, 60) > 3.0 and ring(60, 90) > 0.5
    assert ring(100, 150) < 0.3 and ring(150, 300) < 0.01


def test_the_reach_is_that_of_a_krogh_cylinder():
    """It ends short of where blood of this tension without a wall could feed a cylinder of zero-order uptake to."""
    distance, oxygen, blood = around_a_column(10.0, michaelis=0.05)
    lethal = krogh.lethal_radius(float(np.mean(blood)), 5.0, DIFFUSION / 60.0, CONSUMPTION / 60.0)
    anoxic = distance[oxygen < 0.5].min()
    assert 0.75 * lethal < anoxic < lethal + 10.0


def test_voxels_do_not_decide():
    """The reach and the mean within 60 um, with 10, 20 and 30 um."""
    means, reach = [], []
    for voxel in (10.0, 20.0, 30.0):
        distance, oxygen, _ = around_a_column(voxel)
        means.append(oxygen.sum() * voxel**2)
        reach.append(distance[oxygen > 1.0].max())
    assert means == pytest.approx([means[0]] * 3, rel=0.08)
    assert np.ptp(reach) <= 20.0
