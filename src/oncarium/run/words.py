"""A result in words: the table that print shows, and the same for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..errors import DataError
from ..units import say_time

if TYPE_CHECKING:
    from .result import Result

HEADS = ("cells", "at start", "live", "dying", "necrotic")


def head(result: Result) -> str:
    """Title, time and seed."""
    end = say_time(result.times[-1]) + ("" if result.finished else " (not finished)")
    end += f" (stopped: {result.stopped})" if result.stopped else ""
    return f"{result.title}: {end}, seed {result.seed}"


def counts(result: Result) -> list[tuple[str, list[int]]]:
    """(type, cells at the start; live, dying, necrotic at the end)."""
    first, last = result.told(0), result.told(-1)
    kinds = ("live", "apoptotic", "necrotic")
    return [
        (name, [int(first[f"live.{name}"]), *(int(last[f"{kind}.{name}"]) for kind in kinds)]) for name in result.types
    ]


def levels(result: Result) -> list[tuple[str, str]]:
    """(factor, its mean, lowest and highest value at the end)."""
    last = result.told(-1)
    said = [
        ", ".join(f"{kind} {last[f'{kind}.{name}']:.4g}" for kind in ("mean", "lowest", "highest"))
        for name in result.factors
    ]
    return [(name, f"{text} {unit}") for (name, unit), text in zip(result.factors.items(), said)]


def happened(result: Result) -> str:
    """What happened how often."""
    last = result.told(-1)
    return ", ".join(
        f"{int(last[f'events.{kind}'])} {kind}" for kind in result.attrs["events"] if last[f"events.{kind}"] > 0
    )


def text(result: Result) -> str:
    """The table that print shows."""
    first, *others = HEADS
    wide = max([16, *(len(name) + 2 for name in (*result.types, *result.factors))])
    lines = [head(result), f"{first:<{wide}}" + "".join(f"{h:>{w}}" for h, w in zip(others, (10, 8, 8, 10)))]
    lines += [
        f"{name:<{wide}}" + "".join(f"{n:>{w}}" for n, w in zip(numbers, (10, 8, 8, 10)))
        for name, numbers in counts(result)
    ]
    lines += [f"{name:<{wide}}{said}" for name, said in levels(result)]
    if events := happened(result):
        lines.append(f"{'events':<{wide}}{events}")
    return "\n".join(lines)


def page(result: Result) -> str:
    """The same as HTML; of a damaged store, what is damaged."""
    try:
        rows = [[name, *(f"{n:,}" for n in numbers)] for name, numbers in counts(result)]
        return (
            f"<p><b>{html.escape(head(result))}</b></p>"
            + table(list(HEADS), rows)
            + table(["factor", "at the end"], [list(row) for row in levels(result)])
            + f"<p>{html.escape(happened(result))}</p><p><code>{html.escape(str(result.path))}</code></p>"
        )
    except DataError as error:
        return f"<pre>{html.escape(str(error))}</pre>"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of texts; nothing where there is no row.

    >>> table(["factor"], [["a<b"]])
    '<table><thead><tr><th>factor</th></tr></thead><tbody><tr><td>a&lt;b</td></tr></tbody></table>'
    """
    if not rows:
        return ""
    first = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"
