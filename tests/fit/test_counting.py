import pytest

from autodip.errors import OutOfMemoryError
from autodip.fit import counting
from autodip.fit.params import NetParams

WIDE = NetParams(5, 128)


def test_counts():
    small, twice = counting.estimate(WIDE, 1, (256, 256)), counting.estimate(WIDE, 2, (256, 256))
    assert small.parameters == 2217573
    assert twice.flop == 2 * small.flop
    assert twice.memory == small.memory
    # 0.46 TFLOP for an iteration at 512 x 512
    assert counting.estimate(WIDE, 1, (512, 512)).flop == pytest.approx(0.46e12, rel=0.05)


def test_seconds_are_known_for_the_cpu_alone():
    assert counting.estimate(WIDE, 10, (64, 64)).seconds > 0
    assert counting.estimate(WIDE, 10, (64, 64), "cuda:0").seconds is None


def test_a_setting_that_fits_is_named_and_fits():
    free = 300_000_000
    with pytest.raises(OutOfMemoryError, match=r"--width 32 needs 0\.2 GB") as caught:
        counting.check_memory(WIDE, (256, 256), free)
    assert isinstance(caught.value, MemoryError)
    counting.check_memory(WIDE.replace(width=32), (256, 256), free)


def test_an_image_too_large_for_any_width():
    with pytest.raises(OutOfMemoryError, match="crop"):
        counting.check_memory(WIDE, (512, 512), 10_000_000)
