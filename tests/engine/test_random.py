"""Random numbers: the published known-answer vectors, and the moments of what is made of them."""

import numpy as np
import pytest

from oncarium.engine.random import direction, keys_of, normal, pair, philox, stream_of, uniform

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


def test_both_halves_of_a_key_count_and_seeds_are_apart():
    seed, key = np.uint64(3), np.int64(0x0123456789ABCDEF)
    others = [(seed, key ^ (np.int64(1) << bit)) for bit in (0, 31, 32, 62)] + [(np.uint64(4), key)]
    assert len({uniform(s, 1, 2, k, 0) for s, k in [(seed, key), *others]}) == 6
    u = np.array([uniform(seed, 1, 2, k, 0) for k in keys_of("placement", 0, np.arange(20000))])
    assert abs(u.mean() - 0.5) < 4 / np.sqrt(12 * 20000) and abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 4 / np.sqrt(20000)


def test_a_million_births_have_a_million_keys():
    keys = keys_of("placement", 0, np.arange(2))
    while len(keys) < 1_000_000:  # all divide, again and again
        keys = np.concatenate([keys_of("mother", keys), keys_of("daughter", keys)])
    arrivals = keys_of("arrival", 0, np.repeat(np.arange(1000), 100), np.tile(np.arange(100), 1000), 0)
    every = np.concatenate([keys, arrivals, keys_of("placement", 1, np.arange(1000))])
    assert len(np.unique(every)) == len(every) > 1_000_000


def test_pairs_are_ordered_and_apart():
    keys = keys_of("placement", 0, np.arange(300))
    both = {int(pair(a, b)) for a in keys for b in keys}
    assert len(both) == 300 * 300, "one key for each ordered pair"


def test_keys_follow_splitmix():
    # SplitMix64 of seed 0: its first published outputs
    state, found = 0, []
    from oncarium.engine.random import _mixed

    with np.errstate(over="ignore"):
        for _ in range(2):
            state = (state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
            found.append(int(_mixed.py_func(np.uint64(state))))
            assert int(_mixed(np.uint64(state))) == found[-1]
    assert found == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]
