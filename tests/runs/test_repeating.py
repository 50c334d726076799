"""What differs from a recorded run, so that its repetition may have other bits."""

import numpy as np
import pytest

import autodip
from autodip.runs import repeating, saving

LEARNED = {"preset": "fast", "device": "cpu"}
FITTED = {**LEARNED, "iterations": 2, "depth": 2, "width": 4, "refine": False}


@pytest.fixture
def recorded(sample):
    def record(options):
        image = autodip.Image(sample[0].astype(np.float32), "YX")
        *_, last = autodip.denoise_steps(image, autodip.Options(**options))
        return saving.sidecar_of(image, last.result)

    return record


@pytest.mark.parametrize("options", [LEARNED, FITTED], ids=["learned", "fitted"])
def test_nothing_differs(recorded, options):
    content = recorded(options)
    assert set(content.processor) == {"processor", "instructions", "bfloat16"}
    assert repeating.difference(content, content.processor, content.threads) is None


def test_threads_matter_to_fits_alone(recorded):
    learned, fitted = recorded(LEARNED), recorded(FITTED)
    assert repeating.difference(learned, learned.processor, learned.threads + 1) is None
    note = repeating.difference(fitted, fitted.processor, fitted.threads + 1)
    assert f"the number of threads ({fitted.threads}, now {fitted.threads + 1})" in note


def test_other_processors_and_versions_are_named(recorded):
    content = recorded(LEARNED)
    other = {**content.processor, "bfloat16": "something else"}
    note = repeating.difference(content, other, content.threads)
    assert "the use of bfloat16" in note
    assert "something else" in note
    older = content.replace(versions={**content.versions, "torch": "0.1", "python": "2.7"})
    note = repeating.difference(older, content.processor, content.threads)
    assert "torch (0.1, now" in note
    assert "python" not in note


def test_sidecars_of_earlier_versions_name_no_processor(recorded):
    content = recorded(LEARNED)
    older = content.replace(processor=None)
    assert repeating.difference(older, content.processor, content.threads) is None
