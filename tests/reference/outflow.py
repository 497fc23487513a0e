"""Who leaves through an open face, cell by cell."""

import math
import statistics

from oncarium.engine.random import uniform


def leaving(cells, faces, lower, upper, dt, seed, stream, tick):
    """Ids of those who leave. cells: (id, place, velocity, own motion) each; faces: (axis, upper?) in order."""
    out = set()
    for k, (axis, up) in enumerate(faces):
        sign, wall = (1.0, upper) if up else (-1.0, lower)
        layer = [c for c in cells if abs(c[1][axis] - wall[axis]) < 20.0]
        tangent = 1 - axis
        count = max(1, round((upper[tangent] - lower[tangent]) / 250.0))
        parts = {}
        for c in layer:
            at = int((c[1][tangent] - lower[tangent]) / (upper[tangent] - lower[tangent]) * count)
            parts.setdefault(min(at, count - 1), []).append(c)
        for part in parts.values():
            u = statistics.median(sign * (c[2][axis] - c[3][axis]) for c in part) if len(part) >= 3 else 0.0
            for c in part:
                if uniform(seed, stream, tick, c[0], k) < 1.0 - math.exp(-max(u, 0.0) * dt / 20.0):
                    out.add(c[0])
    return out
