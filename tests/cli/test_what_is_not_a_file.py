"""Inputs that are no readable files are named in one line; nothing blocks, the rest goes on."""

import json
import os
import socket
import sys

import imagecodecs
import numpy as np
import pytest

from autodip.cli.main import run
from autodip.runs.inputs import find

pytestmark = pytest.mark.skipif(os.name == "nt", reason="file names and files of POSIX")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def missing(path):
    assert not path.exists()


def broken_link(path):
    path.symlink_to("nowhere.png")


def circular_link(path):
    path.symlink_to(path.name)


def pipe(path):
    os.mkfifo(path)


def socket_file(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


def link_to_a_device(path):
    path.symlink_to("/dev/zero")


def damaged(path):
    path.write_bytes(b"no image")


UNREADABLE = {
    missing: "there is no such file",
    broken_link: "a link to a missing file",
    circular_link: "symbolic links",
    pipe: "a pipe, and only files are read",
    socket_file: "a socket, and only files are read",
    link_to_a_device: "a device, and only files are read",
    damaged: "not a",
}


@pytest.mark.parametrize("kind", list(UNREADABLE), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["bad.png", "bad.ome.tif"])
def test_the_other_files_are_done(denoise, cells, here, kind, first, name):
    kind(here / name)
    inputs = [name, "cells.png"] if first else ["cells.png", name]
    code, out, err = denoise(*inputs, "-o", "out", "--json")
    assert code == 1
    (failure,) = json.loads(out)["failed"]
    assert failure["input"] == name
    assert UNREADABLE[kind] in failure["error"]
    assert err.count(f"autodip: {name}: ") == 1
    assert (here / "out" / "cells.png").exists()
    listed = json.loads((here / "out" / "run.json").read_text())["files"]
    assert {one["input"]: one["status"] for one in listed} == {
        name: "failed",
        "cells.png": "done",
    }


@pytest.mark.parametrize("kind", list(UNREADABLE), ids=lambda kind: kind.__name__)
def test_alone_and_planned(denoise, here, kind):
    kind(here / "bad.png")
    for more in ((), ("--dry-run",)):
        code, _, err = denoise("bad.png", "-o", "out.png", *more)
        assert (code, UNREADABLE[kind] in err, len(err.splitlines())) == (1, True, 2)


def test_in_a_manifest(denoise, cells, here):
    pipe(here / "pipe.png")
    (here / "list.csv").write_text("file\ncells.png\npipe.png\nnone.png\n")
    code, _, err = denoise("list.csv", "-o", "out")
    assert (code, len(err.splitlines())) == (1, 2)
    assert (here / "out" / "cells.png").exists()


@pytest.mark.parametrize("name", ["list.csv", "list.json"])
def test_manifest_and_sidecar_do_not_block(cli, cells, here, name):
    pipe(here / name)
    code, _, err = cli("denoise", name, "-o", "out")
    assert (code, "a pipe" in err) == (2, True)
    for option in ("--params", "--config"):
        code, _, err = cli("denoise", cells, "-o", "out/", option, name)
        assert (code, "a pipe" in err) == (2, True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.tif",
        "s3://bucket/a.ome.zarr",
        "file:///data/a.png",
        "http://example.org/get?name=*.tif",
    ],
)
def test_urls(denoise, cells, here, url):
    code, _, err = denoise(url, cells, "-o", "out")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "a URL, and only files are read" in err
    code, _, err = denoise(cells, "-o", url)
    assert (code, "only files are written" in err) == (2, True)
    assert sorted(path.name for path in here.iterdir()) == ["cells.png", "out"]


@pytest.mark.parametrize(
    "name",
    ["a[1].png", "a*b.png", "a?.png", "[.png", "new\nline.png", "-x.png", "q'\".png", "%s{}"],
)
def test_names_are_taken_literally(denoise, cells, here, name):
    name = name if name.endswith(".png") else f"{name}.png"
    cells.rename(here / name)
    code, out, err = denoise(f"./{name}" if name[0] == "-" else name, "-o", "out/")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].count("->") == 1
    assert (here / "out" / name).exists()


