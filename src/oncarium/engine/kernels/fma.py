"""a b + c in one rounding, on every processor: where it has no such instruction the library's function gives the same bytes, slowly."""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic


@intrinsic
def fma(typingctx, a, b, c):
    """a b + c, rounded once.

    >>> from numba import njit
    >>> x = 1.0 + 2.0**-30
    >>> njit(lambda a: fma(a, a, -1.0 - 2.0**-29))(x) == 2.0**-60  # the last digit of the square, which a product loses
    True
    """
    if not all(isinstance(x, types.Float) and x.bitwidth == 64 for x in (a, b, c)):
        return None
    return types.float64(types.float64, types.float64, types.float64), lambda context, builder, signature, arguments: builder.fma(*arguments)
