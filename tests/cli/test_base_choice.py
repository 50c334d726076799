"""``--base``, ``--strategy`` and the config file, from calibration to a denoised image."""

import json

import pytest

import autodip
from autodip.bases import builtin, store
from autodip.bases.records import Config
from autodip.choose.descriptors import descriptors
from autodip.fit.params import FitParams, NetParams
from autodip.refine.refinement import RefineParams
from tests.cli.conftest import sidecar
from tests.helpers.curves import Memory, texture

NET = NetParams(2, 4, 0, input_channels=2)
QUICK = Config(NET, FitParams(8, average=0.5), None, every=2)
REFINED = Config(NET, FitParams(8, average=0.5), RefineParams(strengths=()), every=2)
MITO, ACTIN = ("confocal", "mito"), ("confocal", "actin")


@pytest.fixture
def base(tmp_path):
    """Best for mitochondria after 20 iterations, for actin after 40, refined."""
    memory = Memory()
    for name, kind, best, coarse in (("m", MITO, (QUICK, 20), 1), ("a", ACTIN, (REFINED, 40), 3)):
        described = descriptors(texture(1, coarse))
        memory.add(name, kind, best, (QUICK, REFINED), descriptors=described)
    path = tmp_path / "mine"
    store.create(path)
    for entry in memory.entries.values():
        store.add_entry(path, entry)
    for run in memory.runs:
        store.add_run(path, run)
    return path


@pytest.fixture
def params(cli, cells):
    def call(*more):
        code, out, error = cli("params", cells, "--json", *more)
        assert code == 0, error
        (channel,) = json.loads(out)["results"][0]["channels"]
        return channel["choice"]

    return call


def test_the_base_decides_for_what_it_covers(params, base):
    choice = params("--base", base, "--microscope", "confocal", "--specimen", "mito")
    assert choice["fit"]["iterations"] == 20
    assert choice["net"]["width"] == 4
    assert choice["evidence"]["table"].startswith("mine ")
    assert (choice["evidence"]["preset"], choice["evidence"]["strategy"]) == ("balanced", "group")
    choice = params("--base", base, "--microscope", "confocal", "--specimen", "actin")
    assert (choice["fit"]["iterations"], choice["refine"] is None) == (40, False)


def test_a_base_that_grew_is_read_again(base):
    image = texture(2, 1)
    options = autodip.Options(base=base, microscope="confocal", specimen="mito")
    (before,) = autodip.plan(image, options)
    described = descriptors(texture(1, 1))
    memory = Memory().add("n", MITO, (REFINED, 60), (QUICK, REFINED), descriptors=described)
    memory.add("o", MITO, (REFINED, 60), (QUICK, REFINED), descriptors=described)
    for entry in memory.entries.values():
        store.add_entry(base, entry)
    for run in memory.runs:
        store.add_run(base, run)
    (after,) = autodip.plan(image, options)
    assert (before.choice.fit.iterations, after.choice.fit.iterations) == (20, 60)


def test_the_preset_decides_for_the_rest(params, base):
    choice = params("--base", base, "--microscope", "widefield", "--preset", "published")
    assert choice["evidence"]["preset"] == "published"
    assert (
        "the base mine has no image of widefield: the preset decides"
        in (choice["evidence"]["notes"])
    )


def test_explicit_values_win_over_the_base(params, base):
    kind = ("--microscope", "confocal", "--specimen", "actin")
    choice = params("--base", base, *kind, "--iterations", "3", "--no-refine", "--width", "2")
    assert choice["fit"]["iterations"] == 3
    assert choice["net"]["width"] == 2
    assert choice["refine"] is None
    assert "iterations 3 was set explicitly" in choice["evidence"]["notes"]


def test_nothing_known_asks_the_whole_base_by_similarity(params, base):
    evidence = params("--base", base, "--strategy", "descriptor", "--criterion", "psnr")["evidence"]
    assert evidence["source"] == "best by psnr over 1 of 2 images"
    assert len(evidence["neighbours"]) == 1


