"""What Oncarium says when something is wrong: where, what, what was expected, what to do."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROOM = "Make room."
ELSEWHERE = "Choose a folder that you may write to."
REMEDIES = {  # of what the system refuses
    **dict.fromkeys((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG), ROOM),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), ELSEWHERE),
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "Something else lies there: move it away, or choose another place."
    ),
    errno.ENOENT: "Look whether this folder or file is still there.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EMFILE: "Allow more open files (ulimit -n), or run less at once.",
}
# in no text: control characters, half characters
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def shown(text: str) -> str:
    """A text in one line that every terminal and file can show: what cannot be printed as an escape.

    >>> shown("a\\x1b[31m")
    'a\\\\x1b[31m'
    """
    return UNPRINTABLE.sub(lambda m: ascii(m[0])[1:-1], text)


FORMER = {
    "ctl": "cd8_effector", "tam": "tumor_macrophage", "helper": "cd4_helper", "cd8": "cd8_simple",
    "tumor": "tumor_simple", "macrophage": "macrophage_simple", "serine": "serine_protease",
}  # fmt: skip
# what the library called something before, and calls it now


def nearest(name: str, names: Iterable[str], n: int = 1) -> list[str]:
    """The names most like this one.

    >>> nearest("oxgen", ["oxygen", "glucose"]), nearest("ctl", ["cd8_effector", "carcinoma"])
    (['oxygen'], ['cd8_effector'])
    """
    if len(str(name)) > 100:  # nobody meant that
        return []
    known = {str(x).lower(): str(x) for x in names}
    if FORMER.get(name) in known:
        return [FORMER[name]]
    return [known[k] for k in difflib.get_close_matches(str(name).lower(), list(known), n=n, cutoff=0.5)]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """ " Did you mean 'oxygen'?" with its leading space, or nothing."""
    near = nearest(name, names)
    return f" Did you mean '{near[0]}'?" if near else ""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input.

    where      file and line ("model.yaml:12"), or a name
    path       dotted path of the value ("cells.tumor.motility.speed")
    message    what is wrong, with the value
    expected   what is allowed     remedy   what to do
    severity   "error" refuses the input; "warning" and "notice" only tell
    """

    where: str
    path: str
    message: str
    expected: str = ""
    remedy: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        head = "  ".join(x for x in (self.where, self.path) if x)
        body = " ".join(x for x in (self.message, self.expected, self.remedy) if x)
        return shown(f"{head}\n  {body}" if head else body)


class OncariumError(Exception):
    """Base of every error that Oncarium raises on purpose; its text is meant for the user.

    >>> issubclass(ModelError, OncariumError)
    True
    """

    exit_code = 1


class ModelError(OncariumError):
    """A model, or an input to it, that cannot be run: all its problems at once.

    >>> print(ModelError(Problem("model.yaml:3", "until", "'soon' is no time;", "expected '5 day'.")))
    model.yaml:3  until
      'soon' is no time; expected '5 day'.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | Problem | str):
        if isinstance(problems, str):
            problems = Problem("", "", problems)
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        count = len(self.problems)
        head = f"{count} problems\n" if count > 1 else ""
        super().__init__(head + "\n".join(str(p) for p in self.problems))


class _Situated(OncariumError):
    def __init__(self, where: str, what: str, expected: str = "", remedy: str = ""):
        self.problem = Problem(where, "", what, expected, remedy)
        self.problems = [self.problem]
        super().__init__(str(self.problem))


class NumericsError(_Situated):
    """A number went wrong while running: NaN, a negative concentration, a step that ran away.

    >>> print(NumericsError("tick 3 (3 min)", "oxygen is -1 in voxel (z, y, x) = (0, 0, 4)."))
    tick 3 (3 min)
      oxygen is -1 in voxel (z, y, x) = (0, 0, 4).
    """


class DataError(_Situated):
    """A file, a store or a checkpoint that cannot be read or written.

    >>> DataError("run.zarr", "no frame was finished.", remedy="Run the model again.").problem.remedy
    'Run the model again.'
    """

    @classmethod
    def of(cls, error: OSError, path: object = None, what: str = "", expected: str = "", remedy: str = "") -> DataError:
        """What the system refused, with its path and what to do.

        path, what   where, and what could not be done, if the error does not say

        >>> print(DataError.of(OSError(errno.ENOSPC, "No space left on device", "runs/a")))
        runs/a
          No space left on device. Make room.
        """
        where = str(error.filename or path or error.filename2 or "a file")
        said = error.strerror or str(error) or type(error).__name__
        return cls(
            where,
            f"{what}{': ' if what else ''}{said}.",
            expected,
            remedy or REMEDIES.get(error.errno or 0, "Look at this place."),
        )


class InputError(_Situated):
    """An argument that makes no sense: an unknown name, a time outside the run.

    >>> print(InputError("until", "'soon' is no time;", "expected '5 day'."))
    until
      'soon' is no time; expected '5 day'.
    """

    exit_code = 2
