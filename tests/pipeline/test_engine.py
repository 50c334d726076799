"""A custom engine: steps, results, and named maps in addition to the image."""

import numpy as np
import pytest

import autodip
from autodip.image.image import Image
from autodip.pipeline.parts import Finished
from autodip.pipeline.result import PlaneResult
from autodip.pipeline.workspace import Workplace


def halving(tasks):
    """Halve the pixels, and return the doubled pixels as a map."""
    for task in tasks:
        for place, plane in enumerate(task.planes):
            record = PlaneResult(
                index=task.part.indices[place],
                description=task.description,
                history=np.empty((0, 2)),
                assessment=None,
                seconds=0.0,
                fallbacks=0,
                window=task.part.window,
            )
            pixels = (plane / 2).astype(task.dtype)
            maps = {"double": (2.0 * plane).astype(np.float32)}
            yield Finished(task.part.number, place, pixels, record, maps)


def run(image, folder=None, axes=None, **options):
    options = autodip.Options(device="cpu", preset="fast", dtype="float64", **options)
    workplace = Workplace(folder, {"file": "a"}, engine=halving)
    *_, last = autodip.denoise_steps(image, options, axes=axes, workplace=workplace)
    return last.result


@pytest.mark.parametrize("options", [{}, {"tile": 128}, {"independent": True}])
@pytest.mark.parametrize("on_disk", [False, True])
def test_maps_have_the_shape_of_the_image(rng, tmp_path, options, on_disk):
    film = rng.random((2, 200, 170))
    result = run(film, tmp_path / "work" if on_disk else None, "TYX", **options)
    assert np.allclose(result.image, film / 2, atol=1e-6)
    assert np.allclose(result.maps["double"], 2 * film, atol=1e-6)
    assert result.maps["double"].dtype == np.float32


def test_an_engine_need_not_know_the_standard_errors(rng):
    result = run(rng.random((80, 70)), uncertainty=True)
    assert set(result.maps) == {"double"}


def test_maps_of_a_mapped_file_are_mapped(rng, tmp_path):
    np.save(tmp_path / "a.npy", rng.random((200, 170)))
    data = np.load(tmp_path / "a.npy", mmap_mode="r")
    result = run(Image(data, "YX"), tmp_path / "work", tile=128)
    assert isinstance(result.maps["double"], np.memmap)
    assert np.allclose(result.maps["double"], 2 * data, atol=1e-6)


def test_results_of_another_engine_are_not_taken(rng, tmp_path):
    film = rng.random((2, 80, 70))
    run(film, tmp_path / "work", "TYX", independent=True)
    options = autodip.Options(
        device="cpu",
        preset="fast",
        dtype="float64",
        independent=True,
        iterations=2,
        depth=2,
        width=4,
    )
    place = Workplace(tmp_path / "work", {"file": "a"})
    *_, last = autodip.denoise_steps(film, options, axes="TYX", workplace=place)
    assert last.result.maps == {}
    assert not np.allclose(last.result.image, film / 2, atol=1e-3)
