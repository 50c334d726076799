"""Which learned prior is applied to an image, and how."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from autodip.errors import FormatError, ParameterError
from autodip.util.values import Value

BUILTIN = "builtin"
"""Name of the prior included in the package."""


@dataclass(frozen=True)
class PriorParams(Value):
    """A learned prior and how it is applied.

    Parameters
    ----------
    weights : str
        "builtin", or the path of a safetensors file.
    sha256 : str
        Hash of that file; empty if not known yet.
    passes : int
        Number of passes, 1 to 4; from the second, the network is told the noise that the pass
        before removed.
    orientations : int
        Number of flipped and turned copies whose results are averaged, 1 to 8.
    """

    weights: str = BUILTIN
    _: KW_ONLY
    sha256: str = ""
    passes: int = 2
    orientations: int = 1

    def __post_init__(self) -> None:
        for name, most in (("passes", 4), ("orientations", 8)):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= most:
                raise ParameterError(f"{name} is {value!r}; it must be 1 to {most}")


def path_of(weights: str) -> Path:
    """File of the weights of a prior: that of the package for "builtin", else the path itself."""
    if weights == BUILTIN:
        return Path(str(resources.files("autodip") / "data" / "prior.safetensors"))
    return Path(weights)


def digest_of(weights: str) -> str:
    """SHA-256 of the file of a prior, in hexadecimal digits.

    Raises
    ------
    FormatError
        If the file cannot be read.
    """
    path = path_of(weights)
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise FormatError(f"the weights {path} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=16)
def _digest(path: Path, stamp: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
