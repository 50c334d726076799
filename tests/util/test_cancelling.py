import threading

import pytest

from autodip.util.cancelling import Cancelled, cancellable, check


def test_nothing_happens_without_a_block():
    check()


def test_it_ends_the_block_once_it_is_asked_to():
    asked = threading.Event()
    with cancellable(asked.is_set):
        check()
        asked.set()
        with pytest.raises(Cancelled):
            check()
    check()


def test_another_thread_is_not_cancelled():
    failed = []

    def work():
        try:
            check()
        except Cancelled:
            failed.append(True)

    with cancellable(lambda: True):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert failed == []


def test_a_batch_does_not_continue_after_it():
    assert not issubclass(Cancelled, Exception)
