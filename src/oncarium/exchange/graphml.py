"""GraphML: the network of vessels as a directed graph, for networkx, Gephi, Cytoscape and igraph."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np

from .selection import Selection

SPACE = "http://graphml.graphdrawing.org/xmlns"


def write(selection: Selection, folder: Path) -> None:
    """vessels.graphml, of several times vessels_0000.graphml, ...: nodes with their places (um), and for every segment
    an edge from its end a to its end b, so that flow is positive along it. Units stand in the keys' `desc`."""
    for k, time in enumerate(selection.times):
        name = f"vessels_{k:04d}.graphml" if len(selection.times) > 1 else "vessels.graphml"
        _graph(selection, time, folder / name)


def _graph(selection: Selection, time: float, path: Path) -> None:
    nodes, segments = selection.nodes(time), selection.segments(time)
    root = xml.Element("graphml", xmlns=SPACE)
    _key(root, "graph", "time", np.array([time]), "min")
    kept = {"node": nodes.drop(columns=["time", "id"]), "edge": segments.drop(columns=["time", "id", "a", "b"])}
    for kind, table in kept.items():
        for name in table:
            _key(root, kind, name, table[name].to_numpy(), table.attrs["units"][name])
    graph = xml.SubElement(root, "graph", id="vessels", edgedefault="directed")
    xml.SubElement(graph, "data", key="graph_time").text = f"{time:.10g}"
    for i, row in zip(nodes["id"].to_numpy(), kept["node"].to_dict("records")):
        _data(xml.SubElement(graph, "node", id=f"n{i}"), "node", row)
    ends = segments[["id", "a", "b"]].itertuples(index=False)
    for (i, a, b), row in zip(ends, kept["edge"].to_dict("records")):
        _data(xml.SubElement(graph, "edge", id=f"s{i}", source=f"n{a}", target=f"n{b}"), "edge", row)
    xml.indent(root)
    xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _key(root: xml.Element, kind: str, name: str, values: np.ndarray, unit: str) -> None:
    about = {"id": f"{kind}_{name}", "for": kind, "attr.name": name}
    key = xml.SubElement(root, "key", about | {"attr.type": "long" if values.dtype.kind in "iu" else "double"})
    if unit not in ("", "1"):
        xml.SubElement(key, "desc").text = unit


def _data(parent: xml.Element, kind: str, row: dict) -> None:
    for name, value in row.items():
        xml.SubElement(parent, "data", key=f"{kind}_{name}").text = f"{value:.9g}" if value % 1 else f"{value:.0f}"
