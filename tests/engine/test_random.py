"""Random numbers: the published known-answer vectors, and the moments of what is made of them."""

import numpy as np
import pytest

from oncarium.engine.random import direction, normal, philox, stream_of, uniform

KNOWN = [  # Salmon et al. 2011, Random123 distribution, kat_vectors: philox4x32 with ten rounds
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize("counter, key, answer", KNOWN)
def test_known_answers(counter, key, answer):
    assert tuple(int(x) for x in philox(*counter, *key)) == answer


def test_uniform_is_uniform_and_streams_differ():
    seed = np.uint64(7)
    a = np.array([uniform(seed, stream_of("Cycle"), 3, i, 0) for i in range(20000)])
    b = np.array([uniform(seed, stream_of("Death"), 3, i, 0) for i in range(20000)])
    assert a.min() >= 0.0 and a.max() < 1.0
    assert abs(a.mean() - 0.5) < 4 / np.sqrt(12 * 20000)
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(20000)


def test_normal_moments():
    x = np.array([normal(np.uint64(1), 5, 0, i, 0) for i in range(20000)])
    assert abs(x.mean()) < 4 / np.sqrt(20000)
    assert abs(x.var() - 1.0) < 4 * np.sqrt(2 / 20000)


@pytest.mark.parametrize("flat", [True, False])
def test_directions_are_unit_and_isotropic(flat):
    u = np.array([direction(np.uint64(1), 5, 0, i, 0, flat) for i in range(20000)])
    assert np.allclose(np.linalg.norm(u, axis=1), 1.0)
    assert np.all(np.abs(u.mean(axis=0)) < 4 / np.sqrt(20000))
    assert np.all(u[:, 2] == 0.0) == flat
