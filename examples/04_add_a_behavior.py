"""How does a mechanism of my own enter a model? Hypoxic stress that adds to apoptosis, in a dozen lines."""

import math

import oncarium as oc


@oc.each_cell(
    slot="decide",
    of="tumor",
    writes=("stress", "death.apoptosis"),
    columns=(oc.State("1", inherit="copy", doc="hypoxic stress", name="stress"),),
)
def hypoxic_stress(
    sense_oxygen, stress, death_apoptosis, u, dt, k="0.01 1/min", threshold="20 mmHg", worst="0.01 1/min"
):
    """Cells below `threshold` gather stress; stress adds to the rate of apoptosis."""
    if sense_oxygen < threshold:
        stress += dt * k * (1.0 - sense_oxygen / threshold)
    else:
        stress *= math.exp(-dt * k)
    return stress, death_apoptosis + worst * stress / (1.0 + stress) * (0.9 + 0.2 * u)


model = oc.load("hypoxic_tumor").with_({"initial.0.disc.radius": "200 um"}).with_process(hypoxic_stress(k="0.02 1/min"))
simulation = oc.Simulation(model, seed=1)
simulation.run("2 h")
stress = simulation.tissue.cells["stress"]
print(simulation, f"mean stress {stress.mean():.3f}")
assert stress.max() > 0
