"""Results, models and tables in the formats of other programs.

Opening is here, above `run`, because a folder may be another program's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..run.result import Result
    from ..run.results import Results


def open(path: str | Path) -> Result | Results:
    """A result: the folder of a run, its store, or an output folder of PhysiCell; or Results: the folder of replicates,
    of a sweep, or of models side by side. Raises DataError.

    >>> import oncarium as oc
    >>> finished = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out="runs/small")
    >>> oc.open("runs/small").digest == finished.digest
    True
    """
    from ..run import api
    from ..run.results import FILE, Results
    from .physicell.reader import Snapshots, is_output

    given = Path(path)
    if is_output(given) and not (given / api.STORE).exists():
        return Snapshots.open(given)
    if (given / FILE).exists() and not (given / api.STORE).exists():
        return Results.read(given)
    return api.open(given)
