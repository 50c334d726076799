"""Proposal for one image: from the calibration base if it covers the image, else the preset."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from autodip.bases import builtin
from autodip.bases.store import Base
from autodip.choose import from_base, presets
from autodip.choose.adapt import Proposal
from autodip.choose.describe import Description
from autodip.choose.familiarity import familiarity
from autodip.choose.samples import Sample

_NEIGHBOURS = 3
"""Number of calibration images listed in the evidence of a preset."""


@dataclass(frozen=True)
class Search:
    """How a calibration base is searched.

    Parameters
    ----------
    base : Base
    strategy : str
        One of :data:`autodip.choose.from_base.STRATEGIES`.
    criterion : str or None
        One of :data:`autodip.bases.criteria.CRITERIA`; None uses the default of the base.
    """

    base: Base
    strategy: str = from_base.GROUP
    criterion: str | None = None


def propose(
    description: Description,
    sample: Sample | None,
    preset: str,
    search: Search | None = None,
    *,
    fitted: bool = False,
) -> Proposal:
    """Propose the parameters of one image.

    Parameters
    ----------
    description : Description
    sample : Sample or None
        What is compared with calibration images; None if the image is too small or constant.
    preset : str
        One of :data:`autodip.choose.presets.PRESETS`; used if there is no base, or if the base
        does not cover the image.
    search : Search, optional
        Calibration base that determines the parameters for the kinds of images it covers.
    fitted : bool
        Whether parameters of a fit were set explicitly, so that no learned prior is applied and
        the image is compared with the calibration images of the fit.

    Raises
    ------
    ParameterError
        If the preset is not known, or the base lacks what the strategy or the criterion needs.
    """
    remarks: tuple[str, ...] = ()
    if search is not None and sample is None:
        remarks = ("too small or constant, so not compared with the base: the preset decides",)
    elif search is not None and sample is not None:
        if from_base.covers(search.base, description.kind):
            return from_base.propose_from_base(
                description,
                sample,
                search.base,
                strategy=search.strategy,
                criterion=search.criterion,
                preset=preset,
            )
        kind = description.kind.words
        remarks = (f"the base {search.base.name} has no image of {kind}: the preset decides",)
    proposal = presets.propose(description, presets.load(preset)).remarked(*remarks)
    if sample is None:
        return proposal
    if proposal.prior is not None and not fitted:
        return _with_familiarity(proposal, sample)
    return _with_neighbours(proposal, sample) if preset in presets.CALIBRATED else proposal


def _with_familiarity(proposal: Proposal, sample: Sample) -> Proposal:
    """Proposal whose evidence states how far the image is from the training examples."""
    known = familiarity(sample.descriptors)
    outside = known is not None and known.outside
    evidence = proposal.evidence.replace(familiarity=known, outside=outside)
    proposal = dataclasses.replace(proposal, evidence=evidence)
    return proposal.remarked(known.note) if known is not None and known.note else proposal


def _with_neighbours(proposal: Proposal, sample: Sample) -> Proposal:
    """Proposal whose evidence lists the most similar calibration images of the package."""
    entries = builtin.entries()
    warning = from_base.unlike(sample.descriptors, entries)
    evidence = proposal.evidence.replace(
        neighbours=from_base.near(sample, entries, _NEIGHBOURS), outside=warning is not None
    )
    named = dataclasses.replace(proposal, evidence=evidence)
    return named if warning is None else named.remarked(warning)
