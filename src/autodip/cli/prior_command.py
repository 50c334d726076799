"""``autodip prior``: tune the learned prior on images of your own."""

from __future__ import annotations

import click

from autodip.cli import prior_study_command, prior_tune_command


@click.group()
def command() -> None:
    """Work with the learned prior, which denoises what it can without a fit."""


command.add_command(prior_tune_command.command, "tune")
command.add_command(prior_study_command.command, "study")
