"""A method whose results change needs a new version, else old benchmark rows pass for new ones.

If this fails, give the method a new version in ``benchmark/registry.py``, and enter its new value
here. The version of a library is automatically part of the version of a method.
"""

import pytest

from autodip.benchmark.registry import find
from autodip.denoisers.context import Context
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

FIGURES = {
    "blur": ("1", 73.0373),
    "gaussian": ("2", 70.3594),
    "median": ("2", 63.7135),
    "tv": ("2", 72.4796),
    "nlm": ("2", 76.7141),
    "wavelet": ("1", 79.8293),
    "sparse": ("3", 76.3191),
    "fast": ("3", 76.6569),
}
"""Version, and standard deviation of the result."""


@pytest.mark.parametrize("name", FIGURES)
def test_version_and_result_belong_together(name):
    noisy, _ = simulate("mito", Optics(microscope="confocal"), size=64)
    method = find(name)
    result = method(noisy.astype(float), Context("confocal", "mito")).image
    version, figure = FIGURES[name]
    assert method.version == version
    # A fit depends slightly on the number of threads.
    assert result.std() == pytest.approx(figure, rel=2e-2 if method.random else 2e-3)
