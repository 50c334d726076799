"""The user's config file: defaults of the command line, in TOML."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from autodip.errors import ParameterError

VARIABLE = "AUTODIP_CONFIG"
"""Environment variable that names another file than the user's own."""


class Channel(BaseModel):
    """What a table ``[channels.NAME]`` of a config file may hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    microscope: str | None = Field(None, examples=["confocal"])
    specimen: str | None = Field(None, examples=["nucleus"])


class Defaults(BaseModel):
    """What a config file may hold; the descriptions are those of its template."""

    model_config = ConfigDict(extra="forbid", strict=True)

    base: str | None = Field(
        None, description="calibration base, a folder seen from here, or builtin", examples=["base"]
    )
    strategy: str | None = Field(
        None, description="how the base is asked", examples=["group+descriptor"]
    )
    criterion: str | None = Field(
        None,
        description="what is best in the base: combined, psnr, lpips, ssim or cheapest",
        examples=["combined"],
    )
    preset: str | None = Field(
        None, description="fast, balanced, best, published or original", examples=["balanced"]
    )
    microscope: str | None = Field(
        None, description="of all images; wins over their metadata", examples=["confocal"]
    )
    specimen: str | None = Field(
        None, description="of all images; wins over their metadata", examples=["mito"]
    )
    device: str | None = Field(
        None, description="auto, cpu, cuda, cuda:1 or mps", examples=["auto"]
    )
    channels: dict[str, Channel] | None = Field(
        None,
        description="of the channel called DAPI, in images that have it; wins over the above",
        examples=["DAPI"],
    )


def location() -> Path:
    """The user's own config file, whether it is there or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("autodip") / "config.toml"


def find(named: Path | None) -> Path | None:
    """File that holds: the one named, else the user's own if it is there."""
    if named is not None:
        return named
    own = location()
    return own if own.exists() or os.environ.get(VARIABLE) else None


def read(path: Path) -> dict[str, Any]:
    """Values that a config file sets.

    Raises
    ------
    ParameterError
        If it is not readable, or a key or a value is not allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParameterError(f"{path}: not readable as a config file in TOML ({error})") from error
    try:
        values = Defaults.model_validate(content).model_dump(exclude_none=True)
    except ValidationError as error:
        raise ParameterError(f"{path}: {'; '.join(map(_words, error.errors()))}") from error
    base = values.get("base")
    if base is not None and base != "builtin":
        values["base"] = str(path.parent / Path(base).expanduser())
    return values


def template() -> str:
    """Config file that sets nothing and tells what can be set."""
    lines = ["# Defaults of autodip; what the command line says wins over them."]
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
    return f'# {name} = "{example}"'


def _words(error: Any) -> str:
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        model = Channel if len(error["loc"]) > 1 else Defaults
        return f"{key} is not known; known are {', '.join(model.model_fields)}"
    what = "a table, as [channels.DAPI]" if error["loc"][0] == "channels" else "a text"
    what = "a text" if len(error["loc"]) > 2 else what
    return f"{key} is {error['input']!r}; it must be {what}"
