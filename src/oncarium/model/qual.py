"""SBML-qual: logical networks of other programs, rewritten as .bnd and .cfg.

A species with levels 0 and 1 is a node. One with more levels is a row of nodes A_b1, A_b2, ...: as many are 1 as its
level, and it goes up and down by one level at a time, as logical models do. Function terms are tried in their order;
where none is true, the default term holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError, Problem, did_you_mean
from .physicell.lenient import well_formed

MOST_LEVELS = 20


@dataclass
class Species:
    """One species: its highest level, that at the start (None: by chance), whether it stays, its terms.

    terms   (condition, level)
    """

    levels: int
    start: int | None
    constant: bool
    terms: list[tuple[str, int]] | None = None
    default: int = 0

    def nodes(self, name: str) -> list[str]:
        """Its nodes, from the lowest level."""
        return [name] if self.levels == 1 else [f"{name}_b{k}" for k in range(1, self.levels + 1)]

    def reaches(self, level: int) -> str:
        """When its transition asks for at least this level."""
        holds: bool | str = self.default >= level
        last = ""  # what joins the parts of `holds`
        for condition, result in reversed(self.terms or ()):  # an earlier term comes before a later one
            yes = result >= level
            sign = "||" if yes else "&&"
            if isinstance(holds, bool):
                holds = holds if holds == yes else condition if yes else f"!{condition}"
            else:
                holds = (
                    f"{condition if yes else f'!{condition}'} {sign} {holds if last in ('', sign) else f'({holds})'}"
                )
                last = sign
        return holds if isinstance(holds, str) else "1 == 1" if holds else "1 == 0"


def read_qual(text: str, file: str) -> tuple[str, str]:
    """(.bnd, .cfg) of an SBML-qual model: every node goes up and down with rate 1, as its transition says.

    Raises ModelError.
    """
    try:
        import libsbml
    except ImportError:
        raise ModelError(
            Problem(
                file,
                "",
                "SBML-qual is read by python-libsbml, which is not installed.",
                remedy='Install it:  pip install "oncarium[networks]"',
            )
        ) from None

    def fail(message: str, thing: Any = None) -> ModelError:
        line = thing.getLine() if thing is not None else 0
        return ModelError(Problem(f"{file}:{line}" if line else file, "", message))

    well_formed(text, file, "sbml")  # refuses document types
    document = libsbml.readSBMLFromString(text)
    if (
        document.getNumErrors(libsbml.LIBSBML_SEV_ERROR)
        or document.getNumErrors(libsbml.LIBSBML_SEV_FATAL)
        or document.getModel() is None
    ):
        error = document.getError(0)
        said = (
            (error.getMessage().strip().splitlines() or ["no reason given"])[0]
            if error is not None
            else "it holds no model"
        )
        raise ModelError(
            Problem(f"{file}:{error.getLine() if error is not None else 1}", "", f"this is no valid SBML: {said}.")
        )
    qual = document.getModel().getPlugin("qual")
    if qual is None or not qual.getNumQualitativeSpecies():
        raise fail("it has no qualitative species: this is SBML, but no SBML-qual.")
    transitions = [qual.getTransition(k) for k in range(qual.getNumTransitions())]
    species = _species(qual, transitions, fail)
    for transition in transitions:
        inputs = _inputs(libsbml, transition, fail)
        for output in (transition.getOutput(k) for k in range(transition.getNumOutputs())):
            changed = species.get(output.getQualitativeSpecies())
            if changed is None:
                raise fail(f"a transition changes '{output.getQualitativeSpecies()}', which is no species.", output)
            if output.getTransitionEffect() == libsbml.OUTPUT_TRANSITION_EFFECT_PRODUCTION:
                raise fail(
                    f"a transition produces '{output.getQualitativeSpecies()}', as in a Petri net; only levels that "
                    "are assigned are taken.",
                    output,
                )
            if changed.constant or changed.terms is not None:
                why = "is constant" if changed.constant else "is changed by another transition, too"
                raise fail(f"'{output.getQualitativeSpecies()}' {why}.", output)
            _take_terms(libsbml, transition, changed, species, inputs, fail)
    bnd, cfg = [], []
    for name, one in species.items():
        nodes = one.nodes(name)
        for k, node in enumerate(nodes):
            logic = one.reaches(k + 1) if one.terms is not None else ""
            below, above = nodes[k - 1] if k else "", nodes[k + 1] if k + 1 < len(nodes) else ""
            up = f"rate_up = ({logic}){f' && {below}' if below else ''} ? 1 : 0; "
            down = f"rate_down = ({logic}){f' || {above}' if above else ''} ? 0 : 1; "
            bnd.append(
                f"Node {node} {{ {f' logic = {logic}; ' if logic and len(nodes) == 1 else up + down if logic else ''}}}"
            )
        if one.start is not None:
            cfg += [f"{node}.istate = {int(one.start > k)};" for k, node in enumerate(nodes)]
        elif len(nodes) > 1:
            states = (
                f"1 [{', '.join(str(int(level > k)) for k in range(len(nodes)))}]" for level in range(len(nodes) + 1)
            )
            cfg.append(f"[{', '.join(nodes)}].istate = {', '.join(states)};")
    return "\n".join(bnd), "\n".join(cfg)


def _species(qual: Any, transitions: list[Any], fail: Callable[..., ModelError]) -> dict[str, Species]:
    """Every species; where a file names no highest level, it is the highest that the file speaks of, and at least 1."""
    asked: dict[str, int] = {}
    for t in transitions:
        for other in (t.getOutput(k).getQualitativeSpecies() for k in range(t.getNumOutputs())):
            levels = [t.getFunctionTerm(k).getResultLevel() for k in range(t.getNumFunctionTerms())]
            asked[other] = max([asked.get(other, 1), *levels])
    out: dict[str, Species] = {}
    for s in (qual.getQualitativeSpecies(k) for k in range(qual.getNumQualitativeSpecies())):
        name, start = s.getId(), s.getInitialLevel() if s.isSetInitialLevel() else None
        highest = int(s.getMaxLevel()) if s.isSetMaxLevel() else max(asked.get(name, 1), start or 0)
        if not 0 <= highest <= MOST_LEVELS:
            raise fail(f"{name} has levels up to {highest}; at most {MOST_LEVELS} are taken.", s)
        if start is not None and not 0 <= start <= max(highest, 1):
            raise fail(f"{name} starts at level {start}; its highest is {highest}.", s)
        out[name] = Species(max(highest, 1), start, bool(s.getConstant()))
    nodes = [node for name, s in out.items() for node in s.nodes(name)]
    twice = next((n for n in nodes if nodes.count(n) > 1), None)
    if twice:
        raise fail(f"'{twice}' names a species and a level of another one.")
    return out


def _inputs(libsbml: Any, transition: Any, fail: Callable[..., ModelError]) -> dict[str, int]:
    """Ids of the inputs of a transition -> their thresholds."""
    out = {}
    for given in (transition.getInput(k) for k in range(transition.getNumInputs())):
        if given.getTransitionEffect() == libsbml.INPUT_TRANSITION_EFFECT_CONSUMPTION:
            raise fail(
                f"a transition consumes '{given.getQualitativeSpecies()}', as in a Petri net; only levels that stay "
                "are taken.",
                given,
            )
        if given.getId() and given.isSetThresholdLevel():
            out[given.getId()] = given.getThresholdLevel()
    return out


def _take_terms(libsbml: Any, transition: Any, one: Species, species: Mapping[str, Species], inputs: Mapping[str, int],
                fail: Callable[..., ModelError]) -> None:  # fmt: skip
    default = transition.getDefaultTerm()
    one.default = default.getResultLevel() if default is not None else 0
    one.terms = []
    for term in (transition.getFunctionTerm(k) for k in range(transition.getNumFunctionTerms())):
        if term.getMath() is None:
            raise fail("a function term without a condition.", term)

        def missing(message: str, term: Any = term) -> ModelError:
            return fail(message, term)

        one.terms.append((f"({say(libsbml, term.getMath(), species, inputs, missing)})", term.getResultLevel()))
    highest = max([one.default, *(level for _, level in one.terms)])
    if highest > one.levels:
        raise fail(f"a transition sets a level of {highest}; the highest is {one.levels}.", transition)


def say(
    libsbml: Any,
    node: Any,
    species: Mapping[str, Species],
    inputs: Mapping[str, int],
    fail: Callable[[str], ModelError],
) -> str:
    """MathML as an expression of a .bnd."""
    kind = node.getType()
    children = [say(libsbml, node.getChild(k), species, inputs, fail) for k in range(node.getNumChildren())]
    logic = {
        libsbml.AST_LOGICAL_AND: ("&&", "1 == 1"),
        libsbml.AST_LOGICAL_OR: ("||", "1 == 0"),
        libsbml.AST_LOGICAL_XOR: ("^", "1 == 0"),
    }
    compared = {
        libsbml.AST_RELATIONAL_EQ: "==", libsbml.AST_RELATIONAL_NEQ: "!=", libsbml.AST_RELATIONAL_LT: "<",
        libsbml.AST_RELATIONAL_GT: ">", libsbml.AST_RELATIONAL_LEQ: "<=", libsbml.AST_RELATIONAL_GEQ: ">=",
    }  # fmt: skip
    counted = {libsbml.AST_PLUS: "+", libsbml.AST_MINUS: "-", libsbml.AST_TIMES: "*", libsbml.AST_DIVIDE: "/"}
    if kind in logic:
        sign, none = logic[kind]
        return f"({f' {sign} '.join(children) or none})"
    if kind == libsbml.AST_LOGICAL_NOT and len(children) == 1:
        return f"!({children[0]})"
    if kind in compared and len(children) >= 2:
        return "(" + " && ".join(f"({a} {compared[kind]} {b})" for a, b in zip(children, children[1:])) + ")"
    if kind in counted and children:
        return f"({f' {counted[kind]} '.join(children)})" if len(children) > 1 else f"(0 {counted[kind]} {children[0]})"
    if kind == libsbml.AST_FUNCTION_PIECEWISE and children:
        pairs = [f"({c}) ? {v} : " for v, c in zip(children[:-1:2], children[1::2])]
        return f"({''.join(pairs)}{children[-1] if len(children) % 2 else '0'})"
    if kind in (libsbml.AST_CONSTANT_TRUE, libsbml.AST_CONSTANT_FALSE):
        return "(1 == 1)" if kind == libsbml.AST_CONSTANT_TRUE else "(1 == 0)"
    if kind in (libsbml.AST_INTEGER, libsbml.AST_REAL, libsbml.AST_REAL_E, libsbml.AST_RATIONAL):
        value = float(node.getValue())
        if not abs(value) < 1e15:
            raise fail(f"{value:g} in a condition is too large.")
        return f"{value:.17g}" if value >= 0 else f"(0 - {-value:.17g})"
    name = node.getName() or ""
    if kind == libsbml.AST_NAME and name in species:
        return name if species[name].levels == 1 else f"({' + '.join(species[name].nodes(name))})"
    if kind == libsbml.AST_NAME and name in inputs:
        return str(inputs[name])
    if kind == libsbml.AST_NAME:
        raise fail(
            f"'{name[:60]}' is neither a species nor an input of this transition with a threshold."
            f"{did_you_mean(name, [*species, *inputs])}"
        )
    raise fail(f"'{(libsbml.formulaToL3String(node) or '?')[:60]}' is no condition that is understood.")


def is_qual(path: Path | str) -> bool:
    """Does the name say SBML?"""
    return Path(path).suffix.lower() in (".sbml", ".xml")
