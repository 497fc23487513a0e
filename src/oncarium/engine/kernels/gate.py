"""A gate at which the threads of a crew wait for each other within one compiled call.

Who waits turns for a moment and then sleeps for another, so that a thread of the crew that has no processor gets this
one: with one that only offers it (sched_yield), a crew of two on a busy machine took three times as long as one thread.

>>> meet(new_gate(), 1)  # a crew of one never waits
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

TURNS = 10_000  # looks at the gate, some ten microseconds, before the first sleep
SLEEP = 5  # us; the system adds its own


@cache
def _sleeper() -> tuple[int, int]:
    """The address of the function that sleeps, and what it is told."""
    if sys.platform == "win32":
        sleep, told = ctypes.windll.kernel32.Sleep, 0
    else:
        sleep, told = ctypes.CDLL(None).usleep, SLEEP
    return ctypes.cast(sleep, ctypes.c_void_p).value or 0, told


def new_gate() -> np.ndarray:
    """A gate: how often it was reached, the address of the function that sleeps and what it is told."""
    return np.array([0, *_sleeper()], np.int64)


def _word(context: Any, builder: Any, signature: Any, array: Any) -> Any:
    """Address of the first number of an array."""
    return cgutils.create_struct_proxy(signature.args[0])(context, builder, value=array).data


def _arrive(typingctx: Any, gate: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at = _word(context, builder, signature, arguments[0])
        return builder.atomic_rmw("add", at, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(gate), code


def _look(typingctx: Any, gate: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_word(context, builder, signature, arguments[0]), "seq_cst", 8)

    return types.int64(gate), code


def _sleep(typingctx: Any, address: Any, told: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), [ir.IntType(32)]).as_pointer()
        told = builder.trunc(arguments[1], ir.IntType(32))
        return builder.call(builder.inttoptr(arguments[0], function), [told])

    return types.int32(types.int64, types.int64), code


arrive: Any = intrinsic(_arrive)
look: Any = intrinsic(_look)
sleep: Any = intrinsic(_sleep)


@njit(cache=True, nogil=True)
def meet(gate, crew):
    """Wait until all threads of a crew are here. gate: of `new_gate`."""
    if crew == 1:
        return
    goal = (arrive(gate) // crew + 1) * crew
    turns = 0
    while look(gate) < goal:
        turns += 1
        if turns > TURNS:
            sleep(gate[1], gate[2])
