"""fma(a, b, c): a b + c in one rounding, on every processor.

Where a processor has no such instruction the library's function gives the same bytes, slowly.

>>> from numba import njit
>>> x = 1.0 + 2.0**-30  # the last digit of its square is lost in a product
>>> njit(lambda a: fma(a, a, -1.0 - 2.0**-29))(x) == 2.0**-60
True
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    if not all(isinstance(x, types.Float) and x.bitwidth == 64 for x in (a, b, c)):
        return None
    signature = types.float64(types.float64, types.float64, types.float64)
    return signature, lambda context, builder, signature, arguments: builder.fma(*arguments)


fma: Any = intrinsic(_fma)
