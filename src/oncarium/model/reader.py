"""Reader: walks a document, turns texts into numbers, and collects every problem on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import Problem, did_you_mean
from ..sources import is_known
from ..units import UNSAID, Evidence, Quantity, UnitError, parse_quantity
from .files import Document

if TYPE_CHECKING:
    from .slide.cells import Slide

NAME = re.compile(r"[\w+-]+(?: [\w+-]+)*(?:\[\d+\])?")  # a place in a vector may follow
LONGEST_NAME = 60
LARGEST = 1e100  # of any number
FARTHEST = 1e9  # um: of any length or place


class Reader:
    """Values of a document by dotted path.

    numbers    path -> Quantity of everything read so far     problems   what is wrong with it
    own        sources that the model itself declares     slides   what was read of them, by their place in `initial`
    """

    def __init__(self, document: Document):
        self.document = document
        self.problems: list[Problem] = list(document.problems)
        self.numbers: dict[str, Quantity] = {}
        self.own: dict[str, str] = {}
        self.slides: dict[int, Slide] = {}

    def complain(self, path: str, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        """Note one problem at a path."""
        self.problems.append(Problem(self.document.where(path), path, message, expected, remedy, severity))

    def group(
        self, tree: Any, path: str, allowed: Iterable[str] | None = None, what: str = "setting"
    ) -> dict[str, Any]:
        """The mapping at a path; anything else, and unknown names in it, are problems."""
        if tree is None:
            return {}
        if not isinstance(tree, dict):
            self.complain(path, f"'{str(tree)[:60]}' stands where a group of named values is expected.")
            return {}
        if allowed is not None:
            names = list(allowed)
            for key in tree:
                if key not in names:
                    self.complain(
                        f"{path}.{key}" if path else key,
                        f"'{key}' is no {what} here.{did_you_mean(key, names)}",
                        f"Known: {', '.join(names)}." if len(names) <= 24 else "",
                    )
            return {k: v for k, v in tree.items() if k in names}
        return tree

    def named(self, tree: Any, path: str, what: str) -> dict[str, Any]:
        """The mapping at a path whose names are the author's: each is checked."""
        group = self.group(tree, path)
        for name in group:
            if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
                here = f"{path}.{ascii(name)[1:-1] if NAME.fullmatch(name) is None else name}"[: 2 * LONGEST_NAME]
                self.document.places.setdefault(
                    here, self.document.places.get(f"{path}.{name}", self.document.places.get(path, ("", 0, 0)))
                )
                self.complain(
                    here, f"{name[:LONGEST_NAME]!r} is no name of a {what};",
                    f"expected letters, digits, _ - + and single spaces, at most {LONGEST_NAME} in all.",
                    "Choose another name.",
                )  # fmt: skip
        return group

    def listed(self, given: Any, path: str, expected: str) -> list[Any]:
        """The list at a path; anything else is a problem."""
        if given is not None and not isinstance(given, list):
            self.complain(path, f"'{str(given)[:60]}' stands where a list is expected,", expected)
        return given if isinstance(given, list) else []

    def text(self, given: Any, path: str, default: str = "") -> str:
        """A text; nothing said is the default, a group or a list is a problem."""
        if given is not None and not isinstance(given, str):
            self.complain(path, f"'{str(given)[:60]}' stands where a text is expected.")
        return given if isinstance(given, str) else default

    def quantity(
        self,
        given: Any,
        path: str,
        unit: str,
        ge: float | None = None,
        le: float | None = None,
        gt: float | None = None,
        evidence: Evidence = UNSAID,
    ) -> float | None:
        """A number in `unit` within bounds; None (and a problem) if it is none. evidence: where it says none itself."""
        try:
            q = parse_quantity(given, unit)
        except UnitError as error:
            self.complain(path, f"{error}.")
            return None
        le = LARGEST if le is None else le
        ge = -LARGEST if ge is None and gt is None else ge
        bounds = (
            [f"above {gt:g}"]
            if gt is not None
            else ["above 0" if q.value <= 0.0 < ge else f"at least {ge:g}"]
            if ge is not None
            else []
        )
        bounds += [f"at most {le:g}"] if le < FARTHEST or q.value > le else []
        if (ge is not None and q.value < ge) or q.value > le or (gt is not None and q.value <= gt):
            shown = str(given)[:60] if str(given) else repr(given)
            self.complain(
                path,
                f"{shown} is out of range;",
                f"expected {' and '.join(bounds)}{'' if unit == '1' else ' ' + unit}.",
            )
            return None
        self.sources(q.evidence, path)
        self.numbers[path] = q if q.evidence != UNSAID else Quantity(q.value, q.unit, evidence)
        return q.value

    def sources(self, evidence: Evidence, path: str) -> None:
        """Check that the keys of sources are known."""
        for source in evidence.sources:
            if not is_known(source) and source not in self.own:
                from ..sources import bibliography

                self.complain(
                    path,
                    f"no source is called '{source}'.{did_you_mean(source, [*bibliography(), *self.own])}",
                    "Expected a key of the bibliography, 'doi:10...', or the word assumed.",
                    'Declare your own under  sources: {Key2020: "Author et al. 2020, ..."}.',
                )

    def length(
        self, given: Any, path: str, ge: float | None = None, gt: float | None = None, unit: str = "um"
    ) -> float | None:
        """A length or a place in um, of a size that a tissue may have."""
        return self.quantity(given, path, unit, ge=-FARTHEST if ge is None and gt is None else ge, le=FARTHEST, gt=gt)

    def whole(self, given: Any, path: str, ge: int, le: int) -> int | None:
        """A whole number within bounds."""
        value = self.quantity(given, path, "1", ge=ge, le=le)
        if value is not None and value != int(value):
            self.complain(path, f"{str(given)[:60]} is no whole number.")
            return None
        digits = str(given).strip()
        # beyond 2^53 only the digits are exact
        return None if value is None else int(digits) if digits.isdecimal() else int(value)

    def truth(self, given: Any, path: str) -> bool:
        """true or false."""
        if isinstance(given, bool):
            return given
        if str(given).lower() in ("true", "yes", "false", "no"):
            return str(given).lower() in ("true", "yes")
        self.complain(path, f"'{str(given)[:60]}' is neither true nor false.")
        return False

    def word(self, given: Any, path: str, allowed: Iterable[str], what: str) -> str | None:
        """One of a set of words."""
        names = list(allowed)
        if isinstance(given, str) and given in names:
            return given
        self.complain(
            path,
            f"no {what} is called '{str(given)[:60]}'.{did_you_mean(str(given), names)}",
            f"This model has: {', '.join(names) or 'none'}." if len(names) < 30 else "",
        )
        return None

    def interval(self, given: Any, path: str, unit: str = "um") -> tuple[float, float] | None:
        """[low, high] with low below high."""
        if not isinstance(given, list) or len(given) != 2:
            self.complain(
                path, f"'{str(given)[:60]}' is no interval;", f"expected two values, e.g. [-500 {unit}, 500 {unit}]."
            )
            return None
        read = self.length if unit == "um" else self.quantity
        low, high = (read(v, f"{path}.{i}", unit=unit) for i, v in enumerate(given))
        if low is None or high is None:
            return None
        if low >= high:
            self.complain(path, f"the lower end {given[0]} is not below the upper end {given[1]}.", remedy="Swap them.")
            return None
        return low, high

    def point(self, given: Any, path: str, unit: str = "um") -> tuple[float, float, float] | None:
        """[x, y] or [x, y, z]."""
        if not isinstance(given, list) or len(given) not in (2, 3):
            self.complain(path, f"'{str(given)[:60]}' is no point;", f"expected [x, y] or [x, y, z] in {unit}.")
            return None
        values = [self.length(v, f"{path}.{i}", unit=unit) for i, v in enumerate(given)]
        if any(v is None for v in values):
            return None
        x, y, z = (*values, 0.0)[:3]
        return float(x or 0.0), float(y or 0.0), float(z or 0.0)
