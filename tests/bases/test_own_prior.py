import pytest

from autodip.bases import builtin, own_prior, packing, store
from autodip.errors import FormatError, ParameterError
from autodip.prior.learned import load_prior
from tests.helpers.priors import NOTES, with_prior


def test_a_base_carries_its_prior(tmp_path):
    path = tmp_path / "mine"
    store.create(path)
    assert builtin.load(path).prior is None
    with_prior(path)
    base = builtin.load(path)
    assert base.prior == NOTES
    assert base.prior.words == "3 pairs, 2 single noisy images"
    assert "30.00 to 31.50 dB" in base.prior.gain
    assert load_prior(str(own_prior.path_in(path))).widths == (4, 6)
    assert packing.validate(path) == []


def test_a_merge_takes_the_first_prior_and_names_the_others(tmp_path):
    plain = tmp_path / "plain"
    store.create(plain)
    first = with_prior(tmp_path / "first")
    other = with_prior(tmp_path / "other", NOTES.replace(pairs=9))
    merged = packing.merge([plain, first, first, other], tmp_path / "all")
    assert merged.base.prior == NOTES
    assert own_prior.digest(tmp_path / "all") == own_prior.digest(first)
    assert merged.duplicates == 1
    assert merged.differing == (f"{other}: prior, tuned on 9 pairs, 2 single noisy images",)


def test_damage_is_found(tmp_path):
    path = with_prior(tmp_path / "mine")
    file = own_prior.path_in(path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    assert any("prior.safetensors" in line for line in packing.validate(path))
    with pytest.raises(FormatError, match="not the prior of a base"):
        store.load(path)


def test_one_process_tunes_at_a_time(tmp_path):
    path = with_prior(tmp_path / "mine")
    other = pytest.raises(ParameterError, match="another process")
    with own_prior.tuning(path), other, own_prior.tuning(path):
        pass
    with own_prior.tuning(path):
        pass
