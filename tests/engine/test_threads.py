"""Threads that share rows, and crews whose threads wait for each other."""

import os
import threading

import numpy as np
import pytest
from numba import njit

from oncarium.engine.kernels.gate import meet, new_gate
from oncarium.engine.threads import as_crew


@njit(nogil=True)
def relay(me, crew, gate, seen, rounds):
    """Every thread writes its own place and then reads that of the next one: wrong if one runs ahead."""
    wrong = 0
    for r in range(rounds):
        seen[me] = r
        meet(gate, crew)
        wrong += seen[(me + 1) % crew] != r
        meet(gate, crew)
    return wrong


@pytest.mark.parametrize("crew", [1, 2, 5])
def test_nobody_leaves_the_gate_before_all_have_come(crew):
    gate = new_gate()
    for _ in range(3):
        assert as_crew(relay, crew, gate, np.zeros(crew, np.int64), 200) == [0] * crew


def test_crews_of_many_simulations_do_not_wait_for_each_other():
    found = []
    one = [
        threading.Thread(target=lambda: found.append(as_crew(relay, 3, new_gate(), np.zeros(3, np.int64), 50)))
        for _ in range(6)
    ]
    for t in one:
        t.start()
    for t in one:
        t.join(60.0)
    assert found == [[0, 0, 0]] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_makes_its_own_threads():
    as_crew(relay, 2, new_gate(), np.zeros(2, np.int64), 2)
    child = os.fork()
    if child == 0:
        os._exit(sum(as_crew(relay, 2, new_gate(), np.zeros(2, np.int64), 2)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
