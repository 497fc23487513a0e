"""Snapshots as PhysiCell leaves them (MultiCellDS 2): an XML of what is where, tables of cells and voxels, and
graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

import numpy as np
from scipy.spatial import cKDTree

from ... import __version__
from ...errors import DataError, InputError
from ...model.model import Model
from ...writing import write_text
from . import files, mat, settings
from .csv import voxels
from .labels import rows_of
from .moment import Moment

if TYPE_CHECKING:
    from ...run.result import Result

MESH = "initial_mesh0.mat"
GRAPHS = {
    "neighbor_graph": "cell_neighbor_graph",
    "attached_cells_graph": "attached_cells_graph",
    "spring_attached_cells_graph": "spring_attached_cells_graph",
}
DIMENSIONLESS = {"1": "dimensionless"}


def write(folder: Path, name: str, moment: Moment) -> None:
    """One snapshot: NAME.xml and the files it points to, all of them or none. Raises DataError where the
    disk is full."""
    rows, ids = rows_of(moment), moment["id"].astype(int)
    cells = np.concatenate([r.values(moment) for r in rows], axis=1) if moment.n else np.empty((0, sum(_sizes(moment))))
    table = np.stack([values for heading, values in voxels(moment) if heading != "time"], axis=1)
    graphs: dict[str, np.ndarray | Sequence] = {
        "neighbor_graph": neighbors(moment),
        "attached_cells_graph": [],
        "spring_attached_cells_graph": attachments(moment),
    }
    content = {
        f"{name}.xml": files.document(describe(name, moment), "\t"),
        f"{name}_microenvironment0.mat": mat.content("multiscale_microenvironment", table),
        f"{name}_cells.mat": mat.content("cells", cells),
        **{f"{name}_{GRAPHS[graph]}.txt": _graph(ids, pairs).encode() for graph, pairs in graphs.items()},
    }
    if not (folder / MESH).exists():
        content[MESH] = mat.content("mesh", table[:, :4])
    try:
        files.write(folder, content)
    except OSError as error:
        raise DataError.of(error, folder / name, "it cannot be written") from None


def _sizes(moment: Moment) -> list[int]:
    return [r.size(len(moment.factors), len(moment.types)) for r in rows_of(moment)]


def describe(name: str, moment: Moment) -> xml.Element:
    """The XML of a snapshot."""
    root = xml.Element("MultiCellDS", version="2", type="snapshot/simulation")

    def put(parent: xml.Element, tag: str, text: object = None, **attributes: str) -> xml.Element:
        child = xml.SubElement(parent, tag, attributes)
        if text is not None:
            child.text = str(text)
        return child

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = put(root, "metadata")
    software = put(about, "software")
    put(software, "name", "Oncarium")
    put(software, "version", __version__)
    put(about, "current_time", f"{moment.time:.6f}", units="min")
    put(about, "current_runtime", "0.000000", units="sec")
    put(about, "created", now)
    put(about, "last_modified", now)

    grid = moment.grid
    domain = put(put(root, "microenvironment"), "domain", name="microenvironment")
    mesh = put(domain, "mesh", type="Cartesian", uniform="true", regular="true", units="micron")
    box = " ".join(f"{v:.6f}" for v in (*grid.lower, *grid.upper))
    put(mesh, "bounding_box", box, type="axis-aligned", units="micron")
    for axis in "xyz":
        put(mesh, f"{axis}_coordinates", " ".join(f"{v:.12g}" for v in grid.centers(axis)), delimiter=" ")
    put(put(mesh, "voxels", type="matlab"), "filename", MESH)
    variables = put(domain, "variables")
    for k, factor in enumerate(moment.model.factors):
        variable = put(
            variables, "variable", name=factor.name, units=DIMENSIONLESS.get(factor.unit, factor.unit), ID=str(k)
        )
        numbers = put(variable, "physical_parameter_set")
        put(numbers, "conditions")
        put(numbers, "diffusion_coefficient", f"{factor.diffusion:.12g}", units="micron^2/min")
        put(numbers, "decay_rate", f"{factor.decay:.12g}", units="1/min")
    put(put(domain, "data", type="matlab"), "filename", f"{name}_microenvironment0.mat")

    populations = put(put(root, "cellular_information"), "cell_populations")
    custom = put(put(populations, "cell_population", type="individual"), "custom")
    common = {"source": "PhysiCell", "data_version": "2"}
    data = put(custom, "simplified_data", type="matlab", **common)
    types = put(data, "cell_types")
    for k, cell_type in enumerate(moment.types):
        put(types, "type", cell_type, ID=str(k), type=str(k))
    labels, start = put(data, "labels"), 0
    for row, size in zip(rows_of(moment), _sizes(moment)):
        put(labels, "label", row.label, index=str(start), size=str(size), units=row.unit)
        start += size
    put(data, "filename", f"{name}_cells.mat")
    for graph, file in GRAPHS.items():
        put(put(custom, graph, type="text", **common), "filename", f"{name}_{file}.txt")
    return root


def neighbors(moment: Moment) -> np.ndarray:
    """Rows (pair, 2) of cells within the sum of both adhesion reaches."""
    reach = moment["radius"] * moment["mechanics.adhesion_distance"]
    if moment.n < 2:
        return np.empty((0, 2), int)
    position = moment["position"].reshape(-1, 3)
    pairs = cKDTree(position).query_pairs(2.0 * reach.max(), output_type="ndarray")
    a, b = pairs.T
    return pairs[((position[a] - position[b]) ** 2).sum(axis=1) < (reach[a] + reach[b]) ** 2]


def attachments(moment: Moment) -> np.ndarray:
    """Rows (pair, 2) of cells that hold on to each other: attached ones, and attackers and victims."""
    ids = moment["id"].astype(int)
    found = set()
    for column in ("springs.partner", "attack.target"):
        held = moment.read(column)
        if held is not None:
            who, place = np.nonzero(np.asarray(held).reshape(moment.n, -1) >= 0)
            other = np.asarray(held).reshape(moment.n, -1)[who, place]
            at = np.minimum(np.searchsorted(ids, other), moment.n - 1)
            found |= {(min(i, j), max(i, j)) for i, j, known in zip(who, at, ids[at] == other) if known}
    return np.array(sorted(found), int).reshape(-1, 2)


def _graph(ids: np.ndarray, pairs: np.ndarray | Sequence) -> str:
    """One line per cell: `ID: id1,id2,...`."""
    near: list[list[int]] = [[] for _ in ids]
    for i, j in pairs:
        near[i].append(int(ids[j]))
        near[j].append(int(ids[i]))
    return "\n".join(f"{i}: {','.join(map(str, sorted(others)))}" for i, others in zip(ids, near))


def export(result: Result, folder: str | Path) -> list[str]:
    """Every frame of a run as snapshots `output00000000`, ..., besides `initial` and `final`, and its settings; returns
    what is worth knowing: columns that were not recorded, for which the base value of the type was written, and what
    the settings cannot say. Raises InputError where snapshots lie already.

    >>> import oncarium as oc
    >>> finished = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out="runs/exported")
    >>> notices = export(finished, "snapshots")
    >>> oc.open("snapshots").times.tolist()
    [0.0, 60.0]
    """
    folder = Path(folder)
    if any(folder.glob("*.xml")):
        raise InputError(str(folder), "snapshots lie here already.", remedy="Choose another folder.")
    model = Model.from_text(result.model_yaml, "the run's own model", folder=None)
    assumed: set[str] = set()
    with _all_or_none(folder):
        for name, time in _names(result):
            moment = Moment.of_result(result, time, model)
            write(folder, name, moment)
            assumed |= moment.assumed
        kinds, start = result.array("type", result.times[0]), result.array("position", result.times[0])
        placed = [(result.types[k], float(x), float(y), float(z)) for k, (x, y, z) in zip(kinds, start)]
        notices = settings.write(model, folder, placed)
        write_text(folder / "random_seed.txt", f"{result.seed}\n")
    if assumed:
        notices.append(f"not recorded, so written as the base value of each cell's type: {', '.join(sorted(assumed))}")
    if len(set(result.times) - set(result.field_times)):
        notices.append("factors were recorded less often than cells: each snapshot has the nearest frame")
    return notices


@contextmanager
def _all_or_none(folder: Path) -> Iterator[None]:
    """Within it, fill a folder; when something goes wrong, what was written goes. Raises DataError for what the system
    refuses."""
    there = folder.exists()
    old = set(folder.iterdir()) if there else set()
    try:
        yield
    except BaseException as error:
        for path in set(folder.iterdir()) - old if folder.exists() else ():
            path.unlink()
        if not there and folder.exists():
            folder.rmdir()
        if isinstance(error, OSError):
            raise DataError.of(error, folder, "it cannot be written") from None
        raise


def _names(result: Result) -> Iterator[tuple[str, float]]:
    times = [float(t) for t in result.times]
    yield "initial", times[0]
    for k, time in enumerate(times):
        yield f"output{k:08d}", time
    yield "final", times[-1]
