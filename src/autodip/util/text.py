"""Words for messages, and text that can be written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from autodip.errors import AutodipError


def words_of(error: Exception) -> str:
    """Message of an error of autodip; of another with its type."""
    return str(error) if isinstance(error, AutodipError) else f"{type(error).__name__}: {error}"


def named(path: Path, error: Exception) -> str:
    """Message of an error that names its file once."""
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def valid(text: str) -> str:
    """Text that can be written: names of files may be any bytes on Linux."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def to_json(content: Any) -> str:
    """Valid JSON: NaN and infinity, which JSON does not know, are a defect."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
