"""How an option is specified on the command line, in a file and in Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Spec:
    """How one option is specified.

    Parameters
    ----------
    help : str
        One line for the command line and the template of the config file.
    kind : "text", "int", "float", "flag", "switch" or "size"
        Type of the value: a flag is on or off; a switch also has a negation, which overrides a
        value that is set elsewhere; a size is in bytes, or has a unit as in 4GB.
    metavar : str or None
        Placeholder for the value in ``--help``.
    choices : tuple of str
        Allowed values; empty if any value is allowed.
    example : str or None
        Value in the template of the config file; None for an option that the file does not
        accept.
    in_manifest : bool
        Whether a manifest may set it for single files.
    chooses : bool
        Whether it affects only the choice of parameters, which is stored in a sidecar.
    of_run : bool
        Whether it may differ when a run is repeated from its sidecar, which determines all other
        options.
    """

    help: str
    _: KW_ONLY
    kind: Literal["text", "int", "float", "flag", "switch", "size"] = "text"
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    example: str | None = None
    in_manifest: bool = False
    chooses: bool = False
    of_run: bool = False

    @property
    def described(self) -> str:
        """The help, with the allowed values."""
        return self.help + (f" Values: {', '.join(self.choices)}." if self.choices else "")


def said(help: str, **spec: Any) -> dict[str, Spec]:
    """Metadata for the dataclass field of an option."""
    return {"spec": Spec(help, **spec)}


def specs_of(options: type) -> Mapping[str, Spec]:
    """Specifications of the fields of a dataclass that have one, by name."""
    fields = dataclasses.fields(options)
    return {field.name: field.metadata["spec"] for field in fields if "spec" in field.metadata}
