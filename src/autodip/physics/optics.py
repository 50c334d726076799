"""Optics of a microscope: its point spread function, and blurring by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import j1

from autodip.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class Optics:
    """Objective and detector of a microscope.

    Parameters
    ----------
    microscope : str
        "confocal", "twophoton" or "widefield".
    na : float
        Numerical aperture.
    wavelength : float
        Emission (for two-photon: excitation) wavelength in µm.
    pixel_size : float
        Size of a pixel in the specimen, in µm.
    photons : float
        Expected number of photons in the brightest pixel.
    gain, offset, read_noise : float
        Grey values per photon; grey value without light; standard deviation of the read-out
        noise, in grey values.
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
    """In-focus point spread function, shape (33, 33), with a sum of 1.

    Widefield: Airy pattern ``(2 J1(v) / v)**2``, ``v = 2 pi NA r / wavelength``, to which a
    haze of out-of-focus light is added that has 40 % of the total intensity. Confocal with a
    small pinhole, and two-photon: square of the Airy pattern, which is the product of two Airy
    patterns or results from the quadratic dependence on the excitation (Pawley, Handbook of
    Biological Confocal Microscopy).
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


def through_microscope(density: np.ndarray, optics: Optics, margin: int) -> np.ndarray:
    """Blur a density of fluorophores by the point spread function.

    Parameters
    ----------
    density : ndarray, shape (Y, X)
        0 or more.
    optics : Optics
    margin : int
        Pixels at every border, 1 or more, whose light reaches the image but which are cut off.

    Returns
    -------
    ndarray, shape (Y - 2 margin, X - 2 margin)
        0 or more, in the units of the density.
    """
    blurred = fftconvolve(density, psf(optics), mode="same")
    return np.maximum(blurred[margin:-margin, margin:-margin], 0)
