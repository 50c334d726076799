"""Optional packages, which are imported only when they are used."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autodip.errors import MissingPackageError

PACKAGE = "autodip"


def require(module: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Parameters
    ----------
    module
        Name of the module to import.
    extra
        Extra of autodip that installs it.

    Raises
    ------
    MissingPackageError
        If the package is not installed, or in a version that does not suit; the message names
        the command that installs it.
    """
    try:
        found = import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {module!r}, which is not installed; install it by "
            f"{install_command(extra)}"
        ) from error
    unmet = unmet_version(module, extra)
    if unmet is not None:
        raise MissingPackageError(
            f"this needs {unmet}, but version {_version(unmet.name)} is installed; install "
            f"it by {install_command(extra)}"
        )
    return found


@cache
def unmet_version(module: str, extra: str) -> Requirement | None:
    """Requirement that the version of the package named like a module does not meet."""
    name = canonicalize_name(module)
    own = (needed for needed in requirements(extra) if canonicalize_name(needed.name) == name)
    return next((needed for needed in own if _version(name) and not _met(needed)), None)


def install_command(extra: str) -> str:
    """Command that installs the packages of an extra of autodip.

    It names the packages themselves, so that it also works if autodip was installed from a
    folder and is on no package index, and the Python that is running. Packages that are present
    are left out, unless all are. The quotes are those that POSIX shells and Windows both accept.
    """
    every = tuple(requirements(extra))
    wanted = [needed for needed in every if not _met(needed)] or every
    names = list(dict.fromkeys(map(str, wanted))) or [f"{PACKAGE}[{extra}]"]
    return " ".join([*_installer(), *(f'"{name}"' for name in names)])


def requirements(extra: str) -> Iterator[Requirement]:
    """Requirements of an extra of autodip, with those of the extras that it includes.

    They are given without markers; those whose marker excludes this system are left out. There
    are none if autodip is imported from a folder without having been installed.
    """
    try:
        lines = metadata.requires(PACKAGE) or ()
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            continue
        if not needed.marker.evaluate({"extra": extra}):
            continue
        if canonicalize_name(needed.name) == PACKAGE:
            for included in sorted(needed.extras):
                yield from requirements(included)
            continue
        needed.marker = None
        yield needed


def _met(needed: Requirement) -> bool:
    """Whether a requirement is installed, in a version that it allows."""
    version = _version(needed.name)
    return version is not None and needed.specifier.contains(version, prereleases=True)


def _version(name: str) -> str | None:
    """Version of a package, if it is installed and has one."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _installer() -> list[str]:
    """First words of a command that installs into the environment that is running."""
    python = sys.executable
    if find_spec("pip") is None:  # environments of uv
        return ["uv", "pip", "install", "--python", f'"{python}"']
    first = shutil.which("python")
    active = first is not None and Path(first).parent == Path(python).parent
    return ["python" if active else f'"{python}"', "-m", "pip", "install"]
