"""``denoise`` and ``params`` with the learned prior and without it."""

import json

import pytest

from autodip.choose import presets
from autodip.prior.learned import load_prior, save_prior
from autodip.prior.setting import digest_of
from tests.cli.conftest import QUICK, sidecar

PRIOR = presets.load("balanced").rows[0].prior


def choice_of(output):
    return json.loads(output)["results"][0]["channels"][0]["choice"]


def test_the_default_is_a_learned_prior_and_untrained_a_fit(cli, cells, tmp_path, blurring):
    code, out, err = cli("denoise", cells, "-o", tmp_path / "a.png")
    assert code == 0, err
    assert f"learned prior, {PRIOR.passes} passes" in out
    code, out, _ = cli("denoise", cells, "-o", tmp_path / "b.png", "--preset", "untrained", *QUICK)
    assert code == 0
    assert "3 iterations" in out
    learned, fitted = sidecar(tmp_path / "a.png"), sidecar(tmp_path / "b.png")
    prior = learned["channels"][0]["choice"]["prior"]
    assert prior["sha256"] == digest_of(str(blurring))
    assert prior["weights"] == "builtin"
    assert len(learned["planes"][0]["observed"]["correlation"]) == 8
    assert learned["planes"][0]["reason"] == ""
    assert fitted["channels"][0]["choice"]["prior"] is None
    assert fitted["planes"][0]["observed"] is None


def test_a_dry_run_names_the_prior_or_the_fit(cli, cells, tmp_path, blurring):
    call = ("denoise", cells, "-o", tmp_path / "out", "--dry-run")
    _, out, _ = cli(*call)
    assert f"prior       builtin, SHA-256 {digest_of(str(blurring))[:12]}" in out
    wanted = f"passes      {PRIOR.passes}, mean over {PRIOR.orientations} orientations"
    assert wanted in out
    assert "network" not in out
    _, out, _ = cli(*call, "--preset", "fast")
    assert "passes      2\n" in out
    _, out, _ = cli(*call, "--preset", "untrained")
    assert "fit         " in out
    assert "prior  " not in out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "given", [("--iterations", "9"), ("--depth", "2"), ("--no-refine",), ("--refine",)]
)
def test_parameters_of_a_fit_bring_it_back_and_it_is_said(cli, cells, given):
    code, out, _ = cli("params", cells, *given)
    assert code == 0
    assert "note        the learned prior is not used" in out
    assert "fit         " in out


def test_params_repeats_the_run_to_the_bit(cli, cells, tmp_path, blurring):
    first, again = tmp_path / "a.png", tmp_path / "b.png"
    assert cli("denoise", cells, "-o", first)[0] == 0
    recorded = tmp_path / "a.png.autodip.json"
    assert cli("denoise", cells, "-o", again, "--params", recorded)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    one, two = sidecar(first), sidecar(again)
    assert one["channels"][0]["choice"] == two["channels"][0]["choice"]
    assert one["planes"][0]["observed"] == two["planes"][0]["observed"]


def test_other_weights_are_refused_when_a_run_is_repeated(cli, cells, tmp_path, blurring):
    assert cli("denoise", cells, "-o", tmp_path / "a.png")[0] == 0
    used = digest_of(str(blurring))
    save_prior(load_prior(str(blurring)), blurring, {"note": "other"})
    recorded = tmp_path / "a.png.autodip.json"
    code, _, err = cli("denoise", cells, "-o", tmp_path / "b.png", "--params", recorded)
    assert code == 1
    assert f"{used[:12]}... were used" in err
    assert not (tmp_path / "b.png").exists()


def test_missing_weights_are_named_with_the_file(cli, cells, tmp_path, blurring):
    blurring.unlink()
    code, _, err = cli("denoise", cells, "-o", tmp_path / "a.png")
    assert code == 1
    assert f"the weights {blurring} cannot be read" in err
    fit = ("--preset", "untrained", *QUICK)
    assert cli("denoise", cells, "-o", tmp_path / "a.png", *fit)[0] == 0


def test_json_holds_the_prior(cli, cells, blurring):
    _, out, _ = cli("params", cells, "--json")
    assert choice_of(out)["prior"]["sha256"] == digest_of(str(blurring))
    _, out, _ = cli("params", cells, "--json", "--preset", "untrained")
    assert choice_of(out)["prior"] is None
