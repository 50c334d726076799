"""Planes computed in windows, and interrupted runs that resume."""

import pickle

import numpy as np
import pytest

import autodip
from autodip.errors import OutOfMemoryError, ParameterError
from autodip.image import windows
from autodip.image.image import Image
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline import memory
from autodip.pipeline.denoise import denoise_steps
from autodip.pipeline.execute import compute, fit_tasks
from autodip.pipeline.machine import Machine
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Finished, Part, Tasks, batches, cut
from autodip.pipeline.planning import plan_image
from autodip.pipeline.repair import RepairedImage
from autodip.pipeline.workspace import Workplace

QUICK = {"iterations": 4, "depth": 2, "width": 4, "device": "cpu", "refine": False}


@pytest.fixture(scope="module")
def large():
    """A noisy and a true plane of 300 x 400 pixels."""
    noisy, true = simulate("actin", Optics(), size=400, seed=3)
    return noisy[:300], true[:300]


def run(image, workplace=None, axes=None, **options):
    *_, last = denoise_steps(image, Options(**{**QUICK, **options}), axes=axes, workplace=workplace)
    return last.result


def test_a_plane_is_cut_into_windows_without_a_seam(large):
    noisy, _ = large
    result = run(noisy, tile=128, iterations=25)
    assert result.tiling == windows.Tiling(128, 32)
    parts = result.tiling.windows(noisy.shape)
    assert [record.window for record in result.planes] == list(parts)
    assert result.image.shape == noisy.shape
    assert result.image.dtype == noisy.dtype
    assert windows.seam(result.image, parts) == pytest.approx(1, abs=0.1)
    assert any("windows of 128 x 128" in note for note in result.choice.evidence.notes)


def test_windows_share_one_scale_and_one_noise(large):
    result = run(large[0], tile=128)
    assert len({record.description.noise for record in result.planes}) == 1
    flat = large[0].copy()
    flat[:, :140] = 100
    first = run(flat, tile=128).planes[0]
    assert first.assessment is None
    assert first.window.columns == slice(0, 128)


def test_windows_as_large_as_the_plane_change_nothing(large):
    whole = run(large[0], tile=0)
    assert whole.tiling is None
    assert np.array_equal(whole.image, run(large[0]).image)
    assert np.array_equal(whole.image, run(large[0], tile=400).image)


def test_large_planes_are_cut_without_being_told(large, monkeypatch):
    monkeypatch.setattr(memory, "WHOLE", 300 * 399)
    monkeypatch.setattr(memory, "_SIDES", (256, 128))
    assert run(large[0]).tiling == windows.Tiling(256, 32)


def test_windows_become_smaller_where_memory_is_short(large, monkeypatch):
    monkeypatch.setattr(memory, "_SIDES", (256, 128))
    image = RepairedImage.of(Image(large[0], "YX"))
    needs = []

    def need(tile):
        plan = plan_image(image, Options(**QUICK, tile=tile), Machine("cpu", 10**12))
        needs.append(memory.needed(image, plan, plan.tiling))
        return needs[-1]

    assert need(256) > need(128)
    options = Options(**QUICK)
    assert plan_image(image, options, Machine("cpu", needs[0])).tiling.side == 256
    assert plan_image(image, options, Machine("cpu", needs[0] - 1)).tiling.side == 128
    with pytest.raises(OutOfMemoryError, match="are free"):
        plan_image(image, options, Machine("cpu", needs[1] - 1))


@pytest.mark.parametrize("wrong", [{"tile": 127}, {"tile": -1}, {"max_memory": 0}])
def test_wrong_values(wrong):
    with pytest.raises(ParameterError, match="must be"):
        Options(**wrong)


def test_frames_of_a_large_plane_follow_window_by_window(large):
    film = np.stack([large[0]] * 3)
    result = run(film, axes="TYX", tile=256, iterations=60, width=16)
    windows = len(result.tiling.windows(large[0].shape))
    assert [dict(record.index)["T"] for record in result.planes] == sorted([0, 1, 2] * windows)
    assert [record.follows for record in result.planes[:windows]] == [False] * windows
    assert all(record.follows for record in result.planes[windows:])


def test_axes_keep_their_order_when_planes_are_cut(large):
    image = np.stack([large[0], large[0][::-1]], axis=1)  # Y, C, X
    turned = run(image.T, axes="XCY", tile=128).image
    assert turned.shape == image.T.shape
    assert np.array_equal(turned, run(image, axes="YCX", tile=128).image.transpose(2, 1, 0))