def test_a_message_is_one_line_whatever_the_name(denoise, cells, here):
    (here / "a\nb.png").write_bytes(b"junk")
    (here / os.fsdecode(b"\xff\n.png")).write_bytes(b"junk")
    code, _, err = denoise("a\nb.png", os.fsdecode(b"\xff\n.png"), "no\n.png", cells, "-o", "out")
    assert (code, len(err.splitlines())) == (1, 3)
    assert err.startswith("autodip: a\\nb.png: not a PNG")


def test_a_folder_with_everything(here, sample):
    tree = here / "tree"
    (tree / "day").mkdir(parents=True)
    for name in ("a.npy", "day/b.npy"):
        np.save(tree / name, sample[0])
    (tree / "day" / "up").symlink_to("..")
    (tree / "self").symlink_to(".")
    (tree / "alias").symlink_to("day")
    (tree / "above").symlink_to(here)
    broken_link(tree / "bad.tif")
    pipe(tree / "pipe.tif")
    wrong = {tree / "bad.tif", tree / "pipe.tif"}
    for given, recursive in ((tree, True), (tree / "**", False), (tree / "**" / "*.*", False)):
        found, failed = find([given], recursive=recursive)
        assert [one.place.as_posix() for one in found] == ["a.npy", "day/b.npy"]
        assert set(failed) == wrong
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    np.save(elsewhere / "c.npy", sample[0])
    (tree / "link").symlink_to(elsewhere)
    for given, expected in ((tree / "**", 2), (tree / "link" / "*", 1), (tree / "l*" / "*", 1)):
        assert len(find([given])[0]) == expected


def test_a_folder_with_brackets_in_a_pattern(here, sample):
    (here / "in [1]").mkdir()
    np.save(here / "in [1]" / "a.npy", sample[0])
    found, failed = find([here / "in [1]" / "*.npy"])
    assert ([one.place.as_posix() for one in found], failed) == (["a.npy"], {})


def in_another_process(words, log):
    """Run the command line as a user without rights; modules must be imported beforehand."""
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        sys.stdout = sys.stderr = log.open("w")
        code = run([*map(str, words), "--dry-run", "--preset", "fast"])
        sys.stderr.close()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), log.read_text()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_closed_files_and_folders(cli, here, sample):
    """Without the rights to read or to write, each is named with the reason."""
    for place in (*here.parents, here):
        if place.stat().st_uid == os.geteuid() and place != place.parent:
            place.chmod(place.stat().st_mode | 0o755)
    for name in ("closed", "open", "in", "in/closed", "in/a.zarr"):
        (here / name).mkdir()
    for name in ("a.png", "b.png", "closed/a.png", "in/a.png"):
        (here / name).write_bytes(imagecodecs.png_encode((sample[0] // 4).astype("uint8")))
    (here / "in/a.zarr/zarr.json").write_text("{}")
    log = here / "log"
    log.touch()
    log.chmod(0o666)
    (here / "open").chmod(0o777)
    shut = ("a.png", "closed", "in/closed", "in/a.zarr")
    for name in shut:
        (here / name).chmod(0)
    assert cli("denoise", "--help")[0] == 0  # imports what the child needs
    reasons = [
        (("a.png", "-o", "open/x.png"), "a.png: cannot be opened (Permission denied)"),
        (("closed/a.png", "-o", "open/x.png"), "closed/a.png: cannot be opened (Permission"),
        (("closed", "-o", "open/x"), "closed: cannot be read (Permission denied)"),
        (("closed/*.png", "-o", "open/x"), "closed: cannot be read (Permission denied)"),
        (("in/a.zarr", "-o", "open/x.zarr"), "in/a.zarr: cannot be opened (Permission denied)"),
        (("b.png", "-o", "closed/x/"), "closed/x: cannot be written to (Permission denied)"),
        (("b.png", "-o", "closed/x.png"), "closed: cannot be written to (Permission denied)"),
        (("b.png", "b.png", "-o", "closed/x"), "closed/x: cannot be written to (Permission"),
    ]
    try:
        for words, reason in reasons:
            code, text = in_another_process(("denoise", *words), log)
            assert (code, reason in text, "unexpected" in text) == (1, True, False), text
    finally:
        for name in shut:
            (here / name).chmod(0o755)
