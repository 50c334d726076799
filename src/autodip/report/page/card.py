"""The card of a page: what an index shows of it, stored at the start of the page itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autodip.errors import ParameterError
from autodip.util.text import valid
from autodip.util.values import Value, check_types

_OPEN, _CLOSE = '<script type="application/json" id="autodip-card">', "</script>"
_START = 200_000
"""Number of characters at the start of a page in which its card lies."""

_PICTURE = re.compile("data:image/png;base64,[A-Za-z0-9+/=]*")


@dataclass(frozen=True, kw_only=True)
class Card(Value):
    """What an index shows of an output; numbers are None where they are not known.

    Parameters
    ----------
    name : str
        File name of the output.
    preset : str
    before, after : str
        Thumbnails, as ``data:`` URLs; ``before`` is empty without the input.
    noise : float or None
        Standard deviation of the noise at median brightness, relative to the range of the result.
    removed : float or None
        What was removed, relative to the expected noise.
    whiteness : float or None
        Correlation of what was removed in excess of that of the noise.
    psnr : float or None
        Predicted PSNR in dB.
    flux : float or None
        Change of the mean, relative to the range of the result, in percent.
    familiarity : float or None
        Distance from the training images, relative to the limit of those that are like them.
    unsupported, lost : int or None
        Number of places that hold structure which the noisy image does not support, and of those
        that lack structure which it supports.
    seconds : float
    doubts : tuple of str
        What to look at.
    """

    name: str
    preset: str
    before: str = ""
    after: str = ""
    noise: float | None = None
    removed: float | None = None
    whiteness: float | None = None
    psnr: float | None = None
    flux: float | None = None
    familiarity: float | None = None
    unsupported: int | None = None
    lost: int | None = None
    seconds: float = 0.0
    doubts: tuple[str, ...] = ()

    def script(self) -> Markup:
        """The card as an element of a page, whose text cannot end the element."""
        text = json.dumps(self.to_dict(), allow_nan=False)
        for sign in "<>&":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return Markup(_OPEN + text + _CLOSE)

    @classmethod
    def of_page(cls, path: Path) -> Card | None:
        """Read the card of a page; None if it has none, or a damaged one."""
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                start = file.read(_START)
            content = json.loads(start.split(_OPEN, 1)[1].split(_CLOSE, 1)[0])
            return cls._checked(content)
        except (OSError, LookupError, ValueError, RecursionError, TypeError, ParameterError):
            return None

    @classmethod
    def _checked(cls, content: Mapping[str, Any]) -> Card:
        names = {one.name for one in fields(cls)}
        card = cls.from_dict({name: content[name] for name in content if name in names})
        check_types(card)
        if any(url and not _PICTURE.fullmatch(url) for url in (card.before, card.after)):
            raise ParameterError("a card with a picture that is none")
        return card.replace(name=valid(card.name))
