"""The section `network` of a cell type: a Boolean network that every cell runs by itself.

network:
  file: p53.bnd                # or SBML-qual: p53.sbml
  settings: p53.cfg            # parameters and starts
  time: 1 h                    # how long one unit of the network's time lasts
  parameters: {$u_p53: 2}      # in place of those of the settings
  hold: {Mdm2: 0}              # nodes that never change, as after a mutation
  inputs:
    - {node: Damage, signal: damage, above: 1}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError, did_you_mean
from .catalog import Entry
from .files import decode, read_bytes
from .logic import Logic, read_logic
from .qual import is_qual, read_qual
from .reader import Reader
from .rule import Names

KEYS = ("file", "settings", "bnd", "cfg", "time", "parameters", "hold", "inputs", "doc")
MINUTES = 1.0


@dataclass(frozen=True)
class Input:
    """A node that follows a signal (column, label): 1 above the threshold and 0 below it, or the other way round."""

    node: int
    signal: tuple[str, str | None]
    threshold: float
    above: bool = True


@dataclass(frozen=True)
class Network:
    """The network of one cell type.

    minutes   how long one unit of its time lasts     held   (node, 0 or 1) of what never changes
    """

    logic: Logic
    minutes: float = MINUTES
    held: tuple[tuple[int, int], ...] = ()
    inputs: tuple[Input, ...] = ()

    @property
    def sure(self) -> dict[str, float]:
        """Nodes whose start is certain -> that start, as columns."""
        out = {}
        for start in self.logic.starts:
            for k, node in enumerate(start.nodes):
                one = sum(c for s, c in zip(start.states, start.chances) if s[k])
                if one in (0.0, 1.0):
                    out[column(self.logic.nodes[node])] = one
        return out | {column(self.logic.nodes[k]): float(v) for k, v in self.held}


def column(node: str) -> str:
    """Name of a node's column."""
    return f"network.{node}"


def read_networks(
    reader: Reader, trees: Mapping[str, dict[str, Any]], given: Mapping[str, Any], folder: Path | None
) -> dict[str, Logic]:
    """Type -> logic of its network; the document keeps the files' content, so that a run's own model needs none."""
    out = {}
    for name, tree in trees.items():
        if "network" not in tree:
            continue
        path = f"cells.{name}.network"
        group = reader.group(tree["network"], path, KEYS, "part of a network")
        bnd, cfg = (
            _text(reader, group, path, "file", "bnd", folder),
            _text(reader, group, path, "settings", "cfg", folder),
        )
        own = given[name].get("network")
        if isinstance(own, dict):
            own.update(
                {
                    inline: text.strip()
                    for key, inline, text in (("file", "bnd", bnd), ("settings", "cfg", cfg))
                    if text and key in own
                }
            )
        if bnd is None:
            if not any(p.path.startswith(f"{path}.file") for p in reader.problems):
                reader.complain(path, "the network has no nodes;", "expected file: <name>.bnd.")
            continue
        numbers = {}
        for key, value in reader.group(group.get("parameters"), f"{path}.parameters").items():
            q = reader.quantity(value, f"{path}.parameters.{key}", "1")
            if q is not None:
                numbers[f"${key.lstrip('$')}"] = q
        file, settings = (reader.text(group.get(key), f"{path}.{key}", path) for key in ("file", "settings"))
        try:
            if is_qual(file):
                bnd, start = read_qual(bnd, file)
                cfg = f"{start}\n{cfg or ''}"
            out[name] = read_logic(bnd, file, cfg or "", settings, numbers)
        except ModelError as error:
            reader.problems += error.problems
    return out


def _text(
    reader: Reader, group: Mapping[str, Any], path: str, key: str, inline: str, folder: Path | None
) -> str | None:
    """The content of a file, or what the document kept of it."""
    kept, name = reader.text(group.get(inline), f"{path}.{inline}"), reader.text(group.get(key), f"{path}.{key}")
    if not name or (folder is None and kept):
        return kept or None
    if folder is None:
        reader.complain(f"{path}.{key}", f"{name} cannot be read from here.")
        return None
    try:
        return decode(read_bytes(folder / name), name)
    except ModelError as error:
        if kept:
            return kept
        reader.complain(
            f"{path}.{key}", error.problems[0].message, remedy="Files are looked for beside the model file."
        )
        return None


def node_columns(logics: Mapping[str, Logic]) -> dict[str, Entry]:
    """A column for every node of every network."""
    nodes = sorted({node for logic in logics.values() for node in logic.nodes})
    return {
        column(n): Entry(column(n), "1", "state", 0.0, 0.0, 1.0, None, f"node {n} of the cell's network") for n in nodes
    }


def read_network(reader: Reader, tree: Mapping[str, Any], path: str, logic: Logic, names: Names) -> Network:
    """The rest of the section: time, what is held, and inputs."""
    minutes = reader.quantity(tree["time"], f"{path}.time", "min", gt=0.0) if "time" in tree else MINUTES
    nodes = list(logic.nodes)
    held = []
    for node, value in reader.group(tree.get("hold"), f"{path}.hold").items():
        level = reader.whole(value, f"{path}.hold.{node}", 0, 1)
        if _known(reader, node, f"{path}.hold.{node}", nodes) and level is not None:
            held.append((nodes.index(node), level))
    listed = reader.listed(tree.get("inputs"), f"{path}.inputs", "e.g. - {node: Damage, signal: damage, above: 1}.")
    inputs = [x for i, given in enumerate(listed) if (x := _input(reader, given, f"{path}.inputs.{i}", nodes, names))]
    return Network(logic, minutes or MINUTES, tuple(held), tuple(inputs))


def _known(reader: Reader, node: Any, path: str, nodes: list[str]) -> bool:
    if node in nodes:
        return True
    reader.complain(
        path,
        f"the network has no node '{str(node)[:60]}'.{did_you_mean(str(node), nodes)}",
        f"Nodes: {', '.join(nodes[:30])}.",
    )
    return False


def _input(reader: Reader, given: Any, path: str, nodes: list[str], names: Names) -> Input | None:
    tree = reader.group(given, path, ("node", "signal", "above", "below"), "part of an input")
    signals = names.signals
    said = reader.text(tree.get("signal"), f"{path}.signal")
    signal = signals.get(said)
    if not _known(reader, tree.get("node"), f"{path}.node", nodes):
        return None
    if signal is None:
        reader.complain(f"{path}.signal", f"no signal is called '{said[:60]}'.{did_you_mean(said, signals)}")
        return None
    ways = [k for k in ("above", "below") if k in tree]
    if len(ways) != 1:
        reader.complain(path, f"{' and '.join(ways) or 'neither above nor below'};", "expected one of above and below.")
        return None
    threshold = reader.quantity(tree[ways[0]], f"{path}.{ways[0]}", names.unit(*signal))
    return None if threshold is None else Input(nodes.index(str(tree["node"])), signal, threshold, ways[0] == "above")


def bare(tree: dict[str, Any]) -> dict[str, Any]:
    """A cell type without its network."""
    return {k: v for k, v in tree.items() if k != "network"}
