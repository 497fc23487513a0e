"""What surrounds the tissue of a model at the start: the body."""

from __future__ import annotations

from ..biology.body.state import Body
from ..model.model import Model


def body_of(model: Model) -> Body | None:
    """The body at the start, or None where a model has none."""
    compartments = model.patient.compartments
    return Body([c.name for c in compartments], [c.start for c in compartments]) if compartments else None
