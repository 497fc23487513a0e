"""Expressions of Boolean networks: nodes, parameters, logic and arithmetic, read into Python."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import ModelError, Problem, did_you_mean

TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|(?P<parameter>\$\w+)|(?P<attribute>@\w+)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\")|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/!&|^<>?:(){}\[\];,.=])",
    re.S,
)
WORDS = {"AND": "&&", "OR": "||", "NOT": "!", "XOR": "^", "&": "&&", "|": "||"}
TRUTHS = {"TRUE": 1.0, "FALSE": 0.0}
DEEPEST = 40  # levels of parentheses and choices
MOST_TERMS = 1000  # of one expression


@dataclass
class Tokens:
    """Tokens of a file with their lines, read one after another."""

    file: str
    items: list[tuple[str, str, int]]
    at: int = 0
    depth: int = 0

    @property
    def now(self) -> tuple[str, str]:
        """(kind, text) of the next token; ("end", "") after the last."""
        return self.items[self.at][:2] if self.at < len(self.items) else ("end", "")

    @property
    def said(self) -> str:
        """The next token as a message names it."""
        return f"'{self.now[1][:60]}'" if self.now[1] else "the end of the file"

    @property
    def line(self) -> int:
        """Line of the next token, or of the last one at the end."""
        return self.items[min(self.at, len(self.items) - 1)][2] if self.items else 1

    def fail(self, message: str, expected: str = "", line: int = 0) -> ModelError:
        """A ModelError at a line (0: that of the next token), to be raised."""
        return ModelError(Problem(f"{self.file}:{line or self.line}", "", message, expected))

    def take(self, kind: str = "", text: str = "") -> str:
        """The next token, which must be of a kind or a certain text."""
        now = self.now
        if (kind and now[0] != kind) or (text and now[1] != text):
            wanted = f"'{text}'" if text else f"a {kind}"
            raise self.fail(f"{self.said} stands where {wanted} is expected.")
        self.at += 1
        return now[1]

    def has(self, *texts: str) -> str:
        """The next token if it is one of these (words in capitals count as their signs), taken; else nothing."""
        kind, text = self.now
        sign = WORDS.get(text, text) if kind in ("sign", "name") else ""
        if sign and sign in texts:
            self.at += 1
            return sign
        return ""


def tokens(text: str, file: str) -> Tokens:
    """Split a text without its spaces and comments. Raises ModelError at what is no token."""
    items, at, line = [], 0, 1
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise ModelError(Problem(f"{file}:{line}", "", f"'{text[at]}' is not understood."))
        if found.lastgroup != "space":
            items.append((str(found.lastgroup), found[0], line))
        line += found[0].count("\n")
        at = found.end()
    return Tokens(file, items)


@dataclass(frozen=True)
class Term:
    """An expression in Python, whether it is a truth (else a number), and its value where no node decides it."""

    text: str
    is_truth: bool = False
    value: float | None = None


@dataclass
class Scope:
    """What names in an expression stand for: nodes in their order, parameters and their values.

    attribute(name): its expression, or None where it is not known
    """

    nodes: list[str]
    parameters: Mapping[str, float]
    attribute: Callable[[str], Term | None] = lambda name: None
    known: list[str] = field(default_factory=list)
    terms: int = 0

    def __post_init__(self) -> None:
        self.place = {name: k for k, name in enumerate(self.parameters)}


def expression(t: Tokens, scope: Scope) -> Term:
    """Read an expression of nodes, parameters and numbers. Raises ModelError."""
    _deeper(t)
    found = _choice(t, scope)
    t.depth -= 1
    return found


def _deeper(t: Tokens) -> None:
    t.depth += 1
    if t.depth > DEEPEST:
        raise t.fail(f"values are nested deeper than {DEEPEST} levels.")


def _choice(t: Tokens, scope: Scope) -> Term:
    condition = _binary(t, scope, 0)
    if not t.has("?"):
        return condition
    one = expression(t, scope)
    t.take(text=":")
    other = expression(t, scope)
    value = None if condition.value is None else one.value if condition.value else other.value
    return Term(f"({number(one)} if {truth(condition)} else {number(other)})", False, value)


LEVELS = (("||",), ("^",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/"))
PYTHON = {"||": "or", "&&": "and", "^": "!="}
WORTH: dict[str, Callable[[float, float], float]] = {
    "||": lambda a, b: a or b, "&&": lambda a, b: a and b, "^": lambda a, b: bool(a) != bool(b), "==": operator.eq,
    "!=": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "+": operator.add,
    "-": operator.sub, "*": operator.mul, "/": lambda a, b: a / b if b else math.nan,
}  # fmt: skip


def _binary(t: Tokens, scope: Scope, level: int) -> Term:
    if level == len(LEVELS):
        return _unary(t, scope)
    left, links = _binary(t, scope, level + 1), 0
    while sign := t.has(*LEVELS[level]):
        right = _binary(t, scope, level + 1)
        logic, arithmetic = sign in PYTHON, sign in ("+", "-", "*", "/")
        one, other = (truth(left), truth(right)) if logic else (number(left), number(right))
        # a chain of these means the same without inner brackets, of which Python takes two hundred; of others it does
        # not
        chained = links and sign in ("||", "&&", "+", "-", "*", "/")
        if links > DEEPEST and not chained:
            raise t.fail(f"more than {DEEPEST} comparisons stand in a row.")
        links += 1
        known = left.value is not None and right.value is not None
        value = float(WORTH[sign](left.value, right.value)) if known else None  # type: ignore[arg-type]
        if logic and known:
            value = float(bool(value))
        left = Term(f"{one[:-1] if chained else f'({one}'} {PYTHON.get(sign, sign)} {other})", not arithmetic, value)
    return left


def _unary(t: Tokens, scope: Scope) -> Term:
    sign = t.has("!", "-", "+")
    if sign:
        _deeper(t)
        inside = _unary(t, scope)
        t.depth -= 1
        if sign == "!":
            return Term(f"(not {truth(inside)})", True, None if inside.value is None else float(not inside.value))
        return (
            Term(f"(-{number(inside)})", False, None if inside.value is None else -inside.value)
            if sign == "-"
            else inside
        )
    if t.has("("):
        inside = expression(t, scope)
        t.take(text=")")
        return inside
    scope.terms += 1
    if scope.terms > MOST_TERMS:
        raise t.fail(f"this value has more than {MOST_TERMS:,} terms.")
    line, (kind, text) = t.line, t.now
    t.at += 1
    if kind == "number":
        value = float(text)
        if not math.isfinite(value):
            raise t.fail(f"'{text[:60]}' is too large for a number;", "expected a finite one.", line)
        return Term(repr(value), False, value)
    if kind == "parameter":
        if text not in scope.parameters:
            raise t.fail(
                f"the parameter {text[:60]} has no value.{did_you_mean(text, scope.parameters)}",
                "Expected it in the settings.",
                line,
            )
        return Term(f"p[{scope.place[text]}]", False, scope.parameters[text])
    if kind == "attribute":
        found = scope.attribute(text[1:])
        if found is None:
            raise t.fail(f"the node has no {text[:60]}.{did_you_mean(text[1:], scope.known)}", line=line)
        return found
    if kind == "name":
        if text in scope.nodes:
            return Term(f"(s[{scope.nodes.index(text)}] > 0)", True)
        if text.upper() in TRUTHS:
            value = TRUTHS[text.upper()]
            return Term(repr(value), False, value)
        raise t.fail(f"no node is called '{text[:60]}'.{did_you_mean(text, scope.nodes)}", line=line)
    t.at -= 1
    raise t.fail(f"{t.said} stands where a node, a number or a parameter is expected.", line=line)


def truth(e: Term) -> str:
    """An expression as Python that is true or false; a number is true where it is not 0."""
    return e.text if e.is_truth else f"({e.text} != 0.0)"


def number(e: Term) -> str:
    """An expression as Python that is a number; a truth is 1 or 0."""
    return e.text if not e.is_truth else f"(1.0 if {e.text} else 0.0)"
