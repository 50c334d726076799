"""Error messages, and text for output."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from autodip.errors import AutodipError


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
