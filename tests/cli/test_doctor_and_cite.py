"""``autodip doctor`` and ``autodip cite``."""

import hashlib
import json

import pytest
import yaml

from autodip.prior import setting
from autodip.runs import citations, health
from tests.conftest import REPOSITORY


def found(cli, *arguments):
    code, out, _ = cli("doctor", "--json", *arguments)
    content = json.loads(out)
    return code, {check["name"]: check for check in content["checks"]}, content


def test_doctor(cli):
    code, checks, content = found(cli, "--threads", "1")
    assert (code, "error" in content) == (0, False)
    assert "torch uses 1 thread" in checks["processor"]["value"]
    assert {"autodip", "python", "packages", "torch", "device", "memory", "cache"} <= set(checks)
    assert set(health.OPTIONAL) <= set(checks)
    assert checks["built-in base"]["value"].startswith("valid, ")
    assert checks["self-test"]["status"] == "ok"
    code, out, _ = cli("doctor", "--no-test")
    assert code == 0
    assert "self-test" not in out
    assert "everything works" in out


def test_doctor_names_what_is_missing(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(health, "find_spec", lambda name: None if name == "zarr" else object())
    monkeypatch.setenv("AUTODIP_LPIPS_WEIGHTS", str(tmp_path / "none.npz"))
    code, out, _ = cli("doctor", "--no-test")
    assert code == 0
    assert "not installed, for OME-Zarr" in out
    assert '-m pip install "zarr' in " ".join(out.split())  # wrapped to the terminal
    assert "autodip weights install" in out
    assert "2 optional parts are not installed" in out


def test_doctor_finds_what_is_broken(cli, monkeypatch, tmp_path):
    broken = tmp_path / "prior.safetensors"
    broken.write_bytes(b"no prior")
    monkeypatch.setattr(setting, "path_of", lambda weights: broken)
    config = tmp_path / "config.toml"
    config.write_text("presett = 'fast'\n")
    monkeypatch.setenv("AUTODIP_CONFIG", str(config))
    code, checks, content = found(cli, "--no-test")
    assert code == 1
    assert checks["built-in prior"]["status"] == "failed"
    assert "Did you mean preset?" in checks["config file"]["value"]
    assert "built-in prior, config file failed" in content["error"]


def test_the_recorded_hash_is_that_of_the_prior():
    path = REPOSITORY / "src" / "autodip" / "data" / "prior.safetensors"
    recorded = json.loads((path.parent / "checksums.json").read_text())
    assert recorded == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def test_cite(cli):
    code, out, _ = cli("cite")
    assert code == 0
    for words in ("The autodip developers. autodip, version", "Meyer", "(2018). Deep Image Prior"):
        assert words in out
    assert "https://doi.org/10.1109/CVPR.2018.00984" in out
    _, out, _ = cli("cite", "--bibtex")
    assert out.count("@") == 3
    assert 'M{\\"o}ckl, F.' in out
    assert out.isascii()
    assert [item["id"] for item in json.loads(cli("cite", "--json")[1])["references"]] == [
        *("autodip", "autodip-paper", "deep-image-prior"),
    ]


def test_the_citation_file_says_the_same():
    content = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    software, *papers = citations.references()
    assert content["title"] == software["title"]
    assert [r["title"] for r in content["references"]] == [p["title"] for p in papers]
    assert [r["doi"] for r in content["references"]] == [p["DOI"] for p in papers]
    for reference, paper in zip(content["references"], papers, strict=True):
        names = [(a["family-names"], a["given-names"]) for a in reference["authors"]]
        assert names == [(a["family"], a["given"]) for a in paper["author"]]
        assert [[reference["year"]]] == paper["issued"]["date-parts"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--preset", "fast"), ("The learned prior (weights with SHA-256", "in 2 passes")),
        (
            ("--preset", "untrained", "--iterations", "2", "--depth", "2", "--width", "4"),
            ("depth 2, width 4, skip", "for 2 iterations", "local Wiener filters"),
        ),
        (("--preset", "fast", "--seed", "7"), ("The random seed was 7", "ran on the CPU")),
    ],
)
def test_methods_of_a_result(cli, cells, tmp_path, options, words):
    target = tmp_path / "out.png"
    assert cli("denoise", cells, "-o", target, "--device", "cpu", *options)[0] == 0
    code, out, _ = cli("cite", f"{target}.autodip.json")
    assert code == 0
    for word in ("Images were denoised with autodip", *words, "Deep Image Prior"):
        assert word in out
    content = json.loads(cli("cite", target, "--json")[1])
    assert out.startswith(content["methods"])
