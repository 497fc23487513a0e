"""Runs: a Model becomes a Simulation, a Recorder watches, a Result stays.

The package is also the verb: `oncarium.run(model, until="5 day")` is `oncarium.run.api.run`. Importing a submodule binds the
package to the name `oncarium.run`, so a function of that name could not live beside it.
"""

import sys
from types import ModuleType


class _Verb(ModuleType):
    def __call__(self, *args, **kwargs):
        from .api import run

        return run(*args, **kwargs)


sys.modules[__name__].__class__ = _Verb
