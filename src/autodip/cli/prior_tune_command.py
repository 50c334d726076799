"""``autodip prior tune``: tune the built-in prior on images of your own, for a base."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autodip.bases import own_prior, store
from autodip.bases.own_prior import OwnPrior
from autodip.cli import signals
from autodip.cli.commands import Described
from autodip.cli.given import MICROSCOPE, OWN_BASE, SPECIMEN
from autodip.cli.pairs_given import pairs_argument
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.compute import device
from autodip.datasets.pair_lists import PairList
from autodip.prior.setting import BUILTIN, digest_of

if TYPE_CHECKING:
    from autodip.bases.claims import Claim
    from autodip.prior.shots import OwnImage
    from autodip.prior.tuning import Tuned, TuneParams, TuneStep

_LINES = 20
"""Number of lines of progress."""

_MEASURES = {
    "pair": "compared with the truth",
    "capture": "estimated from other captures",
    "single": "estimated without a truth (SURE, stabilised)",
}
"""How the PSNR on held-out images is found, by kind of data."""


@click.command(
    cls=Described,
    examples=(
        "autodip prior tune my-pairs --base my-base",
        "autodip prior tune --noisy noisy --truth truth -o my-base --steps 300",
        "autodip prior tune noisy-images -o my-base --specimen tubulin",
    ),
    computes=True,
)
@pairs_argument
@click.option(
    "--base",
    "--out",
    "-o",
    "filled",
    required=True,
    metavar="BASE",
    type=OWN_BASE,
    help="Folder of the base that gets the prior; created if it does not exist.",
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Number of steps; the default takes two to three minutes on two cores.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@shared_option("device", "device_name")
@click.option(
    "--microscope",
    type=MICROSCOPE,
    metavar="NAME",
    help="Use only images of this microscope, and those for which none is stated.",
)
@click.option(
    "--specimen",
    type=SPECIMEN,
    metavar="NAME",
    help="Use only images of this specimen, and those for which none is stated.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the summary.")
@signals.keeping("the base has got no new prior; run the same command again")
def command(
    pairs: Path | PairList,
    filled: Path,
    steps: int,
    seed: int,
    device_name: str,
    microscope: str | None,
    specimen: str | None,
    quiet: bool,
) -> Reply:
    """Tune the built-in prior on your own images, and store it in a base.

    PAIRS is a list of pairs as for 'autodip calibrate', or a folder of images. Entries
    without a true image are used as well: repeated captures of one field of view, or single noisy
    images. In a folder without a manifest, every image file is a single noisy image.

    A part of the images is held out. The base gets the tuned prior only if it is better on that
    part than the built-in prior and than the prior that the base has. 'autodip denoise --base'
    then uses it.
    """
    from autodip.datasets.own_images import own_images  # noqa: PLC0415  (imports torch)
    from autodip.prior.tuning import TuneParams  # noqa: PLC0415

    found = own_images(pairs, microscope, specimen)
    store.create(filled)
    params = TuneParams(steps=steps, seed=seed)
    with own_prior.tuning(filled) as claim:
        where = device.resolve(device_name)
        if not quiet:
            click.echo(f"  {len(found)} images, {steps} steps, {where}", err=True)
        notes = _tune(found, filled, params, where, claim, quiet=quiet)
    return Reply({"base": str(filled), **notes}, _summary(filled, notes))


def _tune(
    found: Sequence[OwnImage],
    base: Path,
    params: TuneParams,
    where: str,
    claim: Claim,
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Tune, write the prior if it is better, and return what is reported."""
    from autodip.prior.learned import load_prior  # noqa: PLC0415
    from autodip.prior.tuning import TuneStep, tune  # noqa: PLC0415

    builtin = load_prior(BUILTIN, device=where)
    start, rivals, started = builtin, [], digest_of(BUILTIN)
    if own_prior.read(base) is not None:
        started = own_prior.digest(base)
        start = load_prior(str(own_prior.path_in(base)), device=where)
        rivals = [builtin]
    every = max(params.steps // _LINES, 1)
    for event in tune(start, found, params, rivals=rivals):
        claim.refresh()
        if isinstance(event, TuneStep):
            shown = event.now is not None or event.step % every == 0
            if shown and not quiet:
                click.echo(_line(event), err=True)
            continue
        for reason in event.unused:
            click.echo(f"  not used  {reason}", err=True)
        notes = _notes(event, found, params, started)
        if event.net is not None:
            own_prior.write(base, event.net, notes)
        kept = event.net is not None
        return {"kept": kept, "had": start is not builtin, **notes.to_dict()}
    raise AssertionError("a tuning ends with its result")


def _line(step: TuneStep) -> str:
    held_out = "" if step.now is None else f"  held out {step.now:.2f} dB, before {step.before:.2f}"
    return f"{step.step:6}/{step.steps}  loss {step.loss:.3f}{held_out}"


def _notes(tuned: Tuned, found: Sequence[OwnImage], params: TuneParams, started: str) -> OwnPrior:
    return OwnPrior(
        pairs=tuned.counts.get("pair", 0),
        captures=tuned.counts.get("capture", 0),
        single=tuned.counts.get("single", 0),
        kinds=tuple(dict.fromkeys(image.kind for image in found)),
        held_out=tuned.held_out,
        measure="; ".join(_MEASURES[name] for name in tuned.measures),
        before=tuned.before,
        after=tuned.after,
        builtin=digest_of(BUILTIN),
        start=started,
        steps=params.steps,
        seed=params.seed,
        version=version("autodip"),
    )


def _summary(base: Path, notes: dict[str, Any]) -> str:
    prior = OwnPrior.from_dict({k: v for k, v in notes.items() if k not in ("kept", "had")})
    found = f"{base}: tuned on {prior.words}, {prior.gain}, {prior.measure}"
    if notes["kept"]:
        return f"{found}; 'autodip denoise --base {base}' uses it"
    left = "keeps the prior that it had" if notes["had"] else "has no prior of its own"
    return f"{found}; this is no improvement, so the base {left}. More pairs may help"
