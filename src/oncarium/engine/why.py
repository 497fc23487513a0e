"""Why a mechanism is part of a plan, or is not: conditions on a model that give their reason in words."""

from __future__ import annotations

from typing import Any, NamedTuple


class Why(NamedTuple):
    """Whether a mechanism is part of a model's plan, and the reason,
    in words. True where it is: conditions join with `and` and `or`.

    >>> (Why(True, "the model has a matrix") and Why(False, "nobody speaks of guidance")).because
    'nobody speaks of guidance'
    """

    there: bool
    because: str

    def __bool__(self) -> bool:
        return self.there


def given(fact: Any, yes: str, no: str = "") -> Why:
    """A condition in words. no: the reason where it does not hold; left out, "not: " and the other one.

    >>> given(0, "the model has factors", "the model has no factor")
    Why(there=False, because='the model has no factor')
    """
    return Why(bool(fact), yes if fact else no or f"not: {yes}")


def spoken(model: Any, *words: str) -> Why:
    """Does the model speak of one of these sections or columns? The reason names the first place."""
    for word in words:
        place = model.place_of(word)
        if place:
            return Why(True, place)
    return Why(False, f"nobody speaks of {' or '.join(words)}")


def lives_on(mechanism: Any, model: Any) -> Why:
    """Does the model have the factors and the part of the tissue that a mechanism works on?"""
    known = {f.name for f in model.factors}
    lacking = [name for name in mechanism.needs if name not in known]
    factors = given(
        not lacking,
        f"the model has {', '.join(mechanism.needs) or 'all it works on'}",
        f"the model has no {', '.join(lacking)}",
    )
    return factors and given(
        not mechanism.part or getattr(model, mechanism.part),
        f"the model has a {mechanism.part}",
        f"the model has no {mechanism.part}",
    )
