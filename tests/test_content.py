"""Content of objects: what does the same is the same, and whatever changes what it does changes its content."""

import functools
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from oncarium.content import content_of, is_installed
from oncarium.engine.column import State
from oncarium.engine.loop import each_cell
from oncarium.engine.process import Process

K = 2.0


def reads_a_global(x):
    return K * x


def made(source, name="f", **known):
    """What a piece of text defines, as a script or a notebook would."""
    space = {"__name__": "__main__", **known}
    exec(textwrap.dedent(source), space)
    return space[name]


SAME = """
def f(x, rate=2.0):
    return rate * x
"""


@pytest.mark.parametrize(
    "other, alike",
    [
        ("\n\n# a comment\ndef f(x, rate=2.0):\n    # another\n    return rate * x\n", True),
        (SAME.replace("2.0", "3.0"), False),
        (SAME.replace("rate * x", "rate + x"), False),
        (SAME.replace("rate * x", "rate * x * 1.5"), False),
        (SAME.replace("rate", "speed"), False),
        (SAME.replace("def f", "def g").replace("return", "return ") + "f = g\n", False),
    ],
)
def test_functions_are_what_they_do(other, alike):
    assert (content_of(made(SAME)) == content_of(made(other))) is alike


def test_what_a_function_reads_from_its_module_and_its_closure_counts(monkeypatch):
    before = content_of(reads_a_global)
    monkeypatch.setattr(sys.modules[__name__], "K", 3.0)
    assert content_of(reads_a_global) != before
    inner = "def f(x):\n    return helper(x)\n"
    one, two = (made(inner, helper=made(f"def h(x):\n    return x + {k}\n", "h")) for k in (1, 2))
    assert content_of(one) != content_of(two)

    def closing(k):
        return lambda x: k * x

    assert content_of(closing(1.0)) == content_of(closing(1.0)) != content_of(closing(2.0))


AGEING = """
class Ageing(Process):
    section = "ageing"
    age = State("min", doc="since birth", inherit="zero")

    def __init__(self, rate=1.0):
        self.rate = rate

    def step(self, tissue, tick):
        tissue.cells["ageing.age"][:] += self.rate * tick.dt
"""


def test_mechanisms_are_their_class_and_their_parameters():
    def mechanism(text=AGEING, **parameters):
        return made(text, "Ageing", Process=Process, State=State)(**parameters)

    assert content_of(mechanism()) == content_of(mechanism())
    for changed in (
        mechanism(rate=2.0),
        mechanism(AGEING.replace("+=", "-=")),
        mechanism(AGEING.replace('"min"', '"1"')),
    ):
        assert content_of(mechanism()) != content_of(changed)


def test_loops_are_their_function_options_and_parameters():
    def loop(**parameters):
        def growth(volume_total, dt, rate="0.1 1/min"):
            return volume_total * (1.0 + rate * dt)

        return each_cell(writes=("volume.total",))(growth)(**parameters)

    assert content_of(loop()) == content_of(loop()) != content_of(loop(rate="0.2 1/min"))


def test_values_circles_and_what_nobody_can_keep():
    import threading

    ring: list = [1]
    ring.append(ring)
    other: list = [1]
    other.append(other)
    assert content_of(ring) == content_of(other) != content_of([1, [1]])
    assert content_of({"a": 1, "b": {2, 3}}) == content_of({"b": {3, 2}, "a": 1}) != content_of({"a": 1.0, "b": {2, 3}})
    assert content_of(np.arange(3.0)) == content_of(np.arange(3.0)) != content_of(np.arange(3))
    assert content_of(functools.partial(pow, 2)) != content_of(functools.partial(pow, 3))
    assert content_of(threading.Lock()) == content_of(threading.Lock())
    assert content_of(np.exp) == content_of(np.exp) != content_of(np.sin)


def test_names_say_what_is_installed_and_content_what_is_not():
    assert is_installed("numpy.linalg") and is_installed("math") and is_installed("oncarium.run") and is_installed(None)
    assert not is_installed("__main__") and not is_installed(__name__) and not is_installed("gone_with_its_process")


def test_another_process_reads_the_same():
    """By pickle and back in a process that never saw the source."""
    cloudpickle = pytest.importorskip("cloudpickle")
    thing = made(AGEING, "Ageing", Process=Process, State=State)(rate=3.0)
    code = (
        "import pickle, sys; from oncarium.content import content_of; print(content_of(pickle.load(sys.stdin.buffer)))"
    )
    said = subprocess.run([sys.executable, "-c", code], input=cloudpickle.dumps(thing), capture_output=True, check=True)
    assert said.stdout.decode().strip() == content_of(thing)
