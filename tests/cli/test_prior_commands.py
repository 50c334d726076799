"""``autodip prior tune`` and ``study``, and the prior of a base in ``denoise``."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from autodip.bases import own_prior, store
from autodip.prior import learned, setting, tuning
from autodip.prior.learned import save_prior
from autodip.prior.setting import BUILTIN
from tests.cli.conftest import sidecar
from tests.helpers import pairs as folders
from tests.helpers.priors import own_image, trained


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("prior") / "builtin.safetensors"
    save_prior(trained(), path, {})
    return path


@pytest.fixture(autouse=True)
def builtin_prior(weights, monkeypatch):
    """A tiny prior in place of the one of the package."""
    for module in (setting, learned):
        monkeypatch.setattr(module, "path_of", lambda w: weights if w == BUILTIN else Path(w))


@pytest.fixture
def pairs(tmp_path):
    """Four fields of view with their truths, and one image for a test."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    entries = []
    for number in range(5):
        noisy, truth = own_image(number).read()
        for name, image in (("noisy", noisy), ("truth", truth)):
            grey = (image * 100).clip(0, 65535).astype(np.uint16)
            (folder / f"{name}{number}.png").write_bytes(imagecodecs.png_encode(grey))
        entries.append(
            {
                "set": "cells",
                "role": "calibration" if number < 4 else "test",
                "file": f"noisy{number}.png",
                "truth": f"truth{number}.png",
                "microscope": "confocal",
                "specimen": "actin",
                "noise_level": "raw",
                "fov": number,
                "capture": 1,
            }
        )
    folders.save(folder, entries)
    return folder


def tuned(cli, pairs, base, *more):
    code, out, error = cli("prior", "tune", pairs, "--base", base, "--steps", 30, "--json", *more)
    assert code == 0, error
    return json.loads(out)


@pytest.fixture(scope="module", autouse=True)
def faster():
    """Larger steps of smaller patches, since the tiny prior has hardly learned anything."""
    before = tuning.TuneParams
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tuning,
            "TuneParams",
            lambda **given: before(patch=64, batch=4, scenes=2, rate=1e-3, checks=1, **given),
        )
        yield


def test_a_tuned_prior_denoises_for_its_base(cli, pairs, tmp_path):
    base, out = tmp_path / "mine", tmp_path / "out.png"
    said = tuned(cli, pairs, base)
    assert said["kept"]
    assert (said["pairs"], said["kinds"]) == (4, [{"microscope": "confocal", "specimen": "actin"}])
    assert said["after"] > said["before"]
    assert said["builtin"] == said["start"] == setting.digest_of(BUILTIN)

    code, text, _ = cli("base", "show", base)
    assert code == 0
    assert "own prior, tuned on 4 pairs (confocal and actin)" in text

    code, _, error = cli("denoise", pairs / "noisy4.png", "-o", out, "--base", base)
    assert code == 0, error
    choice = sidecar(out)["channels"][0]["choice"]
    assert choice["prior"]["weights"] == str(own_prior.path_in(base))
    assert choice["prior"]["sha256"] == own_prior.digest(base)
    assert choice["prior"]["orientations"] == 8
    assert choice["evidence"]["table"] == "mine"
    assert "prior of the base mine, tuned on 4 pairs" in choice["evidence"]["notes"][0]

    again = tmp_path / "again.png"
    repeat = ("denoise", pairs / "noisy4.png", "--params", f"{out}.autodip.json", "-o")
    assert cli(*repeat, again)[0] == 0
    assert again.read_bytes() == out.read_bytes()
    save_prior(trained(steps=1), own_prior.path_in(base), {})
    code, _, error = cli(*repeat, tmp_path / "third.png")
    assert code == 1
    assert "SHA-256" in error
    assert "provide that file" in error


