"""Flow of blood and its cells, slowly: dense equations, dictionaries, and a fixed relaxation."""

import math

import numpy as np

MMHG = 133.322387415


def relative(d, h):
    eta = 6 * math.exp(-0.085 * d) + 3.2 - 2.44 * math.exp(-0.06 * d**0.645)
    c = (0.8 + math.exp(-0.075 * d)) * (-1 + 1 / (1 + 1e-11 * d**12)) + 1 / (1 + 1e-11 * d**12)
    f = (d / (d - 1.1)) ** 2
    return (1 + (eta - 1) * ((1 - h) ** c - 1) / (0.55**c - 1) * f) * f


def share(fq, da, db, d, h):
    x0 = 0.964 * (1 - h) / d
    if x0 >= 0.5:
        return fq
    if fq <= x0:
        return 0.0
    if fq >= 1 - x0:
        return 1.0
    a = -13.29 * (da**2 / db**2 - 1) / (da**2 / db**2 + 1) * (1 - h) / d
    b = 1 + 6.98 * (1 - h) / d
    y = (fq - x0) / (1 - 2 * x0)
    x = a + b * math.log(y / (1 - y))
    return math.exp(x) / (1 + math.exp(x))


def solve(ends, nodes, pressure, inflow, diameter, length, entering, plasma=1.05, turns=3000, relax=0.3):
    """pressure, inflow: dicts of nodes. Returns flow (nl/min) and haematocrit of every segment, pressures."""
    h = [0.45] * len(ends)
    for _ in range(turns):
        g = [
            math.pi * (d * 1e-6) ** 4 * MMHG / (128 * plasma * 1e-3 * relative(d, x) * l * 1e-6) * 60e12
            for d, x, l in zip(diameter, h, length)
        ]
        matrix, right = np.zeros((nodes, nodes)), np.zeros(nodes)
        for (a, b), k in zip(ends, g):
            for i, j in ((a, b), (b, a)):
                matrix[i, i] += k
                matrix[i, j] -= k
        for n in range(nodes):
            right[n] = inflow.get(n, 0.0)
            if n in pressure:
                matrix[n], right[n] = 0.0, pressure[n]
                matrix[n, n] = 1.0
        p = np.linalg.solve(matrix, right)
        q = [k * (p[a] - p[b]) for (a, b), k in zip(ends, g)]
        new = list(h)
        for n in sorted(range(nodes), key=lambda n: -p[n]):
            into = [s for s, (a, b) in enumerate(ends) if (b == n and q[s] > 0) or (a == n and q[s] < 0)]
            out = [s for s, (a, b) in enumerate(ends) if (a == n and q[s] > 0) or (b == n and q[s] < 0)]
            if not out:
                continue
            leaving = sum(abs(q[s]) for s in out)
            if into:
                mixed = sum(abs(q[s]) * new[s] for s in into) / sum(abs(q[s]) for s in into)
            else:
                mixed = entering[n]
            if len(into) == 1 and len(out) == 2 and n not in pressure:
                a, b = out
                fe = share(abs(q[a]) / leaving, diameter[a], diameter[b], diameter[into[0]], mixed)
                new[a] = fe * mixed * leaving / abs(q[a])
                new[b] = (1 - fe) * mixed * leaving / abs(q[b])
            else:
                for s in out:
                    new[s] = mixed
        if max(abs(x - y) for x, y in zip(h, new)) < 1e-13:
            break
        h = [x + relax * (y - x) for x, y in zip(h, new)]
    return np.array(q), np.array(new), p
