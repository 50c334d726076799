"""Where the noise of simulated pairs comes from: a noisy image, or a detector in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autodip.errors import ImageError, ParameterError
from autodip.image.scaling import brightness
from autodip.physics.camera import Camera
from autodip.physics.degrade import match_brightness, noise_share, own_noise, simulate_noisy
from autodip.physics.detection import Detector, expose
from autodip.util.structured import read_structured
from autodip.util.values import check_float

SMALLEST = 64
"""Minimum side length of a clean image and of a simulated one, in pixels."""


class NoiseSource(Protocol):
    """Maker of noisy and true images from clean ones."""

    @property
    def dtype(self) -> str:
        """Data type of the noisy images."""

    @property
    def shares_truth(self) -> bool:
        """Whether all numbers of photons have the same true image."""

    def scaled(self, clean: np.ndarray) -> np.ndarray:
        """Clean image (Y, X) with the brightness from which pairs are made."""

    def pair(
        self, scaled: np.ndarray, level: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Noisy and true image (float32) of a scaled one, for a relative number of photons."""

    def own_noise(self, scaled: np.ndarray, level: float) -> float | None:
        """Noise of the clean image, as :func:`autodip.physics.degrade.own_noise`."""

    def record(self) -> dict[str, Any]:
        """What a manifest records of the source, ready for JSON."""


@dataclass(frozen=True)
class MeasuredNoise:
    """Noise and brightness of a noisy image.

    Parameters
    ----------
    name : str
        File name of the noisy image.
    noisy : ndarray, shape (Y, X)
    camera : Camera
        Measured on that image.
    """

    name: str
    noisy: np.ndarray
    camera: Camera

    @property
    def dtype(self) -> str:
        """Data type of the noisy image."""
        return self.camera.dtype

    @property
    def shares_truth(self) -> bool:
        """True: images with more photons are as bright, as if several were averaged."""
        return True

    def scaled(self, clean: np.ndarray) -> np.ndarray:
        """Clean image with the brightness of the noisy one, float32.

        Raises
        ------
        ImageError
            If the brightness cannot be matched.
        """
        return match_brightness(clean, self.noisy, self.camera).astype(np.float32)

    def pair(
        self, scaled: np.ndarray, level: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Noisy image in the type of the measured one, and the scaled image as its truth."""
        return simulate_noisy(scaled, self.camera, generator, photons=level), scaled

    def own_noise(self, scaled: np.ndarray, level: float) -> float | None:
        """Noise of the clean image as a share of the noise that is added."""
        return own_noise(scaled, self.camera, photons=level)

    def record(self) -> dict[str, Any]:
        """File name of the noisy image, and its camera."""
        return {"like": self.name, "camera": self.camera.to_dict()}


@dataclass(frozen=True)
class DetectorNoise:
    """Noise of a detector that is described in a file.

    Grey values are whole numbers, multiples of the detector's ``step``, if it has a ``step`` and
    clips at ``white`` and at black; otherwise they are photons.

    Parameters
    ----------
    name : str
        File name of the description.
    detector : Detector
    photons : float
        Expected number of photons in the brightest pixel of a clean image.
    """

    name: str
    detector: Detector
    photons: float

    @classmethod
    def read(cls, path: Path) -> DetectorNoise:
        """Read ``photons`` and any fields of :class:`Detector` from a YAML or JSON file.

        Raises
        ------
        FormatError
            If the file cannot be read.
        ParameterError
            If a key is unknown, ``photons`` is missing, or a value is out of its range.
        """
        content = read_structured(path, "calibrate")
        if not isinstance(content, dict) or "photons" not in content:
            raise ParameterError(
                f"{path}: photons is missing; give the number of photons in the brightest pixel, "
                "such as photons: 50, and any properties of the detector"
            )
        own = {key: value for key, value in content.items() if key != "photons"}
        try:
            check_float("photons", content["photons"], 0, 1e9, open_low=True)
            return cls(path.name, Detector.from_dict(own), float(content["photons"]))
        except ParameterError as error:
            raise ParameterError(f"{path}: {error}") from error

    @property
    def levels(self) -> int:
        """Number of grey levels above black; 0 if grey values are photons."""
        one = self.detector
        whole = one.step > 0 and one.black and one.white < np.inf
        count = round(one.white / one.step) if whole else 0
        return count if count <= np.iinfo(np.uint16).max else 0

    @property
    def dtype(self) -> str:
        """uint8 or uint16 if grey values are whole numbers; otherwise float32."""
        if not self.levels:
            return "float32"
        return "uint8" if self.levels <= np.iinfo(np.uint8).max else "uint16"

    @property
    def shares_truth(self) -> bool:
        """False: every exposure has its own brightness and place on the sensor."""
        return False

    def scaled(self, clean: np.ndarray) -> np.ndarray:
        """Expected photons in every pixel of the sensor.

        Raises
        ------
        ImageError
            If the clean image has NaN or infinite pixels or is constant, or the exposure would be
            too small.
        """
        if not np.isfinite(clean).all():
            raise ImageError("the clean image has NaN or infinite pixels; replace them or crop")
        if np.ptp(clean) == 0:
            raise ImageError(f"the clean image is {clean.flat[0]:g} everywhere; use another one")
        rows, columns = (self.detector.recorded(n) for n in clean.shape)
        if min(rows, columns) < SMALLEST:
            raise ImageError(
                f"the detector would record {rows} x {columns} pixels of it; {SMALLEST} are needed "
                "along each side: use a larger image"
            )
        return self.photons * brightness(clean).astype(np.float64)

    def pair(
        self, scaled: np.ndarray, level: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Exposure in :attr:`dtype`, and its expected value; smaller if pixels are interpolated."""
        rows, columns = (self.detector.recorded(n) for n in scaled.shape)
        exposure = expose(level * scaled, self.detector, (rows, columns), generator)
        if not self.levels:
            return exposure.image, exposure.mean
        grey = np.clip(np.rint(exposure.image / self.detector.step), 0, self.levels)
        return grey.astype(self.dtype), exposure.mean / np.float32(self.detector.step)

    def own_noise(self, scaled: np.ndarray, level: float) -> float | None:
        """Noise of the clean image as a share of the photon and read-out noise that is added."""
        one, light = self.detector, level * scaled
        added = one.excess * float(light.mean()) + one.read**2 + one.rows**2 + one.columns**2
        return noise_share(light, added)

    def record(self) -> dict[str, Any]:
        """File name of the description, and the detector; ``white`` is null if infinite."""
        fields = {k: None if v == np.inf else v for k, v in self.detector.to_dict().items()}
        return {"detector": {"file": self.name, "photons": self.photons, **fields}}
