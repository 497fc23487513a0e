"""Who leaves through an open face of a sheet, cell by cell."""

from oncarium.engine.random import uniform


def leaving(cells, faces, lower, upper, seed, stream, tick):
    """Keys of those who leave. cells: (key, place, radius) each; faces: (axis, upper?) in order."""
    out = set()
    for k, (axis, up) in enumerate(faces):
        wall, tangent = (upper if up else lower)[axis], 1 - axis
        side = upper[tangent] - lower[tangent]
        count = max(1, round(side / 250.0))
        parts = [[] for _ in range(count)]
        for c in cells:
            if abs(c[1][axis] - wall) < 20.0:
                parts[min(int((c[1][tangent] - lower[tangent]) / side * count), count - 1)].append(c)
        for part in parts:
            held = [c for c in part if c[1][axis] == wall]
            if not held:
                continue
            mean = sum(c[2] for c in held) / len(held)
            many = max(len(held) - side / count / (1.9 * mean), 0.0)
            out |= {c[0] for c in part if uniform(seed, stream, tick, c[0], k) < many / len(part)}
    return out
