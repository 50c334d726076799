import hashlib
import io
import json
import shutil
import socket
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from autodip.datasets import sources, unpack
from autodip.datasets.download import download
from autodip.datasets.fetch import fetch
from autodip.datasets.sources import Remote
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.util import web
from tests.helpers.server import serving, tar_of

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with serving() as state:
        yield state


@pytest.fixture
def remote(server):
    server.files["/a.bin"] = CONTENT
    return Remote("a.bin", f"{server.url}/a.bin", len(CONTENT), "md5", MD5)


def run(remote, folder, attempts=1):
    """Download, and return the steps."""
    target = folder / remote.name
    return list(download(remote, target, checked_by="its MD5", attempts=attempts, pause=0))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file(server, remote, tmp_path):
    steps = run(remote, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]
    assert next(s.done for s in steps if s.state == "downloading") == 0
    assert {s.total for s in steps} == {len(CONTENT)}
    assert steps[-1].state == "complete"
    assert steps[-1].note == "agrees with its MD5"
    assert "Range" not in server.asked[0][1]


def test_an_interrupted_download_is_resumed(server, remote, tmp_path):
    server.breaks_after = [300_000]
    with pytest.raises(OutputError, match=r"after 300,000 of 1,024,000 bytes; 300,000 bytes are k"):
        run(remote, tmp_path)
    assert names(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    steps = run(remote, tmp_path)
    assert steps[0].done == 300_000
    path, headers, status, sent = server.asked[1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=300000-", '"v1"')
    assert (path, status, sent) == ("/a.bin", 206, len(CONTENT) - 300_000)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]


def test_a_lost_connection_is_tried_again_at_once(server, remote, tmp_path):
    """As long as bytes arrive, the number of connections is not limited."""
    server.breaks_after = [100_000] * 6
    run(remote, tmp_path, attempts=2)
    assert [sent for *_, sent in server.asked] == [100_000] * 6 + [424_000]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_server_that_is_busy_is_asked_again(server, remote, tmp_path):
    server.status = [503, 429]
    run(remote, tmp_path, attempts=3)
    server.status = [503, 503]
    (tmp_path / "a.bin").unlink()
    with pytest.raises(OutputError, match=r"answered 503.*; run the same command again"):
        run(remote, tmp_path, attempts=2)


def test_a_server_that_does_not_send_parts(server, remote, tmp_path):
    server.ranges = False
    server.breaks_after = [300_000]
    steps = run(remote, tmp_path, attempts=2)
    assert [status for *_, status, _ in server.asked] == [200, 200]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert steps[-1].state == "complete"


def test_a_file_that_changed_on_the_server_is_started_anew(server, remote, tmp_path):
    server.breaks_after = [300_000]
    with pytest.raises(OutputError):
        run(remote, tmp_path)
    server.tag = '"v2"'
    run(remote, tmp_path)
    assert [status for *_, status, _ in server.asked] == [200, 200]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_without_version_and_checksum_nothing_is_resumed(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    server.tag = ""
    server.breaks_after = [300_000]
    remote = Remote("a.bin", f"{server.url}/a.bin")
    with pytest.raises(OutputError):
        run(remote, tmp_path)
    run(remote, tmp_path)
    assert "Range" not in server.asked[1][1]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_part_of_another_address_is_not_resumed(server, remote, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(b"other")
    (tmp_path / "a.bin.part.json").write_text('{"url": "http://x/a.bin", "validator": "\\"v1\\""}')
    run(remote, tmp_path)
    assert "Range" not in server.asked[0][1]


def test_a_part_that_was_complete_already(server, remote, tmp_path):
    note = {"url": remote.url, "validator": '"v1"'}
    (tmp_path / "a.bin.part.json").write_text(json.dumps(note))
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    run(remote, tmp_path)
    assert server.asked[0][2] == 416
    (tmp_path / "a.bin").rename(tmp_path / "a.bin.part")
    (tmp_path / "a.bin.part.json").write_text(json.dumps(note))
    server.files["/a.bin"] = CONTENT[:-1]  # shorter now: the part cannot belong to it
    with pytest.raises(OutputError, match=r"1,023,999 bytes, but the published file has 1,024,000"):
        run(remote, tmp_path, attempts=2)
    assert names(tmp_path) == []


@pytest.mark.parametrize("change", [{"digest": "0" * 32}, {"size": 7}])
def test_another_file_is_not_kept(server, remote, tmp_path, change):
    wrong = Remote(**{**remote.__dict__, **change})
    with pytest.raises(OutputError, match=r"the published file.*(was removed|nothing was kept)"):
        run(wrong, tmp_path)
    assert names(tmp_path) == []


def test_a_file_that_is_there_is_checked_not_fetched(server, remote, tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    assert run(remote, tmp_path)[-1].note == "agrees with its MD5"
    assert server.asked == []
    (tmp_path / "a.bin").write_bytes(CONTENT[::-1])
    with pytest.raises(OutputError, match=r"a.bin: not the published file .* move it away"):
        run(remote, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT[::-1]


def test_without_a_published_checksum_that_is_said(server, tmp_path):
    server.files["/a.bin"] = CONTENT
    remote = Remote("a.bin", f"{server.url}/a.bin")
    assert "could not be checked; its SHA-256 is recorded in a.bin.sha256" in (
        run(remote, tmp_path)[-1].note
    )
    assert (tmp_path / "a.bin.sha256").read_text() == f"{SHA256}  a.bin\n"
    assert "agrees with a.bin.sha256, recorded when" in run(remote, tmp_path)[-1].note
    (tmp_path / "a.bin").write_bytes(CONTENT + b"!")
    with pytest.raises(OutputError, match=r"it has changed since"):
        run(remote, tmp_path)


def test_a_missing_file_and_a_server_that_is_away(server, remote, tmp_path):
    gone = Remote("b.bin", f"{server.url}/b.bin")
    with pytest.raises(OutputError, match=r"b.bin: the server answered 404 instead of the file"):
        run(gone, tmp_path, attempts=5)
    assert len(server.asked) == 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = Remote("c.bin", f"http://127.0.0.1:{free.getsockname()[1]}/c.bin")
        with pytest.raises(OutputError, match=r"cannot be reached .*; run the same command again"):
            run(away, tmp_path, attempts=2)
    assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.org/a", "a.bin"])
def test_only_http(url, tmp_path):
    with pytest.raises(OutputError, match="only http and https"):
        run(Remote("a", url), tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(server, remote, tmp_path):
    (tmp_path / "a.bin.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"No space left on device\); make room or choose"):
        run(remote, tmp_path)


def test_an_abandoned_download_closes_its_connection(server, remote, tmp_path):
    steps = download(remote, tmp_path / "a.bin", checked_by="")
    next(steps)
    steps.close()
    assert (tmp_path / "a.bin.part").exists()


# Sources


ENTRY = {"title": "T", "landing": "https://example.org/page", "citation": "C", "licence": None}


def source(**entry):
    return sources.make("set", {**ENTRY, **entry})


def test_every_source_is_complete():
    assert sources.names() == ("fmd", "biosr", "hagen", "w2s", "shah")
    for name in sources.names():
        found = sources.load(name)
        assert found.landing.startswith("https://")
        assert found.citation
        assert found.entry["kind"] in ("figshare", "zenodo", "s3", "url", "page")
        for file in found.entry.get("files", ()):
            assert file["url"].startswith("https://")
    with pytest.raises(ParameterError, match="those that can are fmd, biosr"):
        sources.load("shared")


def test_figshare(server):
    files = [
        {
            "id": number,
            "name": f"{number}.tar",
            "size": 10 + number,
            "download_url": f"https://ndownloader.figshare.com/files/{number}",
            "computed_md5": MD5 if number else "",
            "supplied_md5": "",
            "is_link_only": False,
        }
        for number in range(103)
    ]
    place = "/v2/articles/7/files?page={}&page_size=100"
    server.files[place.format(1)] = json.dumps(files[:100]).encode()
    server.files[place.format(2)] = json.dumps(files[100:]).encode()
    found = sources.remotes(source(kind="figshare", article=7, api=f"{server.url}/v2"))
    assert len(found) == 103
    assert found[102] == Remote(
        "102.tar", "https://ndownloader.figshare.com/files/102", 112, "md5", MD5
    )
    assert (found[0].algorithm, found[0].digest) == (None, None)


def test_zenodo(server):
    links = {"self": "https://zenodo.org/api/records/5/files/a.zip/content"}
    file = {"key": "a.zip", "size": 3, "checksum": f"md5:{MD5}", "links": links}
    record = {"id": 5, "files": [file, {**file, "key": "b.zip", "checksum": "crc:1"}]}
    server.files["/api/records/5"] = json.dumps(record).encode()
    found = sources.remotes(source(kind="zenodo", record=5, api=f"{server.url}/api"))
    assert found == [
        Remote("a.zip", links["self"], 3, "md5", MD5),
        Remote("b.zip", links["self"], 3),
    ]


def test_s3(server):
    """The ETag of a file in several pieces is not an MD5."""
    page = (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        "<IsTruncated>{}</IsTruncated>{}"
        "<Contents><Key>live/9/{}</Key><ETag>&quot;{}&quot;</ETag><Size>5</Size></Contents>"
        "<Contents><Key>live/9/</Key><ETag>&quot;x&quot;</ETag><Size>0</Size></Contents>"
        "</ListBucketResult>"
    )
    token = "<NextContinuationToken>a b</NextContinuationToken>"
    asked = "/bucket/?list-type=2&prefix=live%2F9%2F"
    server.files[asked] = page.format("true", token, "x/a b.tif", MD5).encode()
    server.files[f"{asked}&continuation-token=a+b"] = page.format(
        "false", "", "c.tif", f"{MD5}-4"
    ).encode()
    bucket = f"{server.url}/bucket"
    found = sources.remotes(source(kind="s3", bucket=bucket, prefix="live/9/"))
    assert found == [
        Remote("x/a b.tif", f"{bucket}/live/9/x/a%20b.tif", 5, "md5", MD5),
        Remote("c.tif", f"{bucket}/live/9/c.tif", 5),
    ]


def test_listings_that_are_not_understood(server):
    def figshare(content):
        server.files["/articles/7/files?page=1&page_size=100"] = content
        return source(kind="figshare", article=7, api=server.url)

    for content, message in (
        (b"<html>", "not JSON"),
        (b'{"message": "gone"}', "not understood"),
        (b'[{"name": "a"}]', "not understood"),
        (b"[]", "lists no files"),
        (b'[{"name": "../a", "size": 1, "download_url": "u"}]', r"named '../a'"),
        (b"[" * 100_000, "not JSON"),
    ):
        with pytest.raises(OutputError, match=rf"(?s){message}.*https://example.org/page"):
            sources.remotes(figshare(content))
    server.files["/b/?list-type=2&prefix=p"] = b"not xml"
    with pytest.raises(OutputError, match="not understood"):
        sources.remotes(source(kind="s3", bucket=f"{server.url}/b", prefix="p"))
    with pytest.raises(OutputError, match=r"answered 404; try again later, or download"):
        sources.remotes(source(kind="zenodo", record=1, api=server.url))


def test_an_endless_listing(server):
    server.files["/a"] = CONTENT
    with pytest.raises(OutputError, match="is larger than"):
        web.text(f"{server.url}/a", largest=1000)


def test_a_set_without_direct_links(tmp_path):
    with pytest.raises(OutputError, match=r"shah: there is no direct link .*doi.org/10.5524/10246"):
        list(fetch("shah", tmp_path / "shah"))
    assert not (tmp_path / "shah").exists()


# All of it


def zip_of(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def archives(server):
    """A source of two archives and a file that is not an archive."""
    contents = {
        "one.tar.gz": tar_of({"./Group/raw/1/a.png": b"a", "./Group/gt/1/a.png": b"b"}),
        "two.zip": zip_of({"Cell_1/x.mrc": b"x", "Cell_2/x.mrc": b"y", "__MACOSX/Cell_1": b""}),
        "sub/three.tif": b"tif",
    }
    server.files.update({f"/{name}": content for name, content in contents.items()})
    files = [
        {
            "name": name,
            "url": f"{server.url}/{name}",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in contents.items()
    ]
    return source(kind="url", files=files)


def test_fetch_downloads_checks_and_unpacks(server, archives, tmp_path):
    folder = tmp_path / "new" / "set"
    steps = list(fetch(archives, folder, pause=0))
    assert [(s.file, s.state) for s in steps if s.state in ("complete", "unpacked")] == [
        ("one.tar.gz", "complete"),
        ("one.tar.gz", "unpacked"),
        ("two.zip", "complete"),
        ("two.zip", "unpacked"),
        ("sub/three.tif", "complete"),
    ]
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == {
        "Group/gt/1/a.png",
        "Group/raw/1/a.png",
        "one.tar.gz",
        ".one.tar.gz.unpacked",
        "two/Cell_1/x.mrc",  # two folders in it, so that they are put into one
        "two/Cell_2/x.mrc",
        "two.zip",
        ".two.zip.unpacked",
        "sub/three.tif",
    }
    asked = len(server.asked)
    (folder / "two/Cell_1/x.mrc").write_bytes(b"changed")
    again = list(fetch(archives, folder, pause=0))
    assert [s.note for s in again if s.state == "unpacked"] == ["was unpacked before"] * 2
    assert len(server.asked) == asked
    assert (folder / "two/Cell_1/x.mrc").read_bytes() == b"changed"


def test_a_part_of_a_set_without_unpacking(archives, tmp_path):
    list(fetch(archives, tmp_path, only=["two*"], extract=False))
    assert names(tmp_path) == ["two.zip"]
    with pytest.raises(ParameterError, match=r"matches 'four\*'; there are one.tar.gz, two.zip"):
        list(fetch(archives, tmp_path, only=["two*", "four*"]))


def test_a_disk_that_is_too_small(archives, tmp_path, monkeypatch):
    class Usage:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(OutputError, match=r"GB are needed, .* or select files with --only"):
        list(fetch(archives, tmp_path))
    (tmp_path / "a.zip").write_bytes(zip_of({"a/b": b"0" * 11}))
    with pytest.raises(OutputError, match="unpacked it takes"):
        list(unpack.unpack(tmp_path / "a.zip", "a"))
    assert names(tmp_path) == ["a.zip"]


def test_a_place_that_cannot_be_written(archives, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written to"):
        list(fetch(archives, tmp_path / "file" / "set"))


def link(name, to):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, to
    return member


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tar.gz", tar_of({"ok/a": b"a", "../evil": b"b"})),
        ("a.tgz", tar_of({"ok/a": b"a", "evil": link("evil", "/etc")})),
        ("a.zip", zip_of({"ok/a": b"a", "../evil": b"b"})),
        ("a.zip", zip_of({"ok/a": b"a", "/evil": b"b"})),
        ("a.zip", zip_of({"ok/a": b"a", "C:/evil": b"b"})),
    ],
)
def test_unsafe_archives_are_refused_as_a_whole(tmp_path, name, content):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with pytest.raises(FormatError, match="refused to unpack it"):
        list(unpack.unpack(folder / name, name))
    assert not (tmp_path / "evil").exists()
    assert [p.name for p in folder.rglob("*") if p.is_file()] == [name]


def test_links_in_a_zip_are_refused(tmp_path):
    member = zipfile.ZipInfo("ok/link")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(FormatError, match="'ok/link' is a link"):
        list(unpack.unpack(tmp_path / "a.zip", "a"))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_damaged_archives_are_told(tmp_path, name):
    whole = zip_of({"a/b": CONTENT}) if name == "a.zip" else tar_of({"a/b": CONTENT})
    for content in (b"no archive", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match="damaged archive"):
            list(unpack.unpack(tmp_path / name, name))
    assert not (tmp_path / f".{name}.unpacked").exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "ok/a"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_tar_are_refused_wherever_they_lead(tmp_path, target, kind):
    member = link("ok/l", target)
    member.type = kind
    (tmp_path / "a.tar").write_bytes(tar_of({"ok/a": b"a", "ok/l": member}))
    with pytest.raises(FormatError, match="'ok/l' is a link"):
        list(unpack.unpack(tmp_path / "a.tar", "a"))
    assert names(tmp_path) == ["a.tar"]


def test_an_encrypted_zip_is_named(tmp_path):
    content = bytearray(zip_of({"ok/a": b"a"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(FormatError, match="it is encrypted"):
        list(unpack.unpack(tmp_path / "a.zip", "a"))


def test_what_was_unpacked_and_deleted_is_unpacked_again(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of({"ok/a": b"a"}))
    list(unpack.unpack(tmp_path / "a.zip", "a"))
    shutil.rmtree(tmp_path / "ok")
    *_, last = unpack.unpack(tmp_path / "a.zip", "a")
    assert last.note == ""
    assert (tmp_path / "ok" / "a").read_bytes() == b"a"


@pytest.mark.parametrize(
    ("content", "blocking"),
    [
        (zip_of({"x": b"a", "y": b"b"}), "a"),  # into a folder of the archive's name
        (zip_of({"ok/x": b"a", "ok/y": b"b"}), "ok"),
    ],
)
def test_a_file_in_the_way_is_named(tmp_path, content, blocking):
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / blocking).write_text("mine")
    with pytest.raises(OutputError, match=rf"/{blocking} is in its way; move that away"):
        list(unpack.unpack(tmp_path / "a.zip", "a"))
    assert (tmp_path / blocking).read_text() == "mine"


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_a_folder_in_the_way_is_named(tmp_path, name):
    make = zip_of if name == "a.zip" else tar_of
    (tmp_path / name).write_bytes(make({"ok/x": b"a"}))
    (tmp_path / "ok" / "x").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"ok/x is in its way; move that away"):
        list(unpack.unpack(tmp_path / name, "a"))


def test_a_folder_that_leads_elsewhere_is_not_followed(tmp_path):
    if not hasattr(tarfile, "data_filter"):
        pytest.skip("this Python has no filter")
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ok").symlink_to(tmp_path / "elsewhere")
    (folder / "a.tar").write_bytes(tar_of({"ok/x": b"a"}))
    with pytest.raises(FormatError, match=r"refused to unpack it .* outside the destination"):
        list(unpack.unpack(folder / "a.tar", "a"))
    assert names(tmp_path / "elsewhere") == []


def test_an_unknown_compression_is_not_called_damage(tmp_path):
    content = bytearray(zip_of({"ok/a": b"a"}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(mark) + offset] = 9  # Deflate64, as Windows packs large files
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(
        FormatError, match=r"packed with an unsupported method .*unpack it yourself"
    ):
        list(unpack.unpack(tmp_path / "a.zip", "a"))


def tar_file(path, *members):
    """Write a tar packed as its ending says."""
    with tarfile.open(path, f"w:{path.suffix[1:].replace('tar', '')}") as archive:
        for name in members:
            member = tarfile.TarInfo(name)
            member.size = 5000
            archive.addfile(member, io.BytesIO(bytes(range(250)) * 20))


def tar_file_content():
    """A tar that is not compressed."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in ("ok/a", "ok/" + "b" * 120):
            member = tarfile.TarInfo(name)
            member.size = 300
            archive.addfile(member, io.BytesIO(bytes(300)))
    return content.getvalue()


@pytest.mark.parametrize("at", [-6, 90])
@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2"])
def test_damage_is_noticed_also_behind_the_last_member(tmp_path, suffix, at):
    path = tmp_path / f"a.{suffix}"
    tar_file(path, "ok/a")
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged archive"):
        list(unpack.unpack(path, "a"))
    assert names(tmp_path) == [path.name]


def test_a_damaged_header_is_not_the_end(tmp_path):
    path = tmp_path / "a.tar"
    tar_file(path, "ok/a", "ok/b")
    content = bytearray(path.read_bytes())
    content[content.index(b"ok/b")] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"damaged archive .bad header at byte 5632"):
        list(unpack.unpack(path, "a"))
    assert names(tmp_path) == ["a.tar"]


def test_a_tar_of_all_endings_is_whole(tmp_path):
    for suffix in ("tar", "tar.gz", "tar.xz", "tar.bz2"):
        path = tmp_path / suffix / f"a.{suffix}"
        path.parent.mkdir()
        tar_file(path, "2021-01-01T12:00/a", "2021-01-01T12:00/b")
        list(unpack.unpack(path, "a"))
        assert names(path.parent / "2021-01-01T12:00") == ["a", "b"]


def test_a_python_without_the_filter(tmp_path, monkeypatch):
    """Before 3.11.4: only known arguments are passed, and no owner or special mode is restored."""
    new = tarfile.TarFile.extract

    def old(self, member, path="", set_attrs=True, *, numeric_owner=False):
        filters = {"filter": "fully_trusted"} if kept else {}
        new(self, member, path, set_attrs, numeric_owner=numeric_owner, **filters)

    kept = hasattr(tarfile, "data_filter")
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extract", old)
    member = tarfile.TarInfo("ok/a")
    member.mode, member.uid = 0o4000, 12345
    (tmp_path / "a.tar").write_bytes(tar_of({"ok/a": member}))
    list(unpack.unpack(tmp_path / "a.tar", "a"))
    state = (tmp_path / "ok" / "a").stat()
    assert state.st_mode & 0o7400 == 0o400
    assert state.st_uid == tmp_path.stat().st_uid
    (tmp_path / "b.tar").write_bytes(tar_of({"ok/l": link("ok/l", "a")}))
    with pytest.raises(FormatError, match="'ok/l' is a link"):
        list(unpack.unpack(tmp_path / "b.tar", "b"))


def test_names_that_are_no_unicode(tmp_path):
    try:
        (tmp_path / "Probe\udce4").mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    (tmp_path / "Probe\udce4").rmdir()
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("Probe\udce4/a"))
    list(unpack.unpack(tmp_path / "a.tar", "a"))
    *_, last = unpack.unpack(tmp_path / "a.tar", "a")
    assert last.note == "was unpacked before"


@pytest.mark.parametrize(
    "content",
    [
        zip_of({"a.zip": b"x"}),
        zip_of({".a.zip.unpacked": b"x"}),
        zip_of({}),
        tar_of({"a.zip": b"x"}),
        zip_of({"x" * 300: b"a"}),
        zip_of({"a/" * 1500 + "b": b""}),
    ],
    ids=["itself", "mark", "empty", "tar", "long", "deep"],
)
def test_an_archive_of_any_content_does_not_replace_itself(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with suppress(FormatError, OutputError):
        list(unpack.unpack(tmp_path / "a.zip", "a"))
        assert set(names(tmp_path)) <= {".a.zip.unpacked", "a", "a.zip"}
    assert (tmp_path / "a.zip").read_bytes() == content


def test_an_archive_made_to_fill_the_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "_ALWAYS", 10**6)
    path = tmp_path / "a.tar.bz2"
    with tarfile.open(path, "w:bz2") as tar:
        member = tarfile.TarInfo("ok/a")
        member.size = 2 * 10**6
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(FormatError, match=r"takes 0\.0 GB of .* bytes; inspect it yourself"):
        list(unpack.unpack(path, "a"))
    assert names(tmp_path) == ["a.tar.bz2"]


def test_altered_archives_end_in_an_error_or_are_unpacked(tmp_path, rng):
    """Bytes at random places have other values."""
    for suffix, whole in (("zip", zip_of({"ok/a": b"a" * 500})), ("tar", tar_file_content())):
        for number in range(100):
            content = bytearray(whole)
            for place in rng.integers(0, len(content), 3):
                content[place] = rng.integers(256)
            folder = tmp_path / f"{suffix}{number}" / "in"
            folder.mkdir(parents=True)
            (folder / f"a.{suffix}").write_bytes(content)
            with suppress(FormatError, OutputError):
                list(unpack.unpack(folder / f"a.{suffix}", "a"))
            assert names(folder.parent) == ["in"]
