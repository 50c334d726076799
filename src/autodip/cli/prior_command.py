"""``autodip prior``: training of the prior that is learned from clean images."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from autodip.api.bars import TerminalBar
from autodip.cli import prior_study_command, prior_tune_command, signals
from autodip.cli.commands import Commands
from autodip.cli.replies import Reply
from autodip.cli.shared_options import shared_option
from autodip.compute import device
from autodip.metrics import alexnet
from autodip.prior import logbook, validation
from autodip.prior.logbook import Logbook, Row
from autodip.prior.recipe import read_recipe
from autodip.prior.state import STATE, reached, weights_file
from autodip.prior.training import Progressed, train
from autodip.util.files import check_writable, leftovers, remove


@click.group(cls=Commands)
def command() -> None:
    """Work with the learned prior, a network trained on clean images and simulated cameras."""


@command.command(
    "train",
    examples=(
        "autodip prior train recipe.yaml --data clean-images -o my-prior",
        "autodip prior train recipe.yaml --data clean-images -o quiet-prior --quiet",
    ),
    computes=True,
)
@click.argument("recipe", metavar="RECIPE.yaml", type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to which the sources of the recipe are relative.",
)
@click.option(
    "--out",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the state, the weights and training.csv.",
)
@shared_option("device", "device_name")
@click.option(
    "--validate-every",
    type=click.IntRange(1),
    metavar="N",
    help="Score the averaged weights every N steps, on the pairs of validation/ and on the clean "
    "images of the role validation in clean/, both in the folder --data.",
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Processes that draw training examples; the result does not depend on it.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the file of the weights.")
@signals.keeping("the last state is kept in the folder --out; the same command continues from it")
def train_command(
    recipe: Path,
    data: Path,
    out: Path,
    device_name: str,
    validate_every: int | None,
    workers: int,
    quiet: bool,
) -> Reply:
    """Train a prior from a recipe.

    A training that was interrupted or killed continues from the state in the folder --out, as if
    it had not been. The averaged weights are written every 2000 steps and at the end.
    """
    chosen, name = read_recipe(recipe), device.resolve(device_name)
    check_writable(out)
    for part in leftovers(out / STATE):  # of a killed training
        remove(part)
    step = reached(out, chosen)
    scored = None
    if validate_every:
        cases = validation.read_cases(data)
        scored = partial(validation.validate, chosen, cases=cases, lpips=alexnet.load())
    pool = list(chosen.pool(data))
    if not quiet:
        begin = f"continued after step {step}" if step else "from the start"
        click.echo(f"{len(pool)} clean images and scenes, {name}, {begin}", err=True)
    steps = train(pool, chosen, out, device=name, workers=workers)
    book = Logbook(out / logbook.FILE, step)
    _show(book.follow(steps, scored, validate_every or chosen.steps), recipe.name, quiet)
    weights = weights_file(out, chosen.steps)
    return Reply({"out": str(out), "weights": str(weights), "steps": chosen.steps}, str(weights))


def _show(logged: Iterable[tuple[Progressed, Row | None]], name: str, quiet: bool) -> None:
    """Show the progress; print the scores of validations."""
    with TerminalBar(name, quiet) as bar:
        for one, row in logged:
            state = f"step {one.step}/{one.steps}  loss {one.loss:.4g}  rate {one.rate:.2g}"
            bar.count(one.step, one.steps, state)
            found = {key: row.get(key) for key in validation.SCORES} if row else {}
            words = [f"{key} {value:.4g}" for key, value in found.items() if value is not None]
            if words and not quiet:
                click.echo(f"step {one.step}: {', '.join(words)}", err=True)


command.add_command(prior_tune_command.command, "tune")
command.add_command(prior_study_command.command, "study")
