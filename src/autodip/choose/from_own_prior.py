"""Choice of the prior of a base, which was tuned on a laboratory's own images."""

from __future__ import annotations

import dataclasses

from autodip.bases import own_prior
from autodip.bases.own_prior import OwnPrior
from autodip.bases.store import Base
from autodip.choose import presets
from autodip.choose.adapt import Proposal
from autodip.choose.describe import Description
from autodip.image.kind import Kind
from autodip.prior.setting import PriorParams

_APPLIED_AS = "balanced"
"""Preset that determines the number of passes and orientations."""


def with_own_prior(proposal: Proposal, base: Base) -> Proposal:
    """Proposal with the prior of the base, if it has one.

    The parameters of the fit remain, for planes to which a prior cannot be applied.
    """
    if base.prior is None:
        return proposal
    notes = [*proposal.evidence.notes, *_notes(base, base.prior, proposal.evidence.known)]
    return dataclasses.replace(
        proposal,
        prior=_params(base),
        evidence=proposal.evidence.replace(notes=tuple(notes)),
    )


def propose_own_prior(description: Description, base: Base, preset: str) -> Proposal:
    """Proposal from a base without calibration images: its prior, otherwise as the preset.

    Parameters
    ----------
    description : Description
    base : Base
        With a prior of its own.
    preset : str
        Preset whose parameters are used for planes to which the prior cannot be applied.
    """
    proposal = presets.propose(description, presets.load(preset or _APPLIED_AS))
    evidence = proposal.evidence.replace(
        table=base.name,
        source="prior of the base, which has no calibration images",
        group=Kind(),
        notes=(),
    )
    return with_own_prior(dataclasses.replace(proposal, evidence=evidence), base)


def _params(base: Base) -> PriorParams:
    """How the prior of a base is applied; its hash is recorded when the choice is made."""
    row = presets.load(_APPLIED_AS).find(Kind())
    applied = (row.prior if row is not None else None) or PriorParams()
    return applied.replace(weights=str(own_prior.path_in(base.path).absolute()), sha256="")


def _notes(base: Base, prior: OwnPrior, known: Kind) -> list[str]:
    notes = [f"prior of the base {base.name}, tuned on {prior.words}: {prior.gain}"]
    if not any(known.includes(kind) for kind in prior.kinds):
        kinds = ", ".join(kind.words or "unknown images" for kind in prior.kinds)
        notes.append(
            f"the prior was tuned on {kinds}, and this image is {known.words}: compare the result "
            "with that of the built-in prior, without --base"
        )
    return notes
