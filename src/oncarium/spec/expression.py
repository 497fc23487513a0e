"""Expressions of Boolean networks: nodes, parameters, logic and arithmetic, read into Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ModelError, Problem, did_you_mean

TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)|(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|(?P<parameter>\$\w+)|(?P<attribute>@\w+)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\")|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/!&|^<>?:(){}\[\];,.=])",
    re.S,
)
WORDS = {"AND": "&&", "OR": "||", "NOT": "!", "XOR": "^", "&": "&&", "|": "||"}
DEEPEST = 40  # levels of parentheses and choices


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
        return f"'{self.now[1]}'" if self.now[1] else "the end of the file"

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


@dataclass
class Scope:
    """What names in an expression stand for. attribute(name): its expression, or None where it is not known."""

    nodes: list[str]
    parameters: list[str]
    attribute: Callable[[str], tuple[str, bool] | None] = lambda name: None
    known: list[str] = field(default_factory=list)


def expression(t: Tokens, scope: Scope) -> tuple[str, bool]:
    """Read an expression; gives it in Python, and whether it is a truth (else a number)."""
    t.depth += 1
    if t.depth > DEEPEST:
        raise t.fail(f"values are nested deeper than {DEEPEST} levels.")
    found = _choice(t, scope)
    t.depth -= 1
    return found


def _choice(t: Tokens, scope: Scope) -> tuple[str, bool]:
    condition = _binary(t, scope, 0)
    if not t.has("?"):
        return condition
    one = expression(t, scope)
    t.take(text=":")
    other = expression(t, scope)
    return f"({number(one)} if {truth(condition)} else {number(other)})", False


LEVELS = (("||",), ("^",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/"))


def _binary(t: Tokens, scope: Scope, level: int) -> tuple[str, bool]:
    if level == len(LEVELS):
        return _unary(t, scope)
    left = _binary(t, scope, level + 1)
    while sign := t.has(*LEVELS[level]):
        right = _binary(t, scope, level + 1)
        if sign in ("||", "&&", "^"):
            word = {"||": "or", "&&": "and", "^": "!="}[sign]
            left = f"({truth(left)} {word} {truth(right)})", True
        else:
            left = f"({number(left)} {sign} {number(right)})", sign not in ("+", "-", "*", "/")
    return left


def _unary(t: Tokens, scope: Scope) -> tuple[str, bool]:
    sign = t.has("!", "-", "+")
    if sign:
        t.depth += 1
        if t.depth > DEEPEST:
            raise t.fail(f"values are nested deeper than {DEEPEST} levels.")
        inside = _unary(t, scope)
        t.depth -= 1
        return (f"(not {truth(inside)})", True) if sign == "!" else (f"(-{number(inside)})", False) if sign == "-" else inside
    if t.has("("):
        inside = expression(t, scope)
        t.take(text=")")
        return inside
    line, (kind, text) = t.line, t.now
    t.at += 1
    if kind == "number":
        return repr(float(text)), False
    if kind == "parameter":
        if text not in scope.parameters:
            raise t.fail(f"the parameter {text} has no value.{did_you_mean(text, scope.parameters)}", "Expected it in the settings.", line)
        return f"p[{scope.parameters.index(text)}]", False
    if kind == "attribute":
        found = scope.attribute(text[1:])
        if found is None:
            raise t.fail(f"the node has no {text}.{did_you_mean(text[1:], scope.known)}", line=line)
        return found
    if kind == "name":
        if text not in scope.nodes:
            raise t.fail(f"no node is called '{text}'.{did_you_mean(text, scope.nodes)}", line=line)
        return f"(s[{scope.nodes.index(text)}] > 0)", True
    t.at -= 1
    raise t.fail(f"{t.said} stands where a node, a number or a parameter is expected.", line=line)


def truth(e: tuple[str, bool]) -> str:
    """An expression as Python that is true or false; a number is true where it is not 0."""
    return e[0] if e[1] else f"({e[0]} != 0.0)"


def number(e: tuple[str, bool]) -> str:
    """An expression as Python that is a number; a truth is 1 or 0."""
    return e[0] if not e[1] else f"(1.0 if {e[0]} else 0.0)"
