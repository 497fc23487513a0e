"""Runs: a Model becomes a Simulation, a Recorder watches, a Result stays.

The package is also the verb: `oncarium.run(model, until="5 day")` is `oncarium.run.api.run`. Importing a submodule
binds the package to the name `oncarium.run`, so a function of that name could not live beside it.
"""

import sys
from types import ModuleType


class _Verb(ModuleType):
    """A module that can be called, and says of itself what the call does."""

    @property
    def __doc__(self):  # type: ignore[override]
        import inspect

        from .api import run

        said, _, more = (inspect.getdoc(run) or "").partition("\n\n")
        return f"{said}\n\nrun{inspect.signature(run)}\n\n{more}".replace("'", "")

    @property
    def __signature__(self):
        import inspect

        from .api import run

        return inspect.signature(run)

    def __call__(self, *args, **kwargs):
        from .api import run

        return run(*args, **kwargs)


sys.modules[__name__].__class__ = _Verb
