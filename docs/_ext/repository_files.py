"""Links to files of the repository lead to pages of the site that show them.

A page of the documentation links to a file or a folder outside ``docs`` by its relative path, as
a browser of the repository needs it. Here the target becomes a page below ``repository/`` with the
text of the file, or with links to the files of the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

ROOT = Path(__file__).parents[2]
HOME = "repository"
PAGES = {"CONTRIBUTING.md": "contributing"}
"""Files that are included in a page of their own."""
LEXERS = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".sh": "bash"}


class Linked(SphinxTransform):
    """Turn links to files outside ``docs`` into links to their pages."""

    default_priority = 1

    def apply(self, **kwargs: Any) -> None:
        """Replace the nodes that MyST made of such links."""
        for node in list(self.document.findall(_is_link)):
            path = self._path(node)
            if path is None:
                continue
            shown = path.relative_to(ROOT).as_posix()
            name = PAGES.get(shown, f"{HOME}/{shown}")
            here = self.env.docname
            target = self.app.builder.get_relative_uri(here, name)
            link = nodes.reference("", "", *node.children, refuri=target, internal=True)
            node.replace_self(link)
            if shown not in PAGES:
                _wanted(self.env).setdefault(here, set()).add(shown)

    def _path(self, node: nodes.Element) -> Path | None:
        target = node["reftarget"].split("#")[0]
        if not target or "://" in target:
            return None
        folder = Path(self.env.doc2path(self.env.docname)).parent
        if node.get("refdomain") == "doc":  # a document, by its name from the folder of the sources
            folder, target = Path(self.env.srcdir), f"{target}.md"
        path = (folder / target).resolve()
        inside = path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "docs")
        return path if inside and path.exists() else None


def _is_link(node: nodes.Node) -> bool:
    kinds = (addnodes.download_reference, addnodes.pending_xref)
    return isinstance(node, kinds) and node.get("reftype") == "myst"


def _wanted(env: Any) -> dict[str, set[str]]:
    if not hasattr(env, "repository_files"):
        env.repository_files = {}
    wanted: dict[str, set[str]] = env.repository_files
    return wanted


def _purge(app: Sphinx, env: Any, docname: str) -> None:
    _wanted(env).pop(docname, None)


def _merge(app: Sphinx, env: Any, docnames: set[str], other: Any) -> None:
    _wanted(env).update({name: _wanted(other).get(name, set()) for name in docnames})


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Pages of all files that are linked, and of the files of linked folders."""
    shown = set().union(*_wanted(app.env).values())
    for folder in [name for name in shown if (ROOT / name).is_dir()]:
        shown |= {path.relative_to(ROOT).as_posix() for path in _files(ROOT / folder)}
    for name in sorted(shown):
        path = ROOT / name
        body = _listing(app, name) if path.is_dir() else _text(app, path)
        context = {"title": name, "body": f"<h1>{escape(name)}</h1>\n{body}", "parents": []}
        yield f"{HOME}/{name}", context, "page.html"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != "_")


def _listing(app: Sphinx, name: str) -> str:
    links = []
    for path in _files(ROOT / name):
        target = f"{HOME}/{path.relative_to(ROOT).as_posix()}"
        uri = app.builder.get_relative_uri(f"{HOME}/{name}", target)
        links.append(f'<li><a href="{uri}">{escape(path.name)}</a></li>')
    return f"<ul>{''.join(links)}</ul>"


def _text(app: Sphinx, path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    highlighter = getattr(app.builder, "highlighter")  # noqa: B009  (of builders for HTML)
    return str(highlighter.highlight_block(text, LEXERS.get(path.suffix, "none"), linenos=False))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform and the pages."""
    app.add_transform(Linked)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("html-collect-pages", _pages)
    return {"parallel_read_safe": True}
