"""What surrounds the tissue of a model at the start: the body, and what may spread in it."""

from __future__ import annotations

from ..biology.body.state import Body
from ..biology.metastasis.state import Spread
from ..model.model import Model


def body_of(model: Model) -> Body | None:
    """The body at the start, or None where a model has none."""
    compartments = model.patient.compartments
    return Body([c.name for c in compartments], [c.start for c in compartments]) if compartments else None


def metastasis_of(model: Model) -> Spread | None:
    """Distant sites without any metastasis, or None where a model says nothing of it."""
    return Spread([s.name for s in model.metastasis.sites]) if model.metastasis else None
