import threading

import numpy as np
import pytest

from autodip.errors import ImageError
from autodip.napari.background import Background
from autodip.util.cancelling import check


def ended(work):
    found = Background(work).start()
    assert found.wait(10)
    return found


def test_news_and_outcome():
    found = ended(lambda tell: [tell(1), tell(2), "done"][-1])
    assert found.news() == [1, 2]
    assert found.news() == []
    assert found.outcome == "done"
    assert found.error == ""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ImageError("two\nlines"), r"two\nlines"),
        (KeyError("x"), "unexpected KeyError: 'x'"),
        (MemoryError(), "there is not enough memory for this image; close others, or crop it"),
    ],
)
def test_an_error_is_one_line(error, line):
    def work(tell):
        raise error

    found = ended(work)
    assert found.error == line
    assert found.outcome is None


@pytest.mark.parametrize("where", ["news", "check"])
def test_it_ends_when_cancelled(where):
    begun = threading.Event()

    def work(tell):
        begun.set()
        while True:
            tell(0) if where == "news" else check()
            threading.Event().wait(0.001)

    found = Background(work).start()
    begun.wait(10)
    found.cancel()
    assert found.wait(1)
    assert found.cancelled
    assert found.error == ""


def test_it_waits_for_what_it_comes_after():
    order, free = [], threading.Event()
    first = Background(lambda tell: [free.wait(10), order.append(1)]).start()
    second = Background(lambda tell: order.append(2), first).start()
    assert not second.wait(0.05)
    free.set()
    assert second.wait(10)
    assert order == [1, 2]


def test_arrays_are_passed_on():
    pixels = np.zeros(3)
    assert ended(lambda tell: pixels).outcome is pixels
