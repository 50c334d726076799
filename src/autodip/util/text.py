"""Error messages, and text for output."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from autodip.errors import AutodipError, ParameterError

_SWITCH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""Words for on and off in a table."""


def words_of(error: Exception) -> str:
    """Message of an error, preceded by its type unless it is an error of autodip."""
    return str(error) if isinstance(error, AutodipError) else f"{type(error).__name__}: {error}"


def named(path: Path, error: Exception) -> str:
    """Message of an error, preceded by the path of its file unless the path is part of it."""
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def valid(text: str) -> str:
    """Text without lone surrogates, which cannot be encoded: Linux file names may be any bytes."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def name_text(name: str) -> str:
    """File name as valid text; on Linux a name may be any bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def one_line(text: str) -> str:
    """Text with control characters, which file names may contain, written as in Python."""
    return re.sub("[\x00-\x1f\x7f]", lambda found: repr(found[0])[1:-1], text)


def to_json(content: Any) -> str:
    """Content as JSON; NaN and infinity, which JSON does not allow, raise a ValueError."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def parse_size(size: str | int | None, name: str) -> int | None:
    """Parse a number of bytes, such as 4GB, 500MB, 2GiB or 4000000000; None if there is no text.

    Parameters
    ----------
    size : str, int or None
        A number is returned as it is.
    name : str
        What the size is of, for the error message: ``--max-memory``, for example.

    Raises
    ------
    ParameterError
        If the text is malformed.
    """
    if size is None or not isinstance(size, str):
        return size
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?", size.strip(), re.IGNORECASE)
    if not match:
        raise ParameterError(f"{name} {size!r}; give a size with its unit, such as 4GB or 500MB")
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit.lower() or " "))


def parse_switch(value: str | bool, name: str) -> bool:
    """Parse on or off, as true, yes, 1, false, no or 0 in upper or lower case.

    Parameters
    ----------
    value : str or bool
        A bool is returned as it is.
    name : str
        What the value is of, for the error message.

    Raises
    ------
    ParameterError
        If it is anything else.
    """
    found = value if isinstance(value, bool) else _SWITCH.get(str(value).strip().lower())
    if found is None:
        raise ParameterError(f"{name} is {value!r}; it must be true or false (or yes, no, 1, 0)")
    return found