def test_a_run_by_a_base_is_repeated_without_it(cli, cells, base, tmp_path):
    kind = ("--microscope", "confocal", "--specimen", "actin")
    code, _, error = cli("denoise", cells, "-o", tmp_path / "one.png", "--base", base, *kind)
    assert code == 0, error
    written = sidecar(tmp_path / "one.png")
    assert written["channels"][0]["choice"]["evidence"]["table"].startswith("mine ")
    base.rename(tmp_path / "gone")
    code, _, error = cli(
        "denoise", cells, "-o", tmp_path / "two.png", "--params", tmp_path / "one.png.autodip.json"
    )
    assert code == 0, error
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--strategy", "group"), "needs a base"),
        (("--criterion", "psnr"), "needs a base"),
        (("--base", "builtin", "--strategy", "best"), "known are group, l1"),
        (("--base", "builtin", "--criterion", "best"), "known are combined, psnr"),
        (("--base", "builtin", "--budget", "10"), "omit one of the two"),
        (("--base", "nowhere"), "no calibration base"),
        (("--base", "builtin", "--strategy", "lpips"), "does not store the pixels of"),
    ],
)
def test_wrong_use_of_a_base(cli, cells, options, message):
    code, _, error = cli("params", cells, *options)
    assert code != 0
    assert message in error


def test_the_built_in_base(params):
    assert len(builtin.entries()) > 10
    assert all(entry.source["role"] == "calibration" for entry in builtin.entries())
    base = builtin.load(builtin.NAME)
    assert tuple(base.entries.values()) == builtin.entries()
    assert not (base.path / store.PIXELS).exists()
    choice = params("--base", "builtin", "--microscope", "confocal")
    assert choice["evidence"]["group"] == {"microscope": "confocal", "specimen": None}


def test_presets_name_similar_images_and_warn(cli, params, cells, denoise, tmp_path):
    evidence = params("--microscope", "confocal", "--preset", "untrained")["evidence"]
    assert len(evidence["neighbours"]) == 3
    distances = [near["distance"] for near in evidence["neighbours"]]
    assert distances == sorted(distances)
    assert params("--preset", "published")["evidence"]["neighbours"] == []
    _, out, _ = cli("params", cells, "--preset", "untrained")
    assert out.count("  near ") == 3


def test_the_images_of_the_learned_prior_are_compared_if_it_is_applied(params):
    learned, fitted = (params(*given)["evidence"] for given in ((), ("--iterations", "9")))
    assert learned["familiarity"]["examples"] > 100
    assert learned["neighbours"] == []
    assert fitted["familiarity"] is None
    assert len(fitted["neighbours"]) == 3
    assert not any("learned prior was trained on" in note for note in fitted["notes"])


def test_an_image_unlike_all_others_is_pointed_out(cli, cells, base, tmp_path, monkeypatch):
    monkeypatch.setattr("autodip.choose.from_base.beyond", lambda *_: (9.0, 3.0))
    call = ("params", cells, "--json", "--preset", "untrained")
    evidence = json.loads(cli(*call)[1])["results"][0]["channels"][0]
    assert evidence["choice"]["evidence"]["outside"] is True
    _, out, _ = cli(
        "denoise", cells, "-o", tmp_path / "x.png", "--iterations", "2", "--depth", "2",
        "--width", "4", "--no-refine",
    )  # fmt: skip
    assert "note: this image is unlike all calibration images; look at the result" in out


def test_a_config_file_sets_defaults(cli, cells, params, base, tmp_path, monkeypatch):
    file = tmp_path / "my.toml"
    code, out, _ = cli("config", "init", file)
    assert (code, out.strip()) == (0, str(file))
    assert cli("config", "init", file)[0] != 0
    file.write_text('base = "mine"\nmicroscope = "confocal"\nspecimen = "mito"\n')
    assert params("--config", file)["fit"]["iterations"] == 20
    assert params("--config", file, "--specimen", "actin")["fit"]["iterations"] == 40
    assert params("--config", file, "--preset", "fast")["evidence"]["preset"] == "fast"
    assert params("--config", file, "--budget", "500")["evidence"]["preset"] == "best"
    monkeypatch.setenv("AUTODIP_CONFIG", str(file))
    assert params()["fit"]["iterations"] == 20
    code, out, _ = cli("config", "validate")
    assert (code, "sets microscope, specimen, base" in out) == (0, True)
    assert "microscope confocal" in cli("config", "show")[1]
    for text, message in (
        ('preset = "better"', "Did you mean best"),
        ('base = "other"', "no calibration base"),
        ('strategy = "lpips"', "needs a base"),
        ('specimen = "acton"', "Did you mean actin"),
        ("iteration = 3", "iteration is not known"),
    ):
        file.write_text(text)
        code, _, error = cli("config", "validate")
        assert (code != 0, message in error) == (True, True), error
        assert str(file) in error or "other" in error


def test_without_a_config_file(cli, tmp_path, monkeypatch):
    monkeypatch.delenv("AUTODIP_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code, _, error = cli("config", "show")
    assert (code, "'autodip config init' creates one" in error) == (2, True)
