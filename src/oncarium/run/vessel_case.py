"""Blood in a given network of vessels: from a folder of tables to a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.vessel_ends import check_ends, parts_of
from ..model.vessel_parameters import VesselParameters, box_of, read_parameters, with_options
from ..model.vessel_tables import FLOW, INNER, PRESSURE, UNKNOWN, VesselTables, read_network
from ..writing import write_text

if TYPE_CHECKING:
    from ..biology.vessels.flow import BloodFlow
    from ..biology.vessels.tissue import TissueOxygen

STANDARD = 0.45  # discharge haematocrit of blood that enters where nothing is said


@dataclass
class VesselCase:
    """A network, its parameters, what blood does in it, and what is worth telling: `events` are (kind, what, name)."""

    network: VesselTables
    parameters: VesselParameters
    blood: BloodFlow
    perfused: np.ndarray
    oxygen: np.ndarray  # (segment) mmHg; nan where nobody asked or nothing flows
    tissue: TissueOxygen | None = None
    points: np.ndarray | None = None
    events: list[tuple[str, str, str]] = field(default_factory=list)


def solve_case(
    folder: str | Path,
    mode: str | None = None,
    viscosity: str | None = None,
    hematocrit: str | None = None,
    domain: str | None = None,
    voxel: float | None = None,
) -> VesselCase:
    """Solve the network of a folder: nodes.csv, segments.csv and, where they are, parameters.yaml, tissue_points.csv.

    mode         one of those in parameters.yaml
    viscosity    "constant:3" (cP), "human", "rat"       hematocrit   "fixed:0.4", "phase": instead of what stands there
    domain       box that nodes must lie in, um          voxel        um, of tissue

    Raises ModelError with all that is wrong, InputError for options.

    >>> head, ends = "id,x_um,y_um,z_um,boundary,value", ["a,0,0,0,pressure_mmHg,40", "b,100,0,0,pressure_mmHg,10"]
    >>> _ = Path("nodes.csv").write_text("\\n".join([head, *ends]))
    >>> _ = Path("segments.csv").write_text("id,a,b,diameter_um,length_um\\ns1,a,b,12,100\\n")
    >>> case = solve_case(".", viscosity="constant:3", hematocrit="fixed:0.4")
    >>> case.blood.flow.round(4).tolist()
    [407.117]
    """
    from ..biology.vessels.flow import solve_flow
    from ..biology.vessels.plumbing import Plumbing
    from ..biology.vessels.viscosity import NARROWEST, Rheology

    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(str(folder), "there is no such folder;", "expected one with nodes.csv and segments.csv.")
    parameters = with_options(read_parameters(folder, mode), viscosity, hematocrit)
    if domain is not None:
        parameters = replace(parameters, box=box_of(domain))
    network = read_network(folder, parameters.box)
    rheology = Rheology(parameters.plasma, parameters.cell, parameters.constant)
    entering = np.where(np.isnan(network.hd), STANDARD if parameters.fixed is None else parameters.fixed, network.hd)
    start = np.full(len(network.segments), STANDARD if parameters.fixed is None else parameters.fixed)
    settled = True
    if parameters.given:
        blood = _given(network, rheology)
    else:
        check_ends(network)
        kind, value, settled = closed(network, parameters, rheology)
        blood = solve_flow(
            Plumbing(network.ends, len(network.nodes), kind, value), 0.5 * network.diameter, network.length, start,
            entering, rheology, fixed=parameters.fixed is not None, separation=True,
        )  # fmt: skip
    perfused = blood.flow != 0.0
    case = VesselCase(network, parameters, blood, perfused, np.full(len(perfused), np.nan))
    for k in np.flatnonzero(network.boundary == UNKNOWN):
        doubt = "" if settled else "; directions did not settle"
        said = f"its flow is estimated: {blood.exchange[k]:.6g} nl/min in{doubt}"
        case.events.append(("estimated", said, network.nodes[k]))
    _tell(case, NARROWEST)
    if parameters.oxygen:
        from .vessel_tissue import add_tissue

        add_tissue(case, folder, entering, voxel)
    return case


def _given(network: VesselTables, rheology) -> BloodFlow:
    """Flow and haematocrit are columns; pressures are nobody's question."""
    from ..biology.vessels.flow import BloodFlow, balance
    from ..biology.vessels.viscosity import wall_shear

    lacking = np.isnan(network.flow)
    if lacking.any():
        first, others = network.segments[int(np.argmax(lacking))], int(lacking.sum()) - 1
        said = f"flow is given, but segment {first}{f' and {others} others have' if others else ' has'} none;"
        raise InputError("segments.csv", said, "expected flow_nl_min in every row.")
    hd = np.where(np.isnan(network.segment_hd), STANDARD, network.segment_hd)
    viscosity, nodes = rheology.viscosity(network.diameter, hd), len(network.nodes)
    shear = wall_shear(0.5 * network.diameter, network.flow, viscosity)
    exchange = balance(network.ends, nodes, network.flow)
    return BloodFlow(
        np.full(nodes, np.nan), network.flow, hd, viscosity, shear, exchange, 0, 0.0, np.zeros(0, np.int64)
    )


