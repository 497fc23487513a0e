"""A gate at which the threads of a crew wait for each other within one compiled call.

Who waits turns for a moment and then offers its processor to others, so that few processors cost time but never
stand still.

>>> meet(new_gate(), 1)  # a crew of one never waits
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

TURNS = 20_000  # looks at the gate, some ten microseconds, before the processor is offered to others


def new_gate() -> np.ndarray:
    """A gate: how often it was reached, and the address of the function that lets others run."""
    if sys.platform == "win32":
        give = ctypes.windll.kernel32.SwitchToThread
    else:
        give = ctypes.CDLL(None).sched_yield
    return np.array([0, ctypes.cast(give, ctypes.c_void_p).value], np.int64)


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


def _call(typingctx: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), []).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], function), [])

    return types.int32(types.int64), code


arrive: Any = intrinsic(_arrive)
look: Any = intrinsic(_look)
call: Any = intrinsic(_call)


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
            call(gate[1])
