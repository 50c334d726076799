"""Options of the commands that go through the images of a data set."""

from __future__ import annotations

import click

from autodip.cli.given import WHERE
from autodip.datasets.filters import FIELDS

where_option = click.option(
    "--where",
    type=WHERE,
    multiple=True,
    metavar="FIELD=VALUE",
    help=f"Use only images with this value; FIELD is one of {', '.join(FIELDS)}. Can be repeated.",
)
crop_option = click.option(
    "--crop",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Use only the central N x N pixels.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Maximum number of images of each group and noise level.",
)
