"""The sidecar as a value: written, read, and read from older versions."""

import json

import numpy as np
import pytest

import autodip
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from autodip.prior.observation import LAGS
from autodip.prior.setting import digest_of
from autodip.runs import saving, sidecar
from autodip.runs.selection import Selection
from autodip.runs.sidecar import Sidecar

QUICK = {"preset": "fast", "iterations": 3, "depth": 2, "width": 4, "device": "cpu"}


@pytest.fixture
def written(sample, tmp_path):
    """A sidecar, with its options and its image."""
    image = autodip.Image(sample[0], "YX")
    source, target = tmp_path / "a.tif", tmp_path / "b.tif"
    autodip.write(source, image)
    options = autodip.Options(**QUICK, specimen="mito", seed=7, dtype="float32", tile=0)
    *_, last = autodip.denoise_steps(image, options)
    content = saving.save(
        source,
        target,
        image,
        last.result,
        sha256="0" * 64,
        options=options,
        selection=Selection(frames="0:2"),
    )
    return content, sidecar.beside(target)


def older(path, **changes):
    """Content of schema 1, with the strategy of a base in place of the preset."""
    content = json.loads(path.read_text())
    del content["options"]
    content["schema"] = 1
    for channel in content["channels"]:
        del channel["choice"]["evidence"]["strategy"]
    return {**content, **changes}


def test_it_survives_the_file(written):
    content, path = written
    assert sidecar.read(path) == content
    assert content.channels[0].choice.evidence.known == Kind(specimen="mito")
    assert content.planes[0].iterations == 3
    assert content.selection == Selection(frames="0:2")


def test_it_repeats_the_run(written):
    options = written[0].repeated()
    assert (options.seed, options.dtype, options.device, options.tile) == (7, "float32", "cpu", 0)
    assert options.choices[0].fit.iterations == 3
    assert options.preset == "fast"


def test_one_of_schema_1_is_read(written):
    content, path = written
    upgraded = Sidecar.parse(older(path))
    assert upgraded.schema == sidecar.SCHEMA
    assert upgraded.repeated().replace(choices=None) == content.repeated().replace(choices=None)
    assert upgraded.channels == content.channels


def test_in_schema_1_a_strategy_stood_in_the_place_of_the_preset(written):
    content = older(written[1])
    content["channels"][0]["choice"]["evidence"]["preset"] = "group+descriptor"
    evidence = Sidecar.parse(content).channels[0].choice.evidence
    assert (evidence.preset, evidence.strategy) == ("balanced", "group+descriptor")


def test_the_first_ones_had_neither_tiles_nor_films(written):
    content = older(written[1])
    for name in ("tiling", "independent", "peak_memory"):
        del content[name]
    for plane in content["planes"]:
        for name in ("window", "follows", "refined"):
            del plane[name]
    content["selection"] = {"frames": None}
    found = Sidecar.parse(content)
    assert (found.independent, found.tiling, found.selection) == (True, None, Selection())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(schema=99), "not a sidecar of this version"),
        (lambda c: c.update(colour=1), "unknown 'colour'"),
        (lambda c: c.pop("channels"), "damaged"),
        (lambda c: c["channels"][0]["choice"]["fit"].update(iterations=0), "iterations is 0"),
        (lambda c: c.update(selection={"frames": "a"}), "--frames 'a'"),
    ],
)
def test_what_is_wrong_is_named(written, change, message):
    path = written[1]
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ParameterError, match=message) as caught:
        sidecar.read(path)
    assert str(path) in str(caught.value)
    assert sidecar.recorded(path.with_name("b.tif")) is None


def test_a_parameter_that_is_gone_is_ignored(written):
    content, path = written
    older_one = json.loads(path.read_text())
    older_one["channels"][0]["choice"]["refine"]["trust"] = 0.5
    assert Sidecar.parse(older_one) == content
    del older_one["channels"][0]["choice"]["prior"]
    for name in ("observed", "reason"):
        del older_one["planes"][0][name]
    assert Sidecar.parse(older_one) == content
    older_one["channels"][0]["choice"]["refine"]["thrust"] = 0.5
    with pytest.raises(ParameterError, match="unknown 'thrust'"):
        Sidecar.parse(older_one)


def test_it_holds_what_the_learned_prior_used_and_observed(sample, tmp_path, blurring):
    image = autodip.Image(np.tile(sample[0], (2, 2)), "YX")
    source, target = tmp_path / "a.tif", tmp_path / "b.tif"
    autodip.write(source, image)
    options = autodip.Options(device="cpu")
    *_, last = autodip.denoise_steps(image, options)
    content = saving.save(
        source,
        target,
        image,
        last.result,
        sha256="0" * 64,
        options=options,
        selection=Selection(),
    )
    assert sidecar.read(sidecar.beside(target)) == content
    assert content.channels[0].choice.prior.sha256 == digest_of(str(blurring))
    (plane,) = content.planes
    assert plane.observed == last.result.planes[0].observed
    assert len(plane.observed.correlation) == len(LAGS)
    passes = content.channels[0].choice.prior.passes
    assert (plane.iterations, plane.reason) == (passes, "")
