"""Files of weights: what is wrong with them is said. Limits of how a prior is applied."""

import json
import os

import pytest
import torch
from safetensors.torch import save

from autodip.errors import FormatError, ParameterError
from autodip.prior.learned import load_prior, save_prior
from autodip.prior.setting import BUILTIN, PriorParams, digest_of, path_of
from tests.helpers.blurring_prior import blurring_net, write_blurring_prior


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "mine.safetensors"
    write_blurring_prior(path)
    return path


def test_what_is_written_is_read(weights):
    net, own = load_prior(str(weights)), blurring_net()
    assert net.widths == own.widths
    assert not net.training
    assert not any(parameter.requires_grad for parameter in net.parameters())
    for name, value in own.state_dict().items():
        assert torch.equal(net.state_dict()[name], value.half().float())


def test_a_file_is_identified_by_its_hash(weights):
    digest = digest_of(str(weights))
    assert load_prior(str(weights), sha256=digest) is load_prior(str(weights))
    params = PriorParams(str(weights))
    assert params.identified() == params.replace(sha256=digest)
    assert params.replace(sha256="a" * 64).identified().sha256 == "a" * 64


def test_another_file_is_refused(weights):
    with pytest.raises(FormatError, match=r"mine.safetensors have .* aaaaaaaaaaaa\.\.\. were used"):
        load_prior(str(weights), sha256="a" * 64)


def test_a_file_that_was_replaced_is_another(weights):
    before, net = digest_of(str(weights)), load_prior(str(weights))
    save_prior(blurring_net(), weights, {"note": "b"})
    os.utime(weights, ns=(0, 0))
    assert digest_of(str(weights)) != before
    assert load_prior(str(weights)) is not net
    with pytest.raises(FormatError, match="were used"):
        load_prior(str(weights), sha256=before)


def test_a_missing_file(tmp_path):
    for use in (load_prior, digest_of, lambda weights: PriorParams(weights).identified()):
        with pytest.raises(FormatError, match=r"none.safetensors cannot be read: No such file"):
            use(str(tmp_path / "none.safetensors"))


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def text(path):
    path.write_text("weights")


def lacking(path):
    tensors = blurring_net().state_dict()
    del tensors["tail.bias"]
    path.write_bytes(save(tensors, {"widths": "[4, 4]"}))


def noted(widths):
    notes = {} if widths is None else {"widths": json.dumps(widths)}
    return lambda path: path.write_bytes(save(blurring_net().state_dict(), notes))


@pytest.mark.parametrize(
    "damage",
    [cut, text, lacking, noted(None), noted([4, 8]), noted([]), noted(7), noted("ab")],
    ids=["cut", "text", "tensor missing", "no widths", "others", "empty", "number", "letters"],
)
def test_a_damaged_file(weights, damage):
    damage(weights)
    with pytest.raises(FormatError, match=r"mine\.safetensors does not hold the weights"):
        load_prior(str(weights))


def test_an_incomplete_write_leaves_the_old_file(weights, monkeypatch):
    before = weights.read_bytes()
    monkeypatch.setattr("autodip.prior.learned.save", lambda *_: "no bytes")
    with pytest.raises(TypeError):
        save_prior(blurring_net(), weights, {})
    assert weights.read_bytes() == before


def test_the_built_in_prior_lies_in_the_package():
    assert path_of(BUILTIN).parts[-3:] == ("autodip", "data", "prior.safetensors")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"passes": 0}, "passes is 0; .* from 1 to 4"),
        ({"passes": 5}, "passes is 5"),
        ({"passes": True}, "passes is True"),
        ({"passes": 2.0}, "passes is 2.0"),
        ({"orientations": 0}, "orientations is 0"),
        ({"orientations": 33}, "orientations is 33; .* from 1 to 32"),
        ({"grain": -0.1}, "grain is -0.1; .* from 0 to 0.5"),
        ({"grain": 0.6}, "grain is 0.6"),
        ({"grain": float("nan")}, "grain is nan"),
        ({"grain": "much"}, "grain is 'much'"),
        ({"pass": 1}, "unknown 'pass'"),
    ],
)
def test_limits(wrong, message):
    with pytest.raises(ParameterError, match=message):
        PriorParams.from_dict(wrong)


def test_the_limits_themselves_are_allowed():
    for values in ({"passes": 1, "orientations": 1, "grain": 0}, {"passes": 4, "orientations": 8}):
        params = PriorParams.from_dict({**values, "grain": 0.5})
        assert PriorParams.from_dict(params.to_dict()) == params
