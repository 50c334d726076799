"""Text files of keys and values: JSON and YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autodip.errors import FormatError
from autodip.util.optional import require
from autodip.util.paths import check_source

YAML = (".yaml", ".yml")
"""Endings of the names of YAML files."""


def read_structured(path: Path, extra: str) -> Any:
    """Content of a JSON file (ending in .json), or else of a YAML file.

    Parameters
    ----------
    path : Path
    extra : str
        Extra of autodip that installs PyYAML.

    Raises
    ------
    FormatError
        If the file cannot be read.
    MissingPackageError
        If it is a YAML file and PyYAML is not installed.
    """
    check_source(path)
    if path.suffix == ".json":
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FormatError(f"{path}: not readable as JSON ({error})") from error
    yaml = require("yaml", extra)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FormatError(f"{path}: not readable as YAML ({error})") from error
