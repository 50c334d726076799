"""Templates of the pages: everything is escaped unless it was made by this package.

A page may load nothing and run nothing but its own style and script, which its content security
policy names by their hashes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autodip.report.page.svg import number

_POLICY = (
    "default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("autodip.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["number"] = number
    found.filters["visible"] = visible
    return found


def rendered(template: str, style: str, script: str, **values: object) -> str:
    """Fill a template.

    Parameters
    ----------
    template, style, script : str
        Names of files in the folder ``templates``.
    **values
        What the template shows.
    """
    css, code = _file(style), _file(script)
    policy = _POLICY.format(style=_hash(css), script=_hash(code))
    return (
        _environment()
        .get_template(template)
        .render(style=Markup(css), script=Markup(code), policy=policy, **values)
    )


@cache
def _file(name: str) -> str:
    file = resources.files("autodip.report.page") / "templates" / name
    return file.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


_HIDDEN = {
    *range(0x00, 0x20),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *(0x061C, 0xFEFF),
}
"""Control characters, and those that hide or reorder what follows them."""


def visible(text: object) -> str:
    """Text whose control and direction characters are written as in Python.

    File names may contain line breaks, and marks that reverse the direction of what follows.
    """
    return "".join(ascii(one)[1:-1] if ord(one) in _HIDDEN else one for one in str(text))