def closed(network: VesselTables, parameters: VesselParameters, rheology) -> tuple[np.ndarray, np.ndarray, bool]:
    """Kind and value of every node when flows at unknown ends are estimated; whether directions settled.

    The estimate takes one haematocrit everywhere; what flows through the ends then holds. An unknown end keeps its
    pressure instead where its part of the network has none, that with the largest flow.
    """
    from ..biology.vessels.estimation import HAEMATOCRIT, estimate_flow
    from ..biology.vessels.flow import balance

    unknown = network.boundary == UNKNOWN
    if not unknown.any():
        return network.boundary, network.value, True
    kind, value = np.where(unknown, INNER, network.boundary), np.nan_to_num(network.value)
    hd = np.full(len(network.segments), HAEMATOCRIT if parameters.fixed is None else parameters.fixed)
    pressure, shear = parameters.target
    found = estimate_flow(
        network.ends, kind, value, unknown, network.diameter, network.length, rheology.viscosity(network.diameter, hd),
        pressure=pressure, shear=None if np.isnan(shear) else shear, bias=parameters.bias,
    )  # fmt: skip
    through = balance(network.ends, len(kind), found.flow)
    part = parts_of(network.ends, len(kind))
    kind[unknown], value[unknown] = FLOW, through[unknown]
    for p in np.setdiff1d(part[unknown], part[kind == PRESSURE]):
        ends = np.flatnonzero(unknown & (part == p))
        one = ends[np.argmax(np.abs(through[ends]))]
        kind[one], value[one] = PRESSURE, found.pressure[one]
    return kind, value, found.settled


def _tell(case: VesselCase, narrowest: float) -> None:
    """What is odd about the solution, one event for each segment or node that it happens to."""
    from ..biology.vessels.paths import on_paths

    network, blood, parameters = case.network, case.blood, case.parameters
    degree = np.bincount(network.ends.ravel(), minlength=len(network.nodes))
    ends = np.asarray((network.boundary == PRESSURE) | (blood.exchange != 0.0))
    through = on_paths(network.ends, len(network.nodes), np.ones(len(network.segments), np.bool_), ends)
    part = parts_of(network.ends, len(network.nodes))
    fed = np.unique(part[network.ends[case.perfused, 0]])
    for k in np.flatnonzero(~case.perfused):
        name = network.segments[k]
        if part[network.ends[k, 0]] not in fed:
            case.events.append(("unperfused", "it hangs together with no two ends of different pressure", name))
        elif not through[k]:
            case.events.append(("dead end", "it leads to no other end, so nothing flows", name))
        else:
            case.events.append(("no flow", "no pressure difference drives blood through it", name))
    for k in np.flatnonzero(network.diameter < narrowest) if parameters.constant is None else ():
        said = f"narrower than the law of viscosity goes; its viscosity is that at {narrowest:g} um"
        case.events.append(("clamped", said, network.segments[k]))
    for k in blood.restless:
        said = f"its hd still changed after {blood.turns} turns, by up to {blood.change:.2g}"
        case.events.append(("not converged", said, network.segments[k]))
    inner = (blood.exchange != 0.0) & (degree > 1) & ~parameters.given
    for k in np.flatnonzero(inner):
        said = f"blood is exchanged with the outside at an inner node, {blood.exchange[k]:.6g} nl/min in"
        case.events.append(("source or sink", said, network.nodes[k]))
    for k in (
        np.flatnonzero((blood.exchange > 0.0) & np.isnan(network.hd) & (degree > 0)) if not parameters.given else ()
    ):
        fixed = STANDARD if parameters.fixed is None else parameters.fixed
        case.events.append(("hd not given", f"blood enters there; its hd is taken as {fixed:g}", network.nodes[k]))


