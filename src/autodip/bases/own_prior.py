"""The prior of a base: a learned prior that was tuned on a laboratory's own images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from autodip.bases.claims import Claim, claim
from autodip.errors import FormatError, ParameterError
from autodip.image.kind import Kind
from autodip.util.files import replacing, sha256
from autodip.util.values import Value

if TYPE_CHECKING:
    from autodip.prior.architecture import PriorNet

FILE = "prior.safetensors"
"""File in the folder of a base that has its own prior."""

_NOTE = "tuned"
"""Key of the metadata that holds an :class:`OwnPrior`, as JSON."""


@dataclass(frozen=True, kw_only=True)
class OwnPrior(Value):
    """On what the prior of a base was tuned, and what it gained.

    Parameters
    ----------
    pairs, captures, single : int
        Number of images with a truth, of repeated captures without one, and of single noisy
        images; the held-out ones included.
    kinds : tuple of Kind
        Microscopes and specimens of these images.
    held_out : str
        What was held out of them.
    measure : str
        How the PSNR on the held-out images was found.
    before, after : float
        Mean PSNR on the held-out images in dB, of the weights that were to be improved and of
        these.
    builtin, start : str
        SHA-256 of the built-in weights, and of those from which the tuning started.
    steps, seed : int
    version : str
        Version of autodip.
    """

    pairs: int
    captures: int
    single: int
    kinds: tuple[Kind, ...]
    held_out: str
    measure: str
    before: float
    after: float
    builtin: str
    start: str
    steps: int
    seed: int
    version: str

    @property
    def words(self) -> str:
        """On how many images it was tuned, as text."""
        counts = {
            "pairs": self.pairs,
            "repeated captures": self.captures,
            "single noisy images": self.single,
        }
        return ", ".join(f"{number} {name}" for name, number in counts.items() if number)

    @property
    def gain(self) -> str:
        """What it gained on the held-out images, as text."""
        return f"{self.before:.2f} to {self.after:.2f} dB on held-out images ({self.held_out})"


def path_in(base: Path) -> Path:
    """File of the prior in the folder of a base."""
    return base / FILE


def read(base: Path) -> OwnPrior | None:
    """Notes of the prior of a base; None if it has no prior of its own.

    Raises
    ------
    FormatError
        If the file is not the prior of a base.
    """
    path = path_in(base)
    if not path.exists():
        return None
    try:
        with safe_open(path, "np") as file:
            notes = file.metadata() or {}
        return OwnPrior.from_dict(json.loads(notes[_NOTE]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path}: not the prior of a base ({error}); restore it, or delete it and run autodip "
            "prior tune again"
        ) from error


def check(base: Path) -> None:
    """Read the weights as well; raise a FormatError if they are damaged."""
    from autodip.prior.learned import load_prior  # noqa: PLC0415  (imports torch)

    if read(base) is not None:
        load_prior(str(path_in(base)))


def write(base: Path, net: PriorNet, notes: OwnPrior) -> None:
    """Write the prior of a base, all or nothing.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    from autodip.prior.learned import save_prior  # noqa: PLC0415  (imports torch)

    save_prior(net, path_in(base), {_NOTE: json.dumps(notes.to_dict())})


def copy(source: Path, target: Path) -> None:
    """Copy the prior of one base to another."""
    with replacing(path_in(target), advice="choose another folder") as (part,):
        shutil.copyfile(path_in(source), part)


def digest(base: Path) -> str:
    """SHA-256 of the prior of a base, in hexadecimal digits."""
    return sha256(path_in(base))


@contextmanager
def tuning(base: Path) -> Iterator[Claim]:
    """Claim the prior of a base for this process while it is tuned.

    Raises
    ------
    ParameterError
        If another process is tuning it.
    OutputError
        If the folder cannot be written.
    """
    mine = claim(base / "prior.claim")
    if mine is None:
        raise ParameterError(
            f"another process is tuning the prior of {base}; wait for it, or choose another --base"
        )
    try:
        yield mine
    finally:
        mine.release()
