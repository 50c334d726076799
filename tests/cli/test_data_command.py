import json

import imagecodecs
import numpy as np
import pytest

from autodip.datasets import sources
from tests.helpers.server import serving, tar_of


@pytest.fixture
def _figshare(monkeypatch):
    """FMD on a local imitation of figshare: one archive, the mixed test set."""
    image = bytes(imagecodecs.png_encode(np.arange(16, dtype="u1").reshape(4, 4)))
    members = {f"test_mix/raw/Confocal_FISH_{n}.png": image for n in (1, 2)}
    content = tar_of({**members, "test_mix/gt/Confocal_FISH.png": image})
    with serving() as server:
        server.files["/files/1"] = content
        file = {"name": "test_mix.tar.gz", "size": len(content)}
        files = [{**file, "download_url": f"{server.url}/files/1"}]
        server.files["/articles/24744648/files?page=1&page_size=100"] = json.dumps(files).encode()
        entry = {**sources.load("fmd").entry, "api": server.url}
        monkeypatch.setattr(sources, "load", lambda name: sources.make(name, entry))
        yield


@pytest.mark.usefixtures("_figshare")
def test_fetch_and_list(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli("data", "fetch", "fmd")
    assert (code, out) == (0, "")
    for words in (
        "CC BY-SA 4.0",
        "Zhang et al.",
        "https://doi.org/10.7274/r0-ed2r-4052",
        "test_mix.tar.gz complete: no checksum is published, so it could not be checked",
        "test_mix.tar.gz unpacked",
        "autodip data list fmd --root fmd",
    ):
        assert words in err
    code, out, err = cli("data", "list", "fmd", "--root", "fmd")
    assert code == 0
    assert out.splitlines()[1].split() == [
        "fmd_test_mix",
        "confocal",
        "zebrafish",
        "raw",
        "test",
        "2",
        "1",
    ]
    assert out.splitlines()[2] == "2 pairs"
    assert "missing: 12 of 12 groups are missing" in err
    code, out, err = cli("data", "list", "fmd", "--root", "fmd", "--json")
    content = json.loads(out)
    assert (code, err, content["pairs"]) == (0, "", 2)
    assert content["groups"] == [
        {
            "dataset": "fmd_test_mix",
            "group": "confocal zebrafish",
            "noise_level": "raw",
            "role": "test",
            "pairs": 2,
            "fields": 1,
        }
    ]
    assert any("test_mix: no avg2/*.png" in sentence for sentence in content["missing"])


@pytest.mark.usefixtures("_figshare")
def test_fetch_quietly_a_part(cli, tmp_path):
    out = tmp_path / "x"
    assert cli("data", "fetch", "fmd", "-q", "--out", out, "--only", "test*", "--no-unpack") == (
        0,
        "",
        "",
    )
    assert not (out / "test_mix").exists()
    code, _, err = cli("data", "fetch", "fmd", "-q", "--out", out, "--only", "Wide*")
    assert code == 2
    assert "there are test_mix.tar.gz" in err


def test_what_cannot_be_fetched(cli, tmp_path):
    code, out, err = cli("data", "fetch", "shah", "--out", tmp_path / "shah")
    assert (code, out) == (1, "")
    assert "no direct link" in err
    assert "https://doi.org/10.5524/102461" in err
    code, _, err = cli("data", "fetch", "shared")
    assert code == 2
    assert "those that can are fmd" in err


def test_wrong_folders_and_names(cli, tmp_path):
    code, out, err = cli("data", "list", "fmd", "--root", tmp_path, "--json")
    assert code == 1
    assert json.loads(out)["error"] in err
    assert "Looked for Confocal_BPAE_B/raw" in err
    code, _, err = cli("data", "list", "fdm", "--root", tmp_path)
    assert code == 2
    assert "Did you mean fmd?" in err
    assert cli("data", "list", "fmd")[0] == 2


def test_the_real_manifest(cli, shared):
    code, out, _ = cli("data", "list", "shared", "--root", shared / "data", "--json")
    assert code == 0
    assert json.loads(out)["pairs"] == 151
