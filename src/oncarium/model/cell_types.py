"""The cell types of a model: each laid over the library and the type it is like, with rules, network, variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import did_you_mean
from . import catalog
from .cell import CellType, awake, read_cell, read_distributions
from .effects import effects_on
from .library import laid_over
from .network import Network, bare, node_columns, read_network, read_networks
from .overlay import over
from .reader import Reader
from .rule import Names, Rule, check_conflicts, read_rule, sentences
from .therapy import Therapy
from .varies import read_varies


@dataclass(frozen=True)
class Types:
    """The cell types, and what belongs to all of them.

    names       all that rules may speak of     networks   by type
    conserved   custom columns whose sum over the cells stays
    """

    types: list[CellType]
    names: Names
    networks: dict[str, Network]
    conserved: set[str]


def read_types(
    reader: Reader, tree: Mapping[str, Any], units: Mapping[str, str], processes: Sequence[Any], folder: Path | None,
    therapy: Therapy | None = None,
) -> Types:  # fmt: skip
    """The sections cells and custom of a document.

    units   factor -> unit     processes   mechanisms of the user, whose columns rules may name
    therapy   whose drugs add rules, or None
    """
    given = reader.named(tree.get("cells"), "cells", "cell type")
    trees = {name: _like(reader, given, name, ()) for name in given}
    logics = read_networks(reader, trees, given, folder)
    custom, conserved = _read_custom(reader, tree.get("custom"))
    columns = {**catalog.columns(), **custom, **node_columns(logics)}
    for process in processes:
        for c in process.columns():
            columns[c.name] = catalog.Entry(
                c.name, c.unit, c.kind, c.default, c.ge, c.le, c.axis, c.doc, c.settable, c.wakes, c.at_death
            )
    cycles = {name: _phases(t) for name, t in trees.items()}
    names = Names(columns, dict(units), list(trees), list(dict.fromkeys(p for own in cycles.values() for p in own)),
                  cycles, any("network" in t for name, t in trees.items() if name not in logics),
                  [d.name for d in therapy.drugs if d.binds] if therapy else [])  # fmt: skip
    types: list[CellType] = []
    networks: dict[str, Network] = {}
    for name, t in trees.items():
        cell = read_cell(reader, name, bare(t), names)
        rules = _read_rules(reader, t, cell, names)
        if therapy is not None:
            rules += effects_on(reader, therapy, cell, rules, names)
        check_conflicts(reader, rules, lambda column, label, cell=cell: cell.value(columns[column], label))
        drawn = read_distributions(reader, t.get("distributions"), f"cells.{name}.distributions", names)
        varies = read_varies(reader, t.get("varies"), f"cells.{name}.varies", names)
        spoken = {c for _, r in rules for c in (r.behavior[0], r.signal[0])}
        spoken |= {x.column for x in drawn} | {x.column for x in varies}
        if name in logics:
            network = networks[name] = read_network(reader, t["network"], f"cells.{name}.network", logics[name], names)
            cell = replace(cell, values={**cell.values, **network.sure})
            spoken |= {"network.runs", *(i.signal[0] for i in network.inputs)}
        _check_nodes(reader, name, rules, networks[name].logic.nodes if name in networks else ())
        sections = awake(cell, columns) | {c.partition(".")[0] for c in spoken}
        types.append(
            replace(
                cell,
                rules=tuple(r for _, r in rules),
                sections=frozenset(sections - {"sense"}),
                distributions=drawn,
                varies=varies,
                sleeps=_read_sleeps(reader, t.get("sleeps"), f"cells.{name}.sleeps", names),
            )
        )
    return Types(types, names, networks, conserved)


def _like(reader: Reader, given: dict[str, Any], name: str, chain: tuple[str, ...]) -> dict[str, Any]:
    """What a type says, over what the type it is like says."""
    path = f"cells.{name}"
    tree = laid_over(reader, given[name], path, "cells")
    other = reader.text(tree.get("like"), f"{path}.like")
    if not other:
        return tree
    if other in (*chain, name):
        reader.complain(
            f"{path}.like", f"cell types resemble each other in a circle: {' > '.join((*chain, name, other))}."
        )
        return tree
    if other not in given:
        reader.word(other, f"{path}.like", given, "cell type")
        return tree
    below = _like(reader, given, other, (*chain, name))
    return over({k: v for k, v in below.items() if k != "doc"}, tree)


def _phases(tree: Mapping[str, Any]) -> Sequence[str]:
    """Phases of the cycle that a type names."""
    cycle = tree.get("cycle")
    model = cycle.get("model", "live") if isinstance(cycle, dict) else "none"
    return catalog.cycles().get(str(model), catalog.cycles()["none"]).phases


def _read_rules(reader: Reader, tree: Mapping[str, Any], cell: CellType, names: Names) -> list[tuple[str, Rule]]:
    """Path and rule of every sentence that a type keeps."""
    rules: list[tuple[str, Rule]] = []
    if "without" in tree:
        reader.complain(
            f"cells.{cell.name}.without", "rules are left out in another way now;",
            "expected rules: {drop: [signal on behavior, ...]}.",
        )  # fmt: skip
    for at, sentence in sentences(reader, tree.get("rules"), f"cells.{cell.name}.rules"):
        rule = read_rule(reader, sentence, at, names)
        if rule and rule.behavior[0] == "cycle.exit" and rule.behavior[1] not in cell.cycle.phases:
            reader.complain(
                at,
                f"the cycle model {cell.cycle.name} of {cell.name} has no phase '{rule.behavior[1]}';",
                f"expected one of {', '.join(cell.cycle.phases) or 'none'}.",
            )
        elif rule:
            rules.append((at, rule))
    return rules


def _read_sleeps(reader: Reader, given: Any, path: str, names: Names) -> dict[str, str]:
    """Which rules do nothing as long as nobody interferes, and why: "signal on behavior" -> reason."""
    out = {}
    known = (names.signals, names.all(("behavior",)))
    for said, why in reader.group(given, path).items():
        for word, words in zip((part.strip() for part in said.partition(" on ")[::2]), known, strict=True):
            if word != "*" and word not in words:
                reader.complain(
                    f"{path}.{said}",
                    f"'{said[:60]}' is no pair of a signal and a behavior.{did_you_mean(word, words)}",
                    "Expected signal on behavior, as they stand in a rule; * for any.",
                )
        out[said] = reader.text(why, f"{path}.{said}")
    return out


def _check_nodes(reader: Reader, type: str, rules: Sequence[tuple[str, Rule]], nodes: Sequence[str]) -> None:
    """A rule may only read nodes that cells of its type have."""
    for path, rule in rules:
        section, _, node = rule.signal[0].partition(".")
        if section == "network" and node not in (*nodes, "runs"):
            reader.complain(
                path,
                f"'{rule.text}': cells of type {type} have no node '{node}'.",
                remedy=f"Give {type} a section network that has it.",
            )


def _read_custom(reader: Reader, tree: Any) -> tuple[dict[str, catalog.Entry], set[str]]:
    """Columns of the model's own variables, and which of them are conserved."""
    out, conserved = {}, set()
    for name, given in reader.named(tree, "custom", "variable").items():
        said = reader.group(given, f"custom.{name}", ("unit", "conserved", "doc"))
        if reader.text(said.get("unit"), f"custom.{name}.unit", "1") != "1":
            reader.complain(
                f"custom.{name}.unit", f"'{str(said['unit'])[:60]}' is no unit of a custom variable;", "expected 1."
            )
        if reader.truth(said.get("conserved", False), f"custom.{name}.conserved"):
            conserved.add(f"custom.{name}")
        out[f"custom.{name}"] = catalog.Entry(
            f"custom.{name}", "1", "behavior", 0.0, None, None, None, reader.text(said.get("doc"), f"custom.{name}.doc")
        )
    return out, conserved
