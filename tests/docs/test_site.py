"""The documentation site builds without warnings or a network, and holds together."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from inspect import ismodule
from urllib.parse import unquote, urlsplit

import pytest

import autodip
import autodip.metrics
from tests.conftest import REPOSITORY
from tests.docs import blocks

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""Elements that a browser loads, and the attribute that names what."""


class Page(HTMLParser):
    """Links, loaded files and ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in LOADED and given.get(LOADED[tag]):
            self.loaded.append(given[LOADED[tag]])
        if given.get("id"):
            self.ids.add(given["id"])


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the built site."""
    for package in ("sphinx", "myst_nb", "furo", "sphinx_copybutton"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    words = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [sys.executable, *words, REPOSITORY / "docs", folder / "html", "-d", folder / "doctrees"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="session")
def pages(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_built(site):
    for path in (REPOSITORY / "docs").rglob("*.md"):
        if "_build" not in path.parts:
            page = path.relative_to(REPOSITORY / "docs").with_suffix(".html")
            assert (site / page).exists(), page


def test_links_lead_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or link.startswith(("//", "data:")):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            there = pages.get(target)
            if not target.exists() or (anchor and there and anchor not in there.ids):
                broken.append(f"{path.name}: {link}")
    assert sorted(set(broken)) == []


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for path, page in pages.items():
        outside = [link for link in page.loaded if urlsplit(link).scheme in ("http", "https")]
        assert outside == [], path
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "@import" not in text, path
        assert "url(http" not in text, path


def test_public_names_are_described(pages, site):
    ids = pages[(site / "api.html").resolve()].ids
    for module in (autodip, autodip.metrics):
        for name in getattr(module, "__all__", ()):
            if name != "__version__" and not ismodule(getattr(module, name)):
                assert f"{module.__name__}.{name}" in ids, name


@pytest.mark.parametrize("name", ["one-image", "study"])
def test_notebooks_are_run(site, name):
    page = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    assert "<progress" in page
    assert '<img alt="../_images/' in page


def test_pictures_are_small():
    gallery = [path.stat().st_size for path in (REPOSITORY / "docs" / "gallery").iterdir()]
    assert sum(gallery) < 4e6
    for page in blocks.pages():
        for link in re.findall(r"!\[[^]]*\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).stat().st_size < 5e5, link


def test_links_of_the_sources_exist():
    """As a browser of the repository follows them."""
    for page in blocks.pages():
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:|#|<)([^)#\s]+)(?:#[^)]*)?\)", text):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_make_builds_the_site():
    plan = subprocess.run(
        ["make", "--dry-run", "docs"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "sphinx-build -W --keep-going -b html docs docs/_build/html" in plan.stdout


def test_site_is_no_part_of_the_repository():
    ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").split()
    assert "docs/_build/" in ignored
