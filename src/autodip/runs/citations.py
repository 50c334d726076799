"""What to cite: autodip and the papers that it implements, in the form of CSL-JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Any

_KINDS = {"software": "software", "article": "misc", "paper-conference": "inproceedings"}
"""Types of BibTeX by type of CSL."""

_ACCENTS = {"ö": '{\\"o}', "ä": '{\\"a}', "ü": '{\\"u}'}


@cache
def references() -> tuple[Mapping[str, Any], ...]:
    """Software and papers to cite as CSL-JSON items; the software has the installed version."""
    file = resources.files("autodip") / "data" / "citations.json"
    items = json.loads(file.read_text(encoding="utf-8"))
    own = {"version": version("autodip")}
    return tuple({**item, **(own if item["type"] == "software" else {})} for item in items)


def as_text(item: Mapping[str, Any]) -> str:
    """Reference as one paragraph."""
    names = [_name(author) for author in item["author"]]
    if len(names) > 1:
        names = [", ".join(names[:-1]) + f" and {names[-1]}"]
    year = f" ({_year(item)})" if _year(item) else ""
    place = item.get("container-title") or " ".join(
        filter(None, [item.get("publisher"), item.get("number")])
    )
    title = item["title"] + (f", version {item['version']}" if "version" in item else "")
    place += f", pages {item['page'].replace('-', '–')}" if "page" in item else ""
    link = f"https://doi.org/{item['DOI']}" if "DOI" in item else ""
    parts = [f"{names[0]}{year}", title, place, link]
    return ". ".join(filter(None, parts))


def as_bibtex(item: Mapping[str, Any]) -> str:
    """Reference as an entry of BibTeX."""
    fields = {
        "title": f"{{{item['title']}}}",
        "author": " and ".join(map(_bibtex_name, item["author"])),
        "year": _year(item),
        "booktitle": item.get("container-title"),
        "pages": item.get("page", "").replace("-", "--"),
        "publisher": item.get("publisher"),
        "version": item.get("version"),
        "doi": item.get("DOI"),
        "url": item.get("URL"),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return "\n".join([f"@{_KINDS[item['type']]}{{{item['id']},", ",\n".join(lines), "}"])


def _year(item: Mapping[str, Any]) -> str:
    return str(item["issued"]["date-parts"][0][0]) if "issued" in item else ""


def _name(author: Mapping[str, str]) -> str:
    return author.get("literal") or f"{author['given']} {author['family']}"


def _bibtex_name(author: Mapping[str, str]) -> str:
    name = author.get("literal")
    text = f"{{{name}}}" if name else f"{author['family']}, {author['given']}"
    return "".join(_ACCENTS.get(letter, letter) for letter in text)
