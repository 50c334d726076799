"""A choice of parameters, explicit values that override it, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from autodip.choose.familiarity import Familiarity
from autodip.fit.params import FitParams, NetParams, Width
from autodip.image.kind import Kind
from autodip.prior.setting import PriorParams
from autodip.refine.refinement import RefineParams
from autodip.util.values import Value


@dataclass(frozen=True, kw_only=True)
class Evidence(Value):
    """Why a choice was made.

    Parameters
    ----------
    preset : str
        Name of the preset that was specified.
    table : str
        Name and version of the preset's table, or of the calibration base, that determined the
        choice.
    source : str
        Where the values of that table come from; for a base, how its setting was selected.
    group : Kind
        Group of the table row, or of the calibration images, that determined the choice; None in
        one of its fields means "any".
    known : Kind
        Microscope and specimen of the image; None if unknown.
    origin : mapping
        Source of ``microscope`` and of ``specimen``: "given as ...", the metadata field, or
        "unknown".
    notes : tuple of str
        Notes for the user: fallbacks, reduced depth, explicit values.
    neighbours : tuple of mapping
        Most similar calibration images, the nearest first: ``name``, ``distance``,
        ``microscope``, ``specimen``. They determined the choice if a base was searched for them;
        with a preset they are listed for information. Empty if none were searched for.
    outside : bool
        Whether the image is unlike all images from which the parameters, or the learned prior,
        stem; False if undetermined.
    familiarity : Familiarity or None
        Distance from the images that the learned prior was trained on; None without a learned
        prior, or if undetermined.
    strategy : str or None
        How the calibration base was searched; None if the preset determined the choice.
    """

    preset: str
    table: str
    source: str
    group: Kind
    known: Kind
    origin: Mapping[str, str]
    notes: tuple[str, ...] = ()
    neighbours: tuple[Mapping[str, Any], ...] = ()
    outside: bool = False
    strategy: str | None = None
    familiarity: Familiarity | None = None


@dataclass(frozen=True)
class Choice(Value):
    """Parameters chosen for one image (or one channel of it), with the evidence.

    Parameters
    ----------
    net, fit : NetParams, FitParams
        Network of the deep image prior and how it is fitted. If there is a learned prior, only
        planes for which it cannot be used are fitted.
    evidence : Evidence
    refine : RefineParams or None
        None if the result of the fit is not refined.
    prior : PriorParams or None
        Learned prior that is applied instead of the fit; None if nothing learned from other
        images is used but these parameters.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> choice = autodip.plan(noisy, autodip.Options(preset="published"))[0].choice
    >>> choice.fit.iterations, str(choice.evidence.group)
    (..., "Kind(microscope='confocal', specimen='mito')")

    It repeats a run with the same parameters:

    >>> short = choice.replace(fit=choice.fit.replace(iterations=2))
    >>> result = autodip.denoise(noisy, choices=[short])
    """

    net: NetParams
    fit: FitParams
    evidence: Evidence = field(repr=False)
    refine: RefineParams | None = None
    prior: PriorParams | None = None

    def noted(self, *notes: str) -> Self:
        """Return a copy with more notes in its evidence."""
        return self.replace(evidence=self.evidence.replace(notes=(*self.evidence.notes, *notes)))


@dataclass(frozen=True)
class Explicit:
    """Values set by the user, each of which overrides the choice; None if not set."""

    iterations: int | None = None
    depth: int | None = None
    width: Width | None = None
    skip: int | None = None
    refine: bool | None = None

    def items(self) -> list[tuple[str, Any]]:
        """Names and values of the fields that are set."""
        return [(k, v) for k, v in vars(self).items() if v is not None]