@pytest.mark.parametrize("options", [{"tile": 128}, {"independent": True}])
def test_a_stopped_run_goes_on_where_it_was(large, tmp_path, options, monkeypatch):
    film = np.stack([large[0][:160, :160], large[0][100:260, 100:260]])
    undisturbed = run(film, axes="TYX", **options)
    place = Workplace(tmp_path / "work", {"file": "a"})
    started = []

    def watched(tasks):
        started.append(tasks[0].part.number)
        yield from fit_tasks(tasks)

    monkeypatch.setattr("autodip.pipeline.execute.fit_tasks", watched)
    running = denoise_steps(film, Options(**QUICK, **options), axes="TYX", workplace=place)
    total = next(running).planes
    while len(started) < 2:
        next(running)
    running.close()
    assert started == [0, 1]
    result = run(film, place, axes="TYX", **options)
    assert started == [0, 1, *range(1, started[-1] + 1)]
    assert len(result.planes) == total
    assert np.array_equal(result.image, undisturbed.image)
    for one, other in zip(result.planes, undisturbed.planes, strict=True):
        assert one.window == other.window
        assert one.description == other.description
        assert one.assessment == other.assessment
        assert np.array_equal(one.history, other.history)


def test_parts_of_another_run_are_not_taken(large, tmp_path):
    plane = large[0]
    one = run(plane, Workplace(tmp_path, {"file": "a"}), tile=128)
    again = run(plane, Workplace(tmp_path, {"file": "b"}), tile=128, seed=5)
    assert not np.array_equal(one.image, again.image)
    assert np.array_equal(again.image, run(plane, tile=128, seed=5).image)


def test_results_of_mapped_files_are_mapped(large, tmp_path):
    np.save(tmp_path / "a.npy", large[0])
    image = Image(np.load(tmp_path / "a.npy", mmap_mode="r"), "YX")
    result = run(image, Workplace(tmp_path / "work"), tile=128)
    assert isinstance(result.image, np.memmap)
    assert np.array_equal(result.image, run(large[0], tile=128).image)


def test_long_courses_begin_anew_now_and_then(large, monkeypatch):
    monkeypatch.setattr(memory, "_RUN", 2)
    film = Image(np.stack([large[0][:64, :64]] * 5), "TYX")
    options = Options(**QUICK)
    plan = autodip.plan(film, options)
    assert (plan.channels[0].fits, plan.channels[0].followers) == (3, 2)
    assert [len(part.indices) for part in cut(film, plan)] == [2, 2, 1]


def test_a_task_needs_nothing_but_itself(large):
    image, options = Image(large[0], "YX"), Options(**QUICK, tile=128)
    plan = autodip.plan(image, options)
    part = cut(image, plan)[2]
    task = Tasks(image, plan).of(part)
    (done,) = compute(None, pickle.loads(pickle.dumps([task.loaded()])))
    (here,) = [one for one in fit_tasks([task]) if isinstance(one, Finished)]
    assert np.array_equal(done.pixels, here.pixels)
    assert done.pixels.dtype == np.float32


def test_alpha_is_left_as_it_is(large):
    colours = np.stack([large[0][:64, :64]] * 4, axis=-1)
    result = autodip.denoise(Image(colours, "YXS", alpha=True), **QUICK)
    assert np.array_equal(result.image[..., 3], colours[..., 3])
    assert not np.array_equal(result.image[..., 0], colours[..., 0])


@pytest.mark.parametrize("options", [{"tile": 128}, {"independent": True}, {"preset": "best"}])
def test_fits_at_once_give_what_they_give_alone(large, monkeypatch, options):
    """As on an accelerator; a constant plane among them is passed through."""
    film = np.stack([large[0][:160, :160], np.full((160, 160), 7), large[0][100:260, 100:260]])
    film[0, :130, :130] = 100
    options = {"independent": True, "iterations": 6, **options}
    alone = run(film.astype(float), axes="TYX", **options)
    monkeypatch.setattr(memory, "at_once", lambda plans, machine: 4)
    together = run(film.astype(float), axes="TYX", **options)
    assert together.image == pytest.approx(alone.image, abs=0.02 * np.ptp(large[0]))
    assert np.array_equal(together.image[1], film[1])
    assert [one.index for one in together.planes] == [one.index for one in alone.planes]
    assert [len(one.history) for one in together.planes] == [len(p.history) for p in alone.planes]


def test_batches():
    parts = [Part(n, n // 4, ((("T", n),),) * (2 if n > 6 else 1), None) for n in range(8)]
    numbers = [[part.number for part in group] for group in batches(parts, 3)]
    assert numbers == [[0, 1, 2], [3], [4, 5, 6], [7]]


def test_how_many_fits_share_an_accelerator(large):
    plans = autodip.plan(large[0], Options(**QUICK))
    need = plans[0].cost.memory
    assert memory.at_once(plans, Machine("cpu", 100 * need)) == 1
    assert memory.at_once(plans, Machine("cuda:0", 5 * need)) == 5
    assert memory.at_once(plans, Machine("cuda:0", 100 * need)) == 16
    assert memory.at_once(plans, Machine("cuda:0", 1)) == 1
