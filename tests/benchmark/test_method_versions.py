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
    "gaussian": ("3", 75.5196),
    "median": ("3", 71.1389),
    "tv": ("3", 74.0072),
    "nlm": ("3", 79.5902),
    "wavelet": ("1", 79.8293),
    "sparse": ("4", 76.9855),
    "fast": ("5", 74.0653),
    "untrained": ("1", 78.1009),
}
"""Version, and standard deviation of the result; of a preset, with a learned prior that blurs.

The hash of the weights is one of the settings of a benchmark row.
"""


@pytest.mark.usefixtures("blurring")
@pytest.mark.parametrize("name", FIGURES)
def test_version_and_result_belong_together(name):
    noisy, _ = simulate("mito", Optics(microscope="confocal"), size=64)
    method = find(name)
    result = method(noisy.astype(float), Context("confocal", "mito")).image
    version, figure = FIGURES[name]
    assert method.version == version
    # A fit depends slightly on the number of threads.
    assert result.std() == pytest.approx(figure, rel=2e-2 if method.random else 2e-3)
