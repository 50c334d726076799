"""A simulated image with its truth, to try things out."""

from __future__ import annotations

import numpy as np

from autodip.image.image import Hint, Image
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate


def sample(
    specimen: str = "mito", microscope: str = "confocal", *, size: int = 256, seed: int = 0
) -> tuple[Image, np.ndarray]:
    """Simulate a noisy image and its truth, to try things out without a file.

    Structures are drawn as photon densities, blurred by the point spread function of the
    microscope and detected with photon and read-out noise.

    Parameters
    ----------
    specimen : str
        "nucleus", "actin" or "mito".
    microscope : str
        "confocal", "twophoton" or "widefield".
    size : int
        Side length of the image in pixels of 0.1 µm.
    seed : int

    Returns
    -------
    noisy : Image, uint16, shape (size, size)
    truth : ndarray, float32, shape (size, size)
        Expected grey value of every pixel.

    Raises
    ------
    ParameterError
        If the specimen or the microscope is not one of these.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample("nucleus", size=64)
    >>> noisy
    <Image YX 64 × 64 uint16, 0.1 µm per pixel>
    >>> truth.shape
    (64, 64)
    """
    optics = Optics(microscope=microscope)
    noisy, truth = simulate(specimen, optics, size=size, seed=seed)
    hints = (Hint("microscope", "simulation", microscope), Hint("specimen", "simulation", specimen))
    image = Image(
        noisy,
        "YX",
        pixel_size={"X": optics.pixel_size, "Y": optics.pixel_size},
        hints=(hints,),
    )
    return image, truth
