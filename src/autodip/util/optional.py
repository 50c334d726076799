"""Optional packages, which are imported only when they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from autodip.errors import MissingPackageError


def require(module: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Raises
    ------
    MissingPackageError
        If the package is not installed; the message names the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {module!r}, which is not installed; install it by "
            f"{install_command(extra)}"
        ) from error


def install_command(extra: str) -> str:
    """Command that installs the packages of an extra."""
    return f"pip install 'autodip[{extra}]'"