def test_a_base_keeps_what_it_had_if_tuning_does_not_help(cli, pairs, tmp_path, monkeypatch):
    base = tmp_path / "mine"
    code, out, _ = cli("prior", "tune", pairs, "--base", base, "--steps", 30, "-q")
    assert code == 0
    assert f"'autodip denoise --base {base}' uses it" in out
    before = own_prior.digest(base)
    monkeypatch.setattr(tuning, "_BETTER", 10)
    code, out, error = cli("prior", "tune", pairs, "--base", base, "--steps", 1)
    assert "no improvement, so the base keeps the prior that it had" in out
    assert "1/1  loss" in error
    assert own_prior.digest(base) == before
    fresh = tmp_path / "fresh"
    code, out, _ = cli("prior", "tune", pairs, "--base", fresh, "--steps", 1)
    assert code == 0
    assert "has no prior of its own" in out
    assert store.load(fresh).prior is None


def test_a_folder_of_noisy_images_is_enough(cli, pairs, tmp_path):
    (pairs / "manifest.json").unlink()
    for file in pairs.glob("truth*"):
        file.unlink()
    said = tuned(cli, pairs, tmp_path / "mine", "--microscope", "confocal")
    assert (said["pairs"], said["single"]) == (0, 5)
    assert said["kinds"] == [{"microscope": "confocal", "specimen": None}]
    assert "SURE" in said["measure"]


def test_entries_without_a_truth_are_captures(cli, pairs, tmp_path):
    entries = folders.entries_of(pairs)
    for number, entry in enumerate(entries):
        entry |= {"truth": None, "role": "", "fov": max(number, 1)}
    folders.save(pairs, entries[:4])
    said = tuned(cli, pairs, tmp_path / "mine", "--specimen", "actin", "--seed", 1)
    assert (said["captures"], said["single"]) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--specimen", "mito"), "no image has mito; the 4 images"),
        (("--microscope", "submarine"), "no image has submarine; the 4 images"),
    ],
)
def test_wrong_kinds_are_refused(cli, pairs, tmp_path, arguments, words):
    code, _, error = cli("prior", "tune", pairs, "--base", tmp_path / "mine", *arguments)
    assert code == 2
    assert words in error
    assert not (tmp_path / "mine").exists()


def test_missing_images_are_named(cli, pairs, tmp_path):
    code, _, error = cli("prior", "tune", tmp_path / "none", "--base", tmp_path / "mine")
    assert (code, "there is no such folder" in error) == (1, True)
    empty = tmp_path / "empty"
    empty.mkdir()
    code, _, error = cli("prior", "tune", empty, "--base", tmp_path / "mine")
    assert (code, "neither a manifest.json nor an image file" in error) == (1, True)
    entries = folders.entries_of(pairs)
    folders.save(pairs, [entries[-1]])
    code, _, error = cli("prior", "tune", pairs, "--base", tmp_path / "mine")
    assert (code, "1 have the role test" in error) == (1, True)


def test_the_study_resumes(cli, pairs, tmp_path):
    out = tmp_path / "study"
    call = ("prior", "study", pairs, "--out", out, "--steps", 6)
    entries = folders.entries_of(pairs)
    for entry in entries:
        entry["role"] = ""
    folders.save(pairs, entries)
    for file in pairs.glob("*.png"):  # large enough to hold a part of one field out
        image = imagecodecs.png_decode(file.read_bytes())
        file.write_bytes(imagecodecs.png_encode(np.tile(image, (1, 2))))
    code, table, error = cli(*call)
    assert code == 0, error
    assert [line.split()[0] for line in table.splitlines()] == ["pairs", "built-in", "1", "3", "4"]
    assert "1 pairs" in error
    rows = (out / "rows.csv").read_text().splitlines()
    assert len(rows) == 1 + 4
    (out / "rows.csv").write_text("\n".join(rows[:3]) + "\n")
    code, again, error = cli(*call)
    assert (code, again) == (0, table)
    assert "   3 pairs" in error
    assert "   1 pairs" not in error
    code, _, error = cli(*call[:-1], 7)
    assert code == 2
    assert "other pairs, settings or built-in weights" in error
