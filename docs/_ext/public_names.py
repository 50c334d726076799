"""The directive ``public-names``: all public names of a module, described by their docstrings."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class PublicNames(SphinxDirective):
    """Functions, then classes, then the rest of ``__all__`` of the module that is its argument."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Write the directives of autodoc, and parse them."""
        (module,) = self.arguments
        found = import_module(module)
        lines: list[str] = []
        for name in sorted(getattr(found, "__all__", ()), key=lambda name: _order(found, name)):
            kind = _kind(getattr(found, name))
            if kind == "data":
                continue
            lines += [f".. auto{kind}:: {module}.{name}", ""]
            if kind == "class":
                lines[-1:] = ["   :members:", ""]
        if not lines:
            return []
        text = "\n".join(["```{eval-rst}", *lines, "```"])
        return self.parse_text_to_nodes(text)


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        return "exception" if issubclass(value, Exception) else "class"
    return "function" if callable(value) else "data"


def _order(module: Any, name: str) -> tuple[int, str]:
    kinds = ("function", "class", "exception", "data")
    return kinds.index(_kind(getattr(module, name))), name


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True}
