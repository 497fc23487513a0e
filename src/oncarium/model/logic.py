"""Boolean networks as text: MaBoSS's .bnd and .cfg (rates from logic and parameters), and SBML-qual.

The format is that of Stoll et al. 2017 (DOI 10.1093/bioinformatics/btx123).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import ModelError, Problem, did_you_mean
from .expression import TRUTHS, Scope, Term, Tokens, expression, number, tokens, truth
from .reader import LONGEST_NAME

SETTINGS = (  # of how MaBoSS itself runs and prints; here the clock of the model says that
    "time_tick", "max_time", "sample_count", "discrete_time", "use_physrandgen", "use_mtrandgen", "use_glibcrandgen",
    "seed_pseudorandom", "display_traj", "thread_count", "statdist_traj_count", "statdist_cluster_threshold",
    "statdist_similarity_cache_max_size", "init_pop",
)  # fmt: skip
NODE_SETTINGS = ("istate", "is_internal", "refstate", "in_graph")
LARGEST = 200  # nodes
MOST_PARAMETERS = 1000
LONGEST = 100_000  # characters of one rate, with all that it refers to put in
NESTED = 150  # brackets within brackets in Python, which takes two hundred


@dataclass(frozen=True)
class Start:
    """How nodes begin: together one of `states`, with these probabilities."""

    nodes: tuple[int, ...]
    states: tuple[tuple[int, ...], ...]
    chances: tuple[float, ...]


@dataclass(frozen=True)
class Logic:
    """A network.

    up, down   Python expressions of the rates per unit of its time; `s[k]` is node k (0 or 1), `p[k]` parameter k
    """

    nodes: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...]
    parameters: Mapping[str, float]
    starts: tuple[Start, ...]


# -- .bnd -------------------------------------------------------------------------------------------------------------


def read_nodes(text: str, file: str) -> dict[str, dict[str, Tokens]]:
    """Node -> attribute -> the tokens of its value.

    >>> list(read_nodes("Node A { logic = !B; } Node B { rate_up = 1; }", "x.bnd")["A"])
    ['logic']
    """
    t = tokens(text, file)
    nodes: dict[str, dict[str, Tokens]] = {}
    while t.now[0] != "end":
        if t.now[1].lower() != "node":
            raise t.fail(f"'{t.now[1]}' stands where a node is expected,", "as  Node A { logic = B AND !C; }.")
        t.at += 1
        line, name = t.line, t.take("name")
        if len(name) > LONGEST_NAME:
            raise t.fail(
                f"the name of a node has at most {LONGEST_NAME} letters; '{name[:20]}...' has {len(name):,}.", line=line
            )
        if name in nodes:
            raise t.fail(f"the node {name} stands here a second time.", line=line)
        nodes[name] = {}
        t.take(text="{")
        while not t.has("}"):
            attribute = t.take("name")
            t.take(text="=")
            nodes[name][attribute] = Tokens(file, _until(t, ";"))
    if not nodes:
        raise ModelError(Problem(file, "", "it has no node.", "Expected  Node A { logic = B AND !C; }."))
    if len(nodes) > LARGEST:
        raise ModelError(Problem(file, "", f"{len(nodes)} nodes; at most {LARGEST} are taken."))
    return nodes


def _until(t: Tokens, end: str) -> list[tuple[str, str, int]]:
    first = t.at
    while t.now[1] != end:
        if t.now[0] == "end" or t.now[1] in "{}":
            raise t.fail(f"no '{end}' ends this value.", line=t.items[max(first - 1, 0)][2])
        t.at += 1
    t.at += 1
    return t.items[first : t.at - 1]


def read_logic(
    text: str, file: str, settings: str = "", settings_file: str = "", values: Mapping[str, float] | None = None
) -> Logic:
    """The network of a .bnd and its .cfg; `values` override parameters. Raises ModelError.

    >>> nodes = "Node A { rate_up = $u; rate_down = @logic ? 0 : 2; logic = A | !B; } Node B {}"
    >>> read_logic(nodes, "x.bnd", "$u = 3;").up[0]
    'p[0]'
    """
    nodes = read_nodes(text, file)
    names = list(nodes)
    parameters, starts = read_settings(settings, settings_file or "settings", names)
    for name, value in (values or {}).items():
        if name not in parameters:
            raise ModelError(Problem(file, "", f"the network has no parameter {name}.{did_you_mean(name, parameters)}"))
        parameters[name] = value
    rates = [_rates(parts, names, parameters) for parts in nodes.values()]
    return Logic(tuple(names), tuple(r[0] for r in rates), tuple(r[1] for r in rates), parameters, starts)


def _rates(parts: Mapping[str, Tokens], names: list[str], parameters: Mapping[str, float]) -> tuple[str, str]:
    """Rates of one node; without them it follows its logic at rate 1."""

    def of(attribute: str, chain: tuple[str, ...]) -> Term | None:
        t = parts.get(attribute)
        if t is None:
            return None
        if attribute in chain:
            raise t.fail(f"@{attribute} is defined by itself.")
        scope = Scope(names, parameters, lambda name: of(name, (*chain, attribute)), list(parts))
        t.at = t.depth = 0
        found = expression(t, scope)
        if len(found.text) > LONGEST or _nested(found.text) > NESTED:
            raise t.fail(
                f"this value grows beyond {LONGEST:,} characters or {NESTED} brackets with all that it refers to.",
                line=t.items[0][2],
            )
        if t.now[0] != "end":
            raise t.fail(f"'{t.now[1][:60]}' stands behind the end of the expression.")
        if found.value is not None and not math.isfinite(found.value):
            raise t.fail("this value is no finite number.", line=t.items[0][2])
        return found

    up, down, logic = of("rate_up", ()), of("rate_down", ()), of("logic", ())
    yes = truth(logic) if logic else ""
    return (
        number(up) if up else f"(1.0 if {yes} else 0.0)" if yes else "0.0",
        number(down) if down else f"(0.0 if {yes} else 1.0)" if yes else "0.0",
    )


def _nested(text: str) -> int:
    """How many brackets stand within brackets."""
    open, most = 0, 0
    for letter in text:
        open += (letter == "(") - (letter == ")")
        most = max(most, open)
    return most


# -- .cfg -------------------------------------------------------------------------------------------------------------


def read_settings(text: str, file: str, names: list[str]) -> tuple[dict[str, float], tuple[Start, ...]]:
    """Parameters and starts of a .cfg; other nodes start as 0 or 1 with equal chances, as in MaBoSS.

    >>> read_settings("$a = 2; $b = $a * 3; [A].istate = 0.25[0], 0.75[1];", "x.cfg", ["A"])
    ({'$a': 2.0, '$b': 6.0}, (Start(nodes=(0,), states=((0,), (1,)), chances=(0.25, 0.75)),))
    """
    t = tokens(text, file)
    parameters: dict[str, float] = {}
    starts: dict[tuple[int, ...], Start] = {}

    def node() -> int:
        line, name = t.line, t.take("name")
        if name not in names:
            raise t.fail(f"no node is called '{name[:60]}'.{did_you_mean(name, names)}", line=line)
        return names.index(name)

    def value() -> float:
        line, found = t.line, expression(t, Scope(names, parameters))
        if found.value is None:
            raise t.fail("a node's state is no setting;", "expected numbers and parameters.", line)
        if not math.isfinite(found.value):
            raise t.fail("this value is no finite number.", line=line)
        return found.value

    while t.now[0] != "end":
        kind, word = t.now
        if kind == "parameter":
            t.at += 1
            t.take(text="=")
            parameters[word] = value()
            if len(parameters) > MOST_PARAMETERS:
                raise t.fail(f"more than {MOST_PARAMETERS:,} parameters.")
        elif word == "[" or (kind == "name" and t.at + 1 < len(t.items) and t.items[t.at + 1][1] == "."):
            group = [node()] if not t.has("[") else []
            while not group or t.has(","):
                group.append(node())
            if word == "[":
                t.take(text="]")
            t.take(text=".")
            line, what = t.line, t.take("name")
            if what not in NODE_SETTINGS:
                raise t.fail(f"a node has no '{what[:60]}'.{did_you_mean(what, NODE_SETTINGS)}", line=line)
            t.take(text="=")
            if what == "istate":
                starts[tuple(group)] = _start(t, tuple(group), value)
            else:
                value()
        elif kind == "name":
            if word not in SETTINGS:
                raise t.fail(f"no setting is called '{word[:60]}'.{did_you_mean(word, SETTINGS)}")
            t.at += 1
            t.take(text="=")
            value()
        else:
            raise t.fail(f"'{word}' stands where a setting is expected,", "as  $rate = 1;  or  A.istate = 0;")
        t.take(text=";")
    told = {k for group in starts for k in group}
    for k in range(len(names)):
        if k not in told:
            starts[(k,)] = Start((k,), ((0,), (1,)), (0.5, 0.5))
    return parameters, tuple(starts.values())


def _start(t: Tokens, group: tuple[int, ...], value: Callable[[], float]) -> Start:
    """A.istate = 1;   or   [A, B].istate = 0.4 [1, 0], 0.6 [0, 0];"""
    line = t.line
    first = value()
    if t.now[1] != "[":
        if len(group) > 1 or first not in (0.0, 1.0, -1.0):
            raise t.fail(
                f"{first:g} is no start of {'these nodes' if len(group) > 1 else 'a node'};",
                "expected 0, 1, or -1 for chance.",
                line,
            )
        return Start(group, ((0,), (1,)), (0.5, 0.5) if first < 0.0 else (1.0 - first, first))
    states, chances = [], [first]
    while True:
        t.take(text="[")
        given = _listed(t)
        if len(given) != len(group) or set(given) - {0.0, 1.0}:
            raise t.fail(
                f"a start of {len(group)} node{'s' if len(group) > 1 else ''} needs as many values of 0 or 1.",
                line=line,
            )
        states.append(tuple(int(v) for v in given))
        if not t.has(","):
            break
        chances.append(value())
    total = sum(chances)
    if min(chances) < 0.0 or not 0.0 < total < math.inf:
        raise t.fail("the chances of a start are at least 0 and not all 0.", line=line)
    return Start(group, tuple(states), tuple(c / total for c in chances))


def _listed(t: Tokens) -> list[float]:
    out: list[float] = []
    while not out or t.has(","):
        word = t.now[1].upper()
        out.append(TRUTHS[word] if word in TRUTHS else float(t.now[1] if t.now[0] == "number" else t.take("number")))
        t.at += 1
    t.take(text="]")
    return out
