"""Eight numbers at a time: a compiled type whose sums and products are done number by number, each rounded as IEEE 754
says, so that no result depends on how many of them a processor works on at once.

>>> import numpy as np
>>> from numba import njit
>>> def doubled(out, x):
...     store(numbers(out), 1, load(numbers(x), 0) * spread(2.0))
>>> x, out = np.arange(8.0), np.zeros(16)
>>> njit(doubled)(out, x)
>>> out[8:].tolist()
[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 8
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = _Lanes()


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


_NUMBERS = types.CPointer(types.float64)


def _compiled(make: Any) -> Any:
    return intrinsic(make)


@_compiled
def numbers(typingctx: Any, array: Any) -> Any:
    """Where the numbers of a flat array of float64 lie. Loops read and write there, because every use of an array
    inside a function that is written into its caller counts a reference, which costs more than the sum."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return _NUMBERS(array), make


def _place(builder: Any, data: Any, index: Any) -> Any:
    first = builder.mul(index, ir.Constant(index.type, WIDTH))
    return builder.bitcast(builder.gep(data, [first]), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(nothing, number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


@_compiled
def load(typingctx: Any, data: Any, index: Any) -> Any:
    """The eight numbers from 8 index on; nothing checks that they are there."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(builder, *arguments), align=8)

    return LANES(_NUMBERS, types.intp), make


@_compiled
def store(typingctx: Any, data: Any, index: Any, value: Any) -> Any:
    """Write eight numbers from 8 index on."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(builder, *arguments[:2]), align=8)
        return context.get_dummy_value()

    return types.void(_NUMBERS, types.intp, LANES), make


@_compiled
def spread(typingctx: Any, number: Any) -> Any:
    """Eight times the same number."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return LANES(types.float64), make


@_compiled
def spread_from(typingctx: Any, data: Any, index: Any) -> Any:
    """Eight times the number at an index; nothing checks that it is there."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, builder.load(builder.gep(arguments[0], [arguments[1]])))

    return LANES(_NUMBERS, types.intp), make


@_compiled
def larger(typingctx: Any, a: Any, b: Any) -> Any:
    """The larger of each two numbers."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = arguments
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    return LANES(LANES, LANES), make


@_compiled
def smaller(typingctx: Any, a: Any, b: Any) -> Any:
    """The smaller of each two numbers."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = arguments
        return builder.select(builder.fcmp_ordered("<", x, y), x, y)

    return LANES(LANES, LANES), make


@_compiled
def size(typingctx: Any, a: Any) -> Any:
    """Absolute values."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (x,) = arguments
        zeros = ir.Constant(_VECTOR, [0.0] * WIDTH)
        return builder.select(builder.fcmp_ordered("<", x, zeros), builder.fsub(zeros, x), x)

    return LANES(LANES), make


@_compiled
def where_above(typingctx: Any, a: Any, least: Any, x: Any) -> Any:
    """x where a is above the least, else zero."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        above = builder.fcmp_ordered(">", arguments[0], arguments[1])
        return builder.select(above, arguments[2], ir.Constant(_VECTOR, [0.0] * WIDTH))

    return LANES(LANES, LANES, LANES), make


def _arithmetic(function: Any, instruction: str) -> None:
    @_compiled
    def do(typingctx: Any, a: Any, b: Any) -> Any:
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(*arguments)

        return LANES(LANES, LANES), make

    @overload(function)
    def _(a, b):
        if isinstance(a, _Lanes) and isinstance(b, _Lanes):
            return lambda a, b: do(a, b)
        return None


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_function, _instruction)
