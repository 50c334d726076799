"""Optics of a microscope: its point spread function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import j1

from autodip.errors import ParameterError


@dataclass(frozen=True)
class Optics:
    """Objective and detector.

    Parameters
    ----------
    microscope : str
        "confocal", "twophoton" or "widefield".
    na : float
        Numerical aperture.
    wavelength : float
        Emission (for two-photon: excitation) wavelength in µm.
    pixel_size : float
        µm per pixel.
    photons : float
        Expected photons of the brightest pixel.
    gain, offset, read_noise : float
        Grey values per photon; grey value without light; its standard deviation.
    """

    microscope: str = "widefield"
    na: float = 1.3
    wavelength: float = 0.52
    pixel_size: float = 0.1
    photons: float = 30.0
    gain: float = 20.0
    offset: float = 100.0
    read_noise: float = 15.0


def psf(optics: Optics) -> np.ndarray:
    """In-focus point spread function, shape (33, 33), sum 1.

    Widefield: Airy pattern ``(2 J1(v) / v)**2``, ``v = 2 pi NA r / wavelength``. Confocal with
    a small pinhole and two-photon excitation: its square, the product of two Airy patterns
    or the quadratic dependence on the excitation (Pawley, Handbook of Biological Confocal
    Microscopy). Widefield has a haze from out-of-focus light added, 40 % of the light.
    """
    if optics.microscope not in ("confocal", "twophoton", "widefield"):
        raise ParameterError(
            f"microscope {optics.microscope!r}; allowed are confocal, twophoton, widefield"
        )
    axis = np.arange(-16, 17) * optics.pixel_size
    v = 2 * np.pi * optics.na / optics.wavelength * np.hypot(axis[:, None], axis)
    v[16, 16] = 1e-9
    airy = (2 * j1(v) / v) ** 2
    if optics.microscope != "widefield":
        airy **= 2
        return np.asarray(airy / airy.sum())
    haze = np.exp(-(np.hypot(axis[:, None], axis) ** 2) / (2 * (8 * optics.pixel_size) ** 2))
    return np.asarray(0.6 * airy / airy.sum() + 0.4 * haze / haze.sum())
