"""The user's config file in TOML, with defaults for the command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from autodip.bases.builtin import NAME as BUILTIN
from autodip.errors import FormatError, ParameterError
from autodip.pipeline.options import SPECS
from autodip.util.closest import meant
from autodip.util.paths import check_source

VARIABLE = "AUTODIP_CONFIG"
"""Environment variable with the path of a config file to use instead of the user's own."""


_STRICT = ConfigDict(extra="forbid", strict=True)


def _optional(names: Iterable[str]) -> dict[str, Any]:
    """Fields of a model: optional strings and switches, described as on the command line."""
    return {
        name: (
            (bool if SPECS[name].kind == "switch" else str) | None,
            Field(None, description=SPECS[name].described, examples=[SPECS[name].example]),
        )
        for name in names
    }


Channel: Any = create_model("Channel", __config__=_STRICT, **_optional(("microscope", "specimen")))
"""Allowed content of a table ``[channels.NAME]`` in a config file."""

Defaults: Any = create_model(
    "Defaults",
    __config__=_STRICT,
    **_optional(name for name, spec in SPECS.items() if spec.example is not None),
    channels=(
        dict[str, Channel] | None,  # evaluated by pydantic
        Field(
            None,
            description="Values for the channel named DAPI; they override those above.",
            examples=["DAPI"],
        ),
    ),
)
"""Allowed content of a config file; the descriptions are used in its template."""


def location() -> Path:
    """Path of the user's own config file, which need not exist."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("autodip") / "config.toml"


def find(named: Path | None) -> Path | None:
    """Config file to use: the named one, else the user's own; None if that does not exist.

    A file that is named by :data:`VARIABLE` is returned even if it does not exist.
    """
    if named is not None:
        return named
    own = location()
    return own if own.exists() or os.environ.get(VARIABLE) else None


def read(path: Path) -> dict[str, Any]:
    """Values that a config file sets; a path of a base is relative to the file's folder.

    Raises
    ------
    ParameterError
        If the file cannot be read, or a key or a value is not allowed.
    """
    try:
        check_source(path)
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FormatError as error:
        raise ParameterError(str(error)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: not readable as a config file in TOML ({error})") from error
    try:
        values: dict[str, Any] = Defaults.model_validate(content).model_dump(exclude_none=True)
    except ValidationError as error:
        raise ParameterError(f"{path}: {'; '.join(map(_words, error.errors()))}") from error
    base = values.get("base")
    if base is not None and base != BUILTIN:
        values["base"] = str(path.parent / Path(base).expanduser())
    return values


def template() -> str:
    """Text of a config file that describes what can be set, but sets nothing."""
    lines = ["# Defaults for autodip; options on the command line override them."]
    for name, field in Defaults.model_fields.items():
        (example,) = field.examples or [""]
        lines += ["", f"# {field.description}"]
        if name == "channels":
            lines += [f"# [{name}.{example}]", *map(_line, Channel.model_fields.items())]
        else:
            lines.append(_line((name, field)))
    return "\n".join(lines) + "\n"


def _line(named: tuple[str, FieldInfo]) -> str:
    name, field = named
    (example,) = field.examples or [""]
    value = example if field.annotation == bool | None else f'"{example}"'
    return f"# {name} = {value}"


def _words(error: Any) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        model = Channel if len(error["loc"]) > 1 else Defaults
        known = tuple(model.model_fields)
        close = meant(str(error["loc"][-1]), known)
        return f"{key} is not known; known are {', '.join(known)}.{close}"
    what = "a table such as [channels.DAPI]" if error["loc"][0] == "channels" else "a string"
    what = "a string" if len(error["loc"]) > 2 else what
    what = "true or false" if error["type"] == "bool_type" else what
    return f"{key} is {error['input']!r}; it must be {what}"
