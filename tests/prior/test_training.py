"""Training: reproducible, resumable; recipes and states that cannot be used."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from autodip.errors import FormatError, ImageError, MissingPackageError, ParameterError
from autodip.metrics.scores import Truth
from autodip.physics.estimate import estimate_noise
from autodip.prior import training
from autodip.prior.architecture import PriorNet
from autodip.prior.clean import Source, load_source, read_manifest
from autodip.prior.learned import load_prior
from autodip.prior.logbook import FIELDS, Logbook
from autodip.prior.recipe import Training, read_recipe
from autodip.prior.state import STATE, reached, weights_file
from autodip.prior.training import Progressed, loss_of, rate_at, train
from autodip.prior.validation import Case, prior_result, validate
from tests.conftest import REPOSITORY

TINY = Training(
    widths=(4, 8), sources=(), scenes=11, scene_size=64, patch=32, batch=2, steps=6, rate=0.1
)
"""Large changes at every step, so that states which differ are recognised."""


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return list(TINY.pool(tmp_path_factory.getbasetemp()))


def run(pool, folder, recipe=TINY, stop=None, **options):
    losses = []
    steps = train(pool, recipe, folder, **{"save_every": 2, "workers": 0, **options})
    for one in steps:
        losses.append(one.loss)
        if one.step == stop:
            break
    steps.close()
    return losses


def state(folder):
    return load_file(folder / STATE)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_two_runs_are_equal(pool, tmp_path):
    first = run(pool, tmp_path / "a")
    assert first == run(pool, tmp_path / "b", workers=1)
    assert same(state(tmp_path / "a"), state(tmp_path / "b"))
    other = run(pool, tmp_path / "c", TINY.replace(seed=1))
    assert other != first


@pytest.mark.parametrize("half", [True, False])
def test_a_killed_training_continues_as_if_it_had_not_been(pool, tmp_path, monkeypatch, half):
    monkeypatch.setattr(training, "multiplies_bfloat16", lambda device: half)
    whole = run(pool, tmp_path / "whole")
    run(pool, tmp_path / "killed", stop=5)
    assert reached(tmp_path / "killed", TINY) == 4
    assert run(pool, tmp_path / "killed") == whole[4:]
    assert same(state(tmp_path / "whole"), state(tmp_path / "killed"))
    one, other = (load_file(weights_file(tmp_path / name, 6)) for name in ("whole", "killed"))
    assert same(one, other)
    assert run(pool, tmp_path / "killed") == []


def test_weights_are_those_of_a_prior(pool, tmp_path):
    run(pool, tmp_path)
    path = weights_file(tmp_path, TINY.steps)
    net = load_prior(str(path))
    average = {k: v for k, v in state(tmp_path).items() if k.startswith("average.")}
    for key, value in net.state_dict().items():
        assert torch.equal(value, average[f"average.{key}"].half().float())
    with safe_open(path, "pt") as file:
        notes = file.metadata()
    assert Training.from_dict(json.loads(notes["recipe"])) == TINY
    assert json.loads(notes["widths"]) == [4, 8]
    assert notes["step"] == "6"


def test_another_recipe_is_refused(pool, tmp_path):
    run(pool, tmp_path, stop=2)
    with pytest.raises(
        ParameterError, match=r"another recipe: steps 6, now 8; seed 0, now 1\. Use"
    ):
        run(pool, tmp_path, TINY.replace(steps=8, seed=1))
    (tmp_path / STATE).write_bytes(b"nothing")
    with pytest.raises(FormatError, match="is not the state of a training"):
        reached(tmp_path, TINY)
    assert reached(tmp_path / "none", TINY) == 0


def test_start_from_other_weights(pool, tmp_path):
    with pytest.raises(FormatError, match=r"none\.safetensors cannot be read"):
        run(pool, tmp_path / "b", TINY.replace(start="none.safetensors"))
    run(pool, tmp_path / "a")
    (tmp_path / "b").mkdir()
    start = "../a/weights-6.safetensors"
    (one,) = run(pool, tmp_path / "b", TINY.replace(start=start, rate=1e-9), stop=1)
    (other,) = run(pool, tmp_path / "c", TINY.replace(rate=1e-9), stop=1)
    assert one != other
    (tmp_path / "d").mkdir()
    with pytest.raises(ParameterError, match=r"the widths \(4, 8\), the recipe \(8, 8\)"):
        run(pool, tmp_path / "d", TINY.replace(start=start, widths=(8, 8)))


def test_learning_rate():
    recipe = TINY.replace(steps=5000, decay=0.4, rate=1e-3)
    rates = np.array([rate_at(step, recipe) for step in range(5000)])
    assert rates[0] == pytest.approx(1e-3 / 500)
    assert (np.diff(rates[:500]) > 0).all()
    assert rates[499:3001] == pytest.approx(np.full(2502, 1e-3))
    assert (np.diff(rates[3001:]) < 0).all()
    assert rates[-1] == pytest.approx(1e-3 / 2000)


def test_loss_weighs_examples_alike():
    truth = torch.zeros(2, 1, 16, 16)
    fine = torch.ones(1, 1, 16, 16)
    fine[..., ::2] = -1
    blob = torch.ones(1, 1, 16, 16)
    assert loss_of(torch.cat([fine, blob]), truth) == pytest.approx(1 + 0.5 * 0.505 + 0.2, abs=1e-3)
    assert loss_of(truth, truth) == pytest.approx(0.015, abs=1e-3)


def progress(numbers):
    return [Progressed(n, 400, loss=1 / n, rate=0.1, average={}) for n in numbers]


def test_the_log_has_every_row_once(tmp_path):
    path = tmp_path / "training.csv"
    scores = {"psnr_pairs": 30.123456, "lpips_pairs": None}
    first = Logbook(path, 0).follow(progress(range(1, 260)), lambda _: scores, 150)
    assert [row["step"] for _, row in first if row] == [100, 150, 200]
    with path.open("a") as file:
        file.write("300,0.1")  # killed while it wrote
    list(Logbook(path, 140).follow(progress(range(141, 401)), lambda _: scores, 150))
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert tuple(lines[0]) == FIELDS
    assert [line[0] for line in lines[1:]] == ["100", "150", "200", "300", "400"]
    assert [line[4] for line in lines[1:]] == ["", "30.1235", "", "30.1235", "30.1235"]
    seconds = [float(line[3]) for line in lines[1:]]
    assert seconds == sorted(seconds)


def test_a_validation(pool, sample):
    noisy, truth = (image.astype(float) for image in sample)
    case = Case(
        "pairs",
        "mito",
        noisy,
        noise=estimate_noise(noisy),
        truth=Truth(truth, None, stretched=True),
    )
    net = PriorNet(TINY.widths).eval()
    average = net.state_dict()
    found = validate(TINY, average, [case], lambda one, other: 0.25)
    assert found["psnr_pairs"] > 5
    assert found["lpips_pairs"] == 0.25
    assert found["psnr_white"] is None
    assert validate(TINY, average, [case], None)["lpips_pairs"] is None
    result = prior_result(net, noisy, case.noise)
    assert result.shape == noisy.shape
    assert np.isfinite(result).all()


VALID = "widths: [8, 16]\nsources:\n  - {folder: clean, key: file, role: training}\n"


def test_a_recipe_as_a_file(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(VALID + "steps: 100\n")
    recipe = read_recipe(path)
    assert recipe == Training((8, 16), (Source("clean", "file", "training"),), steps=100)
    assert Training.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "contains no recipe; give keys such as widths and sources"),
        ("widths: [8]", "recipe.yaml: Training: sources missing"),
        (VALID + "colour: red", "unknown 'colour'; known are widths, sources, scenes"),
        (VALID.replace("[8, 16]", "8"), r"widths is 8; give a list"),
        (VALID.replace("[8, 16]", "[8, 0.5]"), "a width is 0.5; it must be a whole number"),
        (VALID.replace("key: file", "key: image"), "key is 'image'; allowed are file, truth"),
        (VALID.replace("role: training", "role: 3"), "role is 3; give a text"),
        (VALID.replace("role:", "finest: 0.5, role:"), "finest is 0.5"),
        (VALID.replace("role:", "photons: 1, role:"), "photons is 1; it must be a number from 3"),
        ("widths: [8]\nsources: [clean]", "sources is .*give a list of objects"),
        ("widths: [8]\nsources: []\nscenes: 0", "there are no sources and no scenes"),
        (VALID + "patch: 100", "patch is 100; with 2 widths it must be a multiple of 16"),
        (VALID + "rate: 1e-3", "rate is '1e-3'; it must be a number above 0"),
        (VALID + "told: 2", "told is 2"),
        (VALID + "start: 2", "start is 2"),
        (VALID + "scene_kinds: stars", "scene_kinds is 'stars'; give a list"),
        (VALID + "scene_kinds: [stars]", "a kind of scenes is 'stars'; allowed are filaments"),
        (VALID + "steps: 0", "steps is 0"),
    ],
)
def test_recipes_that_cannot_be(tmp_path, text, said):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=said):
        read_recipe(path)


def test_recipes_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "recipe.yaml"
    for content in (b"\xff", b"widths: ["):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="not readable as YAML"):
            read_recipe(path)
    with pytest.raises(FormatError, match="there is no such file"):
        read_recipe(tmp_path / "gone.yaml")
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "pyyaml>=6"'):
        read_recipe(path)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (None, FormatError, "manifest.json is missing"),
        ("{", FormatError, "not readable as JSON"),
        ("{}", FormatError, "give a list of objects"),
        ('[{"role": "test", "file": "a"}]', ImageError, "no entries of role 'training'"),
        ('[{"role": "training"}]', FormatError, "lacks the file name 'file'"),
    ],
)
def test_manifests_that_cannot_be(tmp_path, content, kind, said):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(kind, match=said):
        list(load_source(tmp_path, Source(".", "file", "training")))


def test_an_empty_manifest(tmp_path):
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(ImageError, match=r"manifest.json has no entries$"):
        read_manifest(tmp_path)


def test_the_recipes_of_the_prior():
    first, second = (read_recipe(REPOSITORY / "recipes" / f"prior-{n}.yaml") for n in (1, 2))
    assert first.widths == second.widths == (48, 64, 128, 256)
    assert first.sources == second.sources
    assert set(second.scene_kinds) - set(first.scene_kinds) == {"bundles"}
