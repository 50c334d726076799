"""Compression, shifted rows and interpolation are reported; nothing else is."""

import imagecodecs
import numpy as np
import pytest
from scipy.ndimage import zoom

from autodip import io
from autodip.physics.artefacts import alternating_shift, artefacts, is_jittering, repetition
from autodip.physics.estimate import estimate_noise
from tests.helpers.blobs import blobs, recorded


def notes(image):
    return " | ".join(artefacts(image, estimate_noise(image)))


def shifted(truth, shifts):
    places = np.arange(truth.shape[1])
    rows = zip(truth, shifts, strict=True)
    return np.array([np.interp(places - shift, places, row) for row, shift in rows])


@pytest.mark.parametrize("quality", [50, 75, 90, 97])
def test_compression_with_loss(quality):
    image = np.clip(recorded(blobs()) - 90.0, 0, 255).astype(np.uint8)
    assert "JPEG" not in notes(image)
    decoded = imagecodecs.jpeg_decode(imagecodecs.jpeg_encode(image, level=quality))
    assert notes(decoded).count("JPEG") == 1


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_rows_shifted_by_a_bidirectional_scan(shift):
    image = recorded(shifted(blobs(), np.arange(128) % 2 * shift))
    assert alternating_shift(image.astype(float)) == pytest.approx(shift, rel=0.25)
    assert "every other row is shifted" in notes(image)
    assert "every other column is shifted" in notes(image.T)


def test_rows_shifted_at_random(rng):
    image = recorded(shifted(blobs(), rng.normal(0, 2, 128)))
    assert is_jittering(image.astype(float))
    assert "single rows are shifted" in notes(image)


@pytest.mark.parametrize("share", [1e-3, 3e-3, 0.01])
def test_single_photons_are_no_artefact(share, rng):
    for _ in range(5):
        assert notes(rng.poisson(share, (128, 128))) == ""


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_repeated_pixels(factor):
    image = recorded(blobs()).repeat(factor, axis=0).repeat(factor, axis=1)
    assert f"repeated {factor} x {factor} times" in notes(image)
    assert estimate_noise(image) is None
    assert repetition(image[1:]) == repetition(np.zeros((64, 64))) == 1


def test_interpolated_images():
    image = recorded(blobs()).astype(float)
    assert "resized" in notes(zoom(image, 2, order=1))
    assert notes(image) == ""


def test_real_images_have_no_artefacts_but_correlated_noise(shared):
    for path in sorted((shared / "data" / "fmd_test" / "raw").glob("*_1.png")):
        found = notes(io.read(path).data)
        assert ("resized" in found) == ("WideField" in path.name), path.name
        assert "shifted" not in found, path.name
        assert "JPEG" not in found, path.name
