"""Registry of the methods by name."""

from __future__ import annotations

from functools import partial

from autodip.benchmark.method import Method
from autodip.benchmark.shipped import forecast
from autodip.errors import ParameterError
from autodip.util.closest import not_known

_DENOISERS, _HERE = "autodip.denoisers", "autodip.benchmark"
_ARRAYS = ("numpy", "scipy", "scikit-image")
_TORCH = ("torch",)


def _preset(name: str, title: str, source: str, version: str = "1") -> Method:
    return Method(
        name,
        title,
        f"{_HERE}.shipped:{name}",
        version,
        source,
        libraries=_TORCH,
        modules=("autodip.fit.loop", "autodip.prior.apply"),
        forecast=partial(forecast, preset=name),
        random=True,
    )


def _classical(
    name: str, title: str, module: str, source: str, seconds: float, *, version: str = "1"
) -> Method:
    function = module if ":" in module else f"{module}:denoise"
    home = _HERE if module.startswith("oracle") else _DENOISERS
    return Method(
        name, title, f"{home}.{function}", version, source, seconds=seconds, libraries=_ARRAYS
    )


def _network(
    name: str, title: str, source: str, seconds: float, *, start: float = 0.0, version: str = "1"
) -> Method:
    module = f"{_DENOISERS}.{name.replace('-', '')}:denoise"
    return Method(
        name,
        title,
        module,
        version,
        source,
        seconds=seconds,
        start=start,
        libraries=_TORCH,
        random=True,
    )


_ALL = (
    _classical("noisy", "noisy", "identity", "the image as it is", 0),
    _classical("blur", "blur, 1 px", "gaussian:blur", "the plainest alternative", 0),
    _classical("gaussian", "Gaussian", "gaussian", "SciPy", 3, version="3"),
    _classical("median", "median", "median", "SciPy", 6, version="3"),
    _classical("tv", "TV", "tv", "Rudin, Osher & Fatemi 1992; Chambolle 2004", 60, version="3"),
    _classical("nlm", "NL-means", "nlm", "Buades, Coll & Morel 2005", 30, version="3"),
    Method(
        "wavelet",
        "wavelet",
        f"{_DENOISERS}.wavelet:denoise",
        "1",
        "Chang, Yu & Vetterli 2000",
        seconds=20,
        libraries=(*_ARRAYS, "PyWavelets"),
        modules=("skimage.restoration", "pywt"),
    ),
    Method(
        "bm3d",
        "VST+BM3D",
        f"{_DENOISERS}.bm3d:denoise",
        "3",
        "Dabov et al. 2007; Mäkitalo & Foi 2013; Mäkitalo, Azzari & Foi 2020",
        seconds=80,
        libraries=("bm3d", "bm4d"),
        modules=("bm3d",),
    ),
    _classical("sparse", "sparse variational", "sparse", "Zhao et al. 2022", 120, version="4"),
    _network("zs-n2n", "ZS-N2N", "Mansour & Heckel 2023", 760),
    _network("noise2fast", "Noise2Fast", "Lequyer et al. 2022", 1200),
    _network("fm2s", "FM2S-like", "Liu et al. 2024", 100, version="3"),
    _network("n2v", "Noise2Void", "Krull, Buchholz & Jug 2019", 2, start=25),
    _preset("original", "original DIP", "Ulyanov et al. 2018, settings of arXiv 2601.12055"),
    _preset("published", "AUTO-DIP as published", "arXiv 2601.12055"),
    _preset("fast", "autodip fast", "this package", version="5"),
    _preset("balanced", "autodip balanced", "this package", version="5"),
    _preset("best", "autodip best", "this package", version="5"),
    _preset("untrained", "autodip untrained", "this package"),
    _classical("oracle-blur", "oracle: best blur", "oracle:blur", "bound", 3),
    _classical("oracle-tv", "oracle: best TV", "oracle:total_variation", "bound", 60),
)

METHODS = {method.name: method for method in _ALL}
"""All methods, in the order of the columns of a table."""

DEFAULT = ("noisy", "blur", "gaussian", "tv", "sparse", "original", "published", "balanced")
"""Methods that a benchmark runs by default; none of them needs an optional package."""


def find(name: str) -> Method:
    """Look up a method by its name.

    Raises
    ------
    ParameterError
        If there is no method of this name.
    """
    if name not in METHODS:
        raise ParameterError(not_known("method", name, METHODS))
    return METHODS[name]
