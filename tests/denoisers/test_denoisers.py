import importlib.util
import sys

import numpy as np
import pytest
from scipy.optimize import minimize

from autodip.benchmark.registry import DEFAULT, METHODS, find
from autodip.denoisers import sparse
from autodip.denoisers.context import Context
from autodip.errors import ImageError, MissingPackageError, ParameterError
from autodip.metrics.fidelity import psnr
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.prior.setting import digest_of
from autodip.util.optional import require

FILTERS = ("gaussian", "median", "tv", "nlm", "wavelet", "sparse")
BM3D = pytest.param(
    "bm3d",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("bm3d") is None,
        reason="bm3d is for non-commercial use; install it by pip install bm3d",
    ),
)


@pytest.fixture(scope="module")
def pair():
    noisy, truth = simulate("mito", Optics(microscope="confocal"), size=96)
    return noisy.astype(np.float64), truth.astype(np.float64)


@pytest.mark.parametrize("name", [*FILTERS, BM3D])
def test_a_noisy_image_gets_better(name, pair):
    noisy, truth = pair
    outcome = find(name)(noisy, Context())
    span = float(np.ptp(truth))
    gain = psnr(outcome.image, truth, data_range=span) - psnr(noisy, truth, data_range=span)
    assert gain > 2
    assert outcome.image.dtype == np.float64
    assert abs(outcome.image.mean() - noisy.mean()) < 0.02 * span
    assert outcome.parameters


@pytest.mark.parametrize("name", [*FILTERS, BM3D])
def test_units_do_not_matter(name, pair):
    noisy, _ = pair
    noisy = noisy[:64, :80]
    first = find(name)(noisy, Context()).image
    second = find(name)(noisy * 0.01 + 3, Context()).image
    # Single precision, a difference quotient of it, and matching of blocks that are nearly alike.
    assert second == pytest.approx(first * 0.01 + 3, abs=5e-3 * float(np.ptp(noisy)) * 0.01)


@pytest.mark.parametrize("name", FILTERS)
def test_an_image_whose_noise_cannot_be_told_is_named(name):
    with pytest.raises(ImageError, match="64 x 64"):
        find(name)(np.eye(32), Context())


@pytest.mark.parametrize("name", [*FILTERS, BM3D])
def test_an_image_without_noise_is_named(name):
    image = np.zeros((96, 96))
    image[20:40, 30:50] = 100
    with pytest.raises(ImageError, match="noise in most of them"):
        find(name)(image, Context())


def test_noisy_and_blur_are_what_they_say(pair):
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415

    noisy, _ = pair
    assert (find("noisy")(noisy, Context()).image == noisy).all()
    assert find("blur")(noisy, Context()).image == pytest.approx(gaussian_filter(noisy, 1))


def test_sparse_reaches_the_minimum_of_its_energy(rng):
    """Compared with a general solver on the same energy with its corners rounded."""
    image = rng.normal(2, 1, (8, 7))
    image[3:6, 2:5] += 6

    def rounded(flat):
        x = np.pad(flat.reshape(image.shape), 1, mode="symmetric")
        inner = x[1:-1, 1:-1]
        yy = x[2:, 1:-1] - 2 * inner + x[:-2, 1:-1]
        xx = x[1:-1, 2:] - 2 * inner + x[1:-1, :-2]
        xy = x[2:, 2:] - x[2:, 1:-1] - x[1:-1, 2:] + inner
        norms = [np.sqrt(part**2 + 1e-8).sum() for part in (yy, xx, xy, inner)]
        fidelity = ((inner - image) ** 2).sum() / 2
        return fidelity + 0.4 * (norms[0] + norms[1] + 2 * norms[2]) + 0.05 * norms[3]

    other = minimize(rounded, image.ravel(), method="L-BFGS-B", options={"maxiter": 5000})
    short, long = (sparse.minimise(image * 4, 4, 0.1, iterations=n) for n in (100, 2000))
    assert sparse.energy(short, image * 4, 4, 0.1) <= 1.02 * sparse.energy(long, image * 4, 4, 0.1)
    ours = sparse.minimise(image, 0.4, 0.05, iterations=800)
    assert sparse.energy(ours, image, 0.4, 0.05) <= 1.002 * other.fun
    assert ours == pytest.approx(other.x.reshape(image.shape), abs=0.1)


def test_sparse_with_no_weights_returns_the_image(rng):
    image = rng.normal(0, 1, (9, 12))
    assert sparse.minimise(image, 0.0, 0.0) == pytest.approx(image, abs=1e-4)


def test_sparse_derivatives_and_adjoints_fit_together(rng):
    x, parts = rng.random((6, 9)), [rng.random((6, 9)) for _ in range(4)]
    forward = sum(float((a * b).sum()) for a, b in zip(sparse._operators(x), parts, strict=True))
    assert forward == pytest.approx(float((x * sparse._adjoint(parts)).sum()))


def test_sparse_leaves_a_plane_alone():
    y, x = np.mgrid[:40, :50].astype(float)
    plane = 3 + 0.1 * x - 0.05 * y
    result = sparse.minimise(plane, 0.5, 0.0, iterations=400)
    assert result[8:-8, 8:-8] == pytest.approx(plane[8:-8, 8:-8], abs=0.05)


def test_oracles_alone_need_the_truth(pair):
    noisy, truth = pair
    for name in ("oracle-blur", "oracle-tv"):
        assert find(name).oracle
        with pytest.raises(ParameterError, match="needs the truth"):
            find(name)(noisy, Context())
        best = find(name)(noisy, Context(truth=truth)).image
        plain = find("gaussian" if name == "oracle-blur" else "tv")(noisy, Context()).image
        assert np.mean((best - truth) ** 2) <= 1.05 * np.mean((plain - truth) ** 2)
    assert [m.name for m in METHODS.values() if m.oracle] == ["oracle-blur", "oracle-tv"]


def test_presets_run_through_the_pipeline(pair, blurring):
    noisy, _ = pair
    context = Context("confocal", "zebrafish", seed=3)
    plan = find("published").plan(noisy.shape, context)
    assert plan.settings["net"]["width"] == "asc_to512"
    assert plan.settings["fit"]["iterations"] == 1200
    assert (plan.settings["seed"], plan.settings["device"]) == (3, "cpu")
    assert plan.seconds > 60
    fast = find("fast")
    settings = dict(fast.plan(noisy.shape, context).settings)
    outcome = fast(noisy, context)
    assert {**outcome.parameters, "seed": 3, "device": "cpu"} == settings
    assert outcome.image.shape == noisy.shape
    assert settings["prior"]["sha256"] == digest_of(str(blurring))
    assert "prior" not in find("untrained").plan(noisy.shape, context).settings


def test_every_method_can_be_found():
    for method in METHODS.values():
        module, _, function = method.function.partition(":")
        assert importlib.util.find_spec(module), method.name
        assert function
        assert method.source
        assert method.full_version.startswith(method.version)
    assert set(DEFAULT) <= set(METHODS)
    with pytest.raises(ParameterError, match="'wiener' is not known; known are noisy, blur"):
        find("wiener")


def test_a_missing_package_names_its_command(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "bm3d>=4'):
        find("bm3d")(pair[0], Context())
    with pytest.raises(MissingPackageError, match=r'pip install.* "pywavelets>=1'):
        find("wavelet")(pair[0], Context())
    with pytest.raises(MissingPackageError, match=r'pip install.* "bm3d>=4'):
        require("no_such_package_anywhere", "bm3d")
    assert find("bm3d").libraries == ("bm3d", "bm4d")
