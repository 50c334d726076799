import dataclasses
import gc
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from autodip.choose import perceptual
from autodip.choose.measures import MEASURES
from autodip.choose.perceptual import Perceptual
from autodip.choose.samples import SIDE, Sample, shared_size
from autodip.errors import MissingPackageError, ParameterError
from autodip.metrics import alexnet, fidelity, weights

PIXELS = [name for name, measure in MEASURES.items() if measure.needs_pixels and name != "umap"]


def image(seed, sigma=3.0, shape=(96, 96)):
    smooth = gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    return (smooth - smooth.min()) / np.ptp(smooth)


def sample(seed, sigma=3.0, shape=(96, 96)):
    return Sample(image(seed, sigma, shape), {"a": float(seed), "b": sigma})


@pytest.fixture
def lpips_weights(rng, tmp_path, monkeypatch):
    tensors = {k: rng.normal(0, 0.05, shape) for k, shape in weights.SHAPES.items()}
    path = tmp_path / "weights.npz"
    np.savez(path, **{k: np.abs(v) if k.startswith("lin") else v for k, v in tensors.items()})
    monkeypatch.setenv(weights.VARIABLE, str(path))


@pytest.mark.parametrize("name", PIXELS)
def test_the_same_image_is_the_nearest(name, lpips_weights):
    query, near = sample(1), Sample(image(1) + 0.02 * image(2, 1.0), {})
    pool = [sample(3, 1.0), near, query, sample(4, 8.0)]
    found = MEASURES[name].distance(query, pool)
    assert found.shape == (4,)
    assert np.isfinite(found).all()
    assert list(np.argsort(found)[:2]) == [2, 1]


@pytest.mark.parametrize("name", PIXELS)
def test_pairs_are_symmetric_and_do_not_depend_on_others(name, lpips_weights):
    assert MEASURES[name].pairwise
    measure = MEASURES[name].distance
    a, b, c = sample(1), sample(2, 2.0), sample(3, 1.0)
    assert measure(a, [b])[0] == pytest.approx(measure(b, [a])[0], rel=1e-6)
    assert measure(a, [c, b])[1] == pytest.approx(measure(a, [b])[0], rel=1e-6)


@pytest.mark.parametrize("name", PIXELS)
def test_units_do_not_matter(name, lpips_weights):
    query, other = sample(1), sample(2, 1.5)
    scaled = Sample(300 * other.pixels + 20, {})
    measure = MEASURES[name].distance
    assert measure(query, [scaled]) == pytest.approx(measure(query, [other]), rel=1e-6)


def test_bright_outliers_do_not_set_the_scale():
    pixels = image(1, shape=(128, 128))
    hot = pixels.copy()
    hot[5, 5] = 1000
    assert np.abs(Sample(hot, {}).scaled - Sample(pixels, {}).scaled).mean() < 0.02


@pytest.mark.parametrize("name", PIXELS)
@pytest.mark.parametrize("shape", [(40, 300), (70, 200), (300, 310)])
def test_other_sizes_are_compared(name, shape, lpips_weights):
    found = MEASURES[name].distance(sample(1), [sample(2, shape=shape), sample(1)])
    assert np.isfinite(found).all()


def test_larger_images_are_compared_at_their_centre():
    large = image(5, shape=(300, 320))
    query = Sample(large, {})
    centre = query.scaled[22 : 22 + SIDE, 32 : 32 + SIDE]
    flat = Sample(np.tile(np.linspace(0, 1, 400), (400, 1)), {})
    other = flat.scaled[72 : 72 + SIDE, 72 : 72 + SIDE]
    expected = np.abs(centre - other).mean()
    assert MEASURES["l1"].distance(query, [flat])[0] == pytest.approx(expected)


def test_psnr_and_ssim_are_those_of_the_metrics():
    a, b = sample(1), sample(2)
    expected = fidelity.psnr(a.scaled, b.scaled, data_range=1)
    assert MEASURES["psnr"].distance(a, [b])[0] == pytest.approx(-expected)
    expected = fidelity.ssim(a.scaled, b.scaled, data_range=1)
    assert MEASURES["ssim"].distance(a, [b])[0] == pytest.approx(1 - expected)