def notices(case: VesselCase) -> list[str]:
    """One line for every kind of event and every oddity of the tables."""
    out = [str(p).replace("\n ", "") for p in case.network.notices]
    kinds: dict[str, list[tuple[str, str]]] = {}
    for kind, what, name in case.events:
        kinds.setdefault(kind, []).append((name, what))
    for kind, them in kinds.items():
        more = f" and {len(them) - 3} more" if len(them) > 3 else ""
        out.append(f"{kind}: {', '.join(name for name, _ in them[:3])}{more}: {them[0][1]}.")
    return out


def write_case(case: VesselCase, out: str | Path) -> list[Path]:
    """Write segments.csv, nodes.csv, events.csv and, where there is tissue, tissue.csv; returns their paths.

    Raises InputError where the folder holds a network that would be replaced.
    """
    out = Path(out)
    there = out / "segments.csv"
    if there.exists() and "diameter_um" in there.read_text(encoding="utf-8", errors="replace").partition("\n")[0]:
        raise InputError(str(out), "a network lies there, which would be replaced.", remedy="Choose another folder.")
    network, blood = case.network, case.blood
    pressure = blood.pressure[network.ends].mean(axis=1)
    tables: dict[str, tuple[str, list[Sequence[object]]]] = {
        "segments.csv": (
            "id,flow_nl_min,pressure_mmHg,hd,po2_mmHg,viscosity_cP,shear_Pa",
            [
                (name, flow, p, h if flows else np.nan, o if flows else np.nan, eta, abs(tau))
                for name, flow, p, h, o, eta, tau, flows in zip(
                    network.segments, blood.flow, pressure, blood.haematocrit, case.oxygen, blood.viscosity,
                    blood.shear, case.perfused,
                )
            ],
        ),
        "nodes.csv": (
            "id,pressure_mmHg,inflow_nl_min",
            list(zip(network.nodes, blood.pressure, blood.exchange)),
        ),
        "events.csv": ("kind,id,what", [(kind, name, what) for kind, what, name in case.events]),
    }  # fmt: skip
    if case.tissue is not None and case.points is not None:
        values = case.tissue.at(case.points)
        tables["tissue.csv"] = ("x_um,y_um,z_um,po2_mmHg", [(*at, v) for at, v in zip(case.points, values)])
    for name, (head, rows) in tables.items():
        write_text(out / name, head + "\n" + "".join(",".join(map(_text, row)) + "\n" for row in rows))
    return [out / name for name in tables]


def _text(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"' if set(value) & set(',"\n') else value
    number = float(value)  # type: ignore[arg-type]
    return "" if np.isnan(number) else f"{number + 0.0:.12g}"


def summary(case: VesselCase) -> str:
    """One line on what came out."""
    inflow = float(np.maximum(case.blood.exchange, 0.0).sum())
    still = int((~case.perfused).sum())
    flows = f", {still} of them without flow" if still else ""
    return f"{len(case.perfused)} segments{flows}; {inflow:.6g} nl/min of blood"
