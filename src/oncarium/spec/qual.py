"""SBML-qual: Boolean networks of other programs, rewritten as .bnd and .cfg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ModelError, Problem


def read_qual(text: str, file: str) -> tuple[str, str]:
    """(.bnd, .cfg) of an SBML-qual model: every node goes up and down with rate 1, as its transition says. Raises ModelError."""
    try:
        import libsbml
    except ImportError:
        raise ModelError(
            Problem(file, "", "SBML-qual is read by python-libsbml, which is not installed.", remedy='Install it:  pip install "oncarium[networks]"')
        ) from None

    def fail(message: str, thing: Any = None) -> ModelError:
        line = thing.getLine() if thing is not None else 0
        return ModelError(Problem(f"{file}:{line}" if line else file, "", message))

    document = libsbml.readSBMLFromString(text)
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) or document.getModel() is None:
        error = document.getError(0)
        said = error.getMessage().strip().splitlines()[0] if error is not None else "it holds no model"
        raise ModelError(Problem(f"{file}:{error.getLine() if error is not None else 1}", "", f"this is no valid SBML: {said}."))
    model = document.getModel()
    qual = model.getPlugin("qual")
    if qual is None or not qual.getNumQualitativeSpecies():
        raise fail("it has no qualitative species: this is SBML, but no SBML-qual.")
    logic: dict[str, str] = {}
    starts: dict[str, int] = {}
    for species in (qual.getQualitativeSpecies(k) for k in range(qual.getNumQualitativeSpecies())):
        if species.isSetMaxLevel() and species.getMaxLevel() > 1:
            raise fail(f"{species.getId()} has levels up to {species.getMaxLevel()}; only 0 and 1 are taken.", species)
        logic[species.getId()] = ""
        if species.isSetInitialLevel():
            starts[species.getId()] = species.getInitialLevel()
    for transition in (qual.getTransition(k) for k in range(qual.getNumTransitions())):
        for output in (transition.getOutput(k) for k in range(transition.getNumOutputs())):
            if output.getQualitativeSpecies() not in logic:
                raise fail(f"a transition changes '{output.getQualitativeSpecies()}', which is no species.", output)
            logic[output.getQualitativeSpecies()] = _when_on(libsbml, transition)
    bnd = "\n".join(f"Node {name} {{{f' logic = {said}; ' if said else ''}}}" for name, said in logic.items())
    return bnd, "\n".join(f"{name}.istate = {level};" for name, level in starts.items())


def _when_on(libsbml: Any, transition: Any) -> str:
    """When the output of a transition goes to 1."""
    terms = [transition.getFunctionTerm(k) for k in range(transition.getNumFunctionTerms())]
    default = transition.getDefaultTerm()
    rest = default.getResultLevel() if default is not None else 0
    other = [f"({libsbml.formulaToL3String(t.getMath())})" for t in terms if (t.getResultLevel() > 0) != (rest > 0)]
    if rest == 0:
        return " || ".join(other) if other else "0 == 1"
    return f"!({' || '.join(other)})" if other else "0 == 0"


def is_qual(path: Path | str) -> bool:
    """Does the name say SBML?"""
    return Path(path).suffix.lower() in (".sbml", ".xml")