SHAPES = [(96, 96), (300, 310), (70, 200), (40, 300), (96, 96)]


class Counting(alexnet.Lpips):
    """Counts the images that the network sees."""

    seen = 0

    def features(self, image, *, rescale=False):
        self.seen += 1
        return super().features(image, rescale=rescale)


@pytest.mark.parametrize(("kept", "seen"), [(200, 13), (3, 19), (0, 24)])
def test_lpips_is_that_of_the_metric_and_sees_an_image_once(lpips_weights, monkeypatch, kept, seen):
    monkeypatch.setattr(perceptual, "KEPT", kept)
    model, metric = Counting(alexnet.load()._tensors), alexnet.load()
    measure = Perceptual(model)
    pool = [sample(seed, 2.0, shape) for seed, shape in enumerate(SHAPES, 2)]
    for query in (sample(9), pool[0], sample(8)):
        found = measure.distances(query, pool)
        for one, value in zip(pool, found, strict=True):
            size = shared_size([query, one])
            assert value == metric(query.view(size), one.view(size))
    assert model.seen == seen


def test_features_go_with_their_sample(lpips_weights):
    measure = Perceptual(alexnet.load())
    measure.distances(sample(1), [sample(2)])
    gc.collect()
    assert not measure._kept


def test_lpips_without_weights_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights, "location", lambda: tmp_path / "none.npz")
    with pytest.raises(ParameterError, match="weights install"):
        MEASURES["lpips"].distance(sample(1), [sample(2)])


@pytest.mark.parametrize("name", PIXELS)
def test_without_pixels_it_says_what_to_do(name, lpips_weights):
    with pytest.raises(ParameterError, match="--keep-images"):
        MEASURES[name].distance(sample(1), [dataclasses.replace(sample(2), pixels=None)])


def test_descriptors_count_in_units_of_their_spread():
    query = Sample(None, {"small": 0.0, "large": 0.0})
    pool = [
        Sample(None, {"small": 0.001, "large": 0.0}),
        Sample(None, {"small": 0.0, "large": 100.0}),
        Sample(None, {"small": 0.0005, "large": 0.0}),
    ]
    found = MEASURES["descriptor"].distance(query, pool)
    values = np.array([[0, 0], [0.001, 0], [0, 100], [0.0005, 0]])
    unit = values / values.std(axis=0)
    assert found == pytest.approx(np.linalg.norm(unit[1:] - unit[0], axis=1))
    assert np.argmin(found) == 2


def test_descriptors_that_only_some_have_do_not_count():
    query = Sample(None, {"a": 0.0, "new": 9.0})
    pool = [Sample(None, {"a": 1.0}), Sample(None, {"a": 3.0, "new": 9.0})]
    near, far = MEASURES["descriptor"].distance(query, pool)
    assert far == pytest.approx(3 * near)
    with pytest.raises(ParameterError, match="no descriptor in common"):
        MEASURES["descriptor"].distance(query, [Sample(None, {})])


def test_umap_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    pool = [sample(seed) for seed in range(2, 6)]
    with pytest.raises(MissingPackageError, match=r'pip install.* "umap-learn>='):
        MEASURES["umap"].distance(sample(1), pool)


def test_umap_needs_four_images():
    with pytest.raises(ParameterError, match="4 images"):
        MEASURES["umap"].distance(sample(1), [sample(2)])


def test_umap_finds_the_cluster():
    pytest.importorskip("umap")
    rough = [Sample(image(seed, 1.0) ** 4, {}) for seed in range(12)]
    bright = [Sample(1 - 0.1 * image(seed, 1.0) ** 4, {}) for seed in range(12)]
    query = Sample(image(99, 1.0) ** 4, {})
    found = MEASURES["umap"].distance(query, [*rough, *bright])
    assert np.median(found[:12]) < np.median(found[12:])
    assert np.array_equal(found, MEASURES["umap"].distance(query, [*rough, *bright]))
