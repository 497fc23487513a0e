"""What surrounds the tissue of a model at the start: the body, and what may spread in it."""

from __future__ import annotations

from ..biology.body.state import Body
from ..biology.drugs.state import Carried, Effect, Plasma
from ..biology.metastasis.state import Spread
from ..model.model import Model
from ..model.therapy import Therapy


def body_of(model: Model) -> Body | None:
    """The body at the start, or None where a model has none."""
    compartments = model.patient.compartments
    return Body([c.name for c in compartments], [c.start for c in compartments]) if compartments else None


def metastasis_of(model: Model) -> Spread | None:
    """Distant sites without any metastasis, or None where a model says nothing of it."""
    return Spread([s.name for s in model.metastasis.sites]) if model.metastasis else None


def plasma_of(model: Model) -> Plasma | None:
    """Blood before the first dose, or None where a model gives no drug."""
    if model.therapy is None or not model.therapy.drugs:
        return None
    from ..biology.drugs.pharmacokinetics import Pharmacokinetics

    given = model.therapy.drugs
    blood = {d.name: Pharmacokinetics(model.therapy.body(d)) for d in given}
    starts = {name: b.start() for name, b in blood.items()}
    types = [t.name for t in model.types]
    compartments = [c.name for c in model.patient.compartments]
    carried = [
        Carried(ligand.factor, name, b.states.index("ligand.free"), ligand.level)
        for name, b in blood.items()
        if (ligand := b.bodies[0].ligand) and ligand.factor in compartments and ligand.level > 0.0
    ]
    effects = _effects(model.therapy, model)
    return Plasma([*starts], starts, [d.name for d in given if d.binds], types, effects, carried)


def _effects(therapy: Therapy, model: Model) -> tuple[tuple[Effect, ...], ...]:
    """On what vessels hear, on the body, and on what cells hear in blood: as their rules have it in the tissue."""
    scale = therapy.nanomolar
    vessels, matrix, body = (
        tuple(Effect(o.target, o.drug, o.to, o.half, o.hill, scale[o.drug]) for o in effects)
        for effects in (therapy.vessels, therapy.matrix, therapy.body_effects)
    )
    doors = tuple(
        Effect((t, str(r.behavior[1])), str(r.signal[1]), r.value, r.half * scale[str(r.signal[1])], r.hill)
        for t, r in model.rules
        if r.behavior[0] == "sense.response" and r.signal[0] == "sense.factor" and r.signal[1] in scale
    )
    return vessels, matrix, body, doors
