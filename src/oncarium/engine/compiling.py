"""Compilation as it goes: the first run after installation compiles the loops it needs, each once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PACKAGE = __name__.partition(".")[0]


def loops() -> int:
    """How many compiled loops the modules loaded so far have; a run needs some of them.

    >>> import oncarium.engine.kernels.lod
    >>> loops() > 10
    True
    """
    from numba.core.dispatcher import Dispatcher

    modules = [m for name, m in list(sys.modules.items()) if name.startswith(f"{PACKAGE}.") and m is not None]
    return len({id(thing) for m in modules for thing in vars(m).values() if isinstance(thing, Dispatcher)})


@contextmanager
def told(say: Callable[[int, str], None]) -> Iterator[None]:
    """Within, call say(number, name) whenever a loop begins to be compiled; what lies in the cache is not."""
    from numba.core import event

    class Ear(event.Listener):
        """Counts the loops that are compiled one inside another, too."""

        count = 0

        def on_start(self, event):
            function = event.data["dispatcher"].py_func
            if function.__module__.startswith(PACKAGE):
                self.count += 1
                say(self.count, f"{function.__module__.rpartition('.')[2]}.{function.__name__}")

        def on_end(self, event):
            pass

    ear = Ear()
    event.register("numba:compile", ear)
    try:
        yield
    finally:
        event.unregister("numba:compile", ear)
