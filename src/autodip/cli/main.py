"""Entry point: the commands, and the conversion of errors to one line and an exit code."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click
from click.shell_completion import CompletionItem

import autodip
from autodip.cli import signals
from autodip.cli.commands import WIDTH, Commands, message_of
from autodip.cli.replies import FLAG, say_json
from autodip.errors import AutodipError, ParameterError
from autodip.util.text import valid

_SECTIONS = {
    "Denoise": {
        "denoise": "denoise image files",
        "params": "show what would be chosen for a file, why, and its cost",
        "info": "show shape, axes, pixel size, channels and noise of a file",
        "metrics": "compare a result with the true image",
        "report": "make pages and figures about outputs, and an index of a folder",
        "demo": "denoise a simulated image and compare it with the true image",
    },
    "Your own microscope": {
        "prior": "train the learned prior, or tune it on images of your own",
        "calibrate": "fill a calibration base from pairs of noisy and true images",
        "base": "show, merge, extend and check calibration bases",
        "simulate-pairs": "simulate pairs from clean images and the noise of one image",
    },
    "Compare": {
        "benchmark": "compare methods on a data set of noisy and true images",
        "study": "compare strategies for choosing parameters from a base",
        "data": "download public data sets, and list the pairs in a folder",
    },
    "Set up": {
        "doctor": "check this installation, and show what is missing",
        "config": "create, check or show the file with your own defaults",
        "completion": "complete commands and values with the Tab key of your shell",
        "weights": "install the weights of the metric LPIPS",
        "cite": "print what to cite, and how a result was computed",
    },
}
"""Commands by section of the help, each with a line about it."""

_COMMANDS = tuple(name for section in _SECTIONS.values() for name in section)

_VERSIONS = (
    "torch",
    "numpy",
    "scipy",
    "scikit-image",
    "tifffile",
    "imagecodecs",
    "ome-types",
    "zarr",
    "nd2",
    "liffile",
    "czifile",
    "mrcfile",
    "distributed",
)
"""Packages that may affect a result, or how files are read and written."""

DONE, SOME_FAILED, WRONG_USAGE = 0, 1, 2
"""Exit codes."""


class _FromOutside(Exception):  # noqa: N818  (not an error)
    """A command was ended from outside by the exception that this one contains."""

    def __init__(self, stop: BaseException) -> None:
        self.stop = stop


class _Lazy(Commands):
    """Group that imports a command only when it is needed, so that help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name.replace('-', '_')}_command"
        with signals.keeping("nothing had been written yet"):
            command: click.Command = import_module(f"autodip.cli.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as stop:
            raise _FromOutside(stop) from None  # the exception itself would be handled by click

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names that begin like what has been typed; no command is imported for them."""
        helps = {name: help for section in _SECTIONS.values() for name, help in section.items()}
        found = [n for n in helps if n.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=helps[name]) for name in found), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, section in _SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(list(section.items()), col_max=26)


def _show_versions(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    click.echo(f"autodip {autodip.__version__}")
    click.echo(f"python {platform.python_version()}")
    for name in _VERSIONS:
        with suppress(PackageNotFoundError):  # an extra that is not installed
            click.echo(f"{name} {version(name)}")
    context.exit()


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_versions,
    help="Show the versions of autodip and the packages that it uses, and exit.",
)
def command() -> None:
    """Denoise fluorescence images with a learned prior, or with a deep image prior.

    \b
    autodip denoise cells.tif -o denoised/
    autodip COMMAND --help
    """  # noqa: D301  (click reads the control character)


def main() -> None:
    """Run the command line; exit with 0 (done), 1 (some inputs failed) or 2 (wrong usage).

    A command that a signal ends exits with 128 plus the number of the signal, for example 130
    after Ctrl-C (SIGINT) and 143 after SIGTERM.
    """
    with signals.stoppable():
        code = run(sys.argv[1:])
        if code > signals.SIGNALLED:
            signals.end(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:  # noqa: PLR0911  (one line for each kind of end)
    """Run the command line with these arguments and return its exit code."""
    try:
        code = command.main(arguments, prog_name="autodip", standalone_mode=False, obj=arguments)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _refused(message_of(error), WRONG_USAGE, arguments)
    except _FromOutside as outside:
        if isinstance(outside.stop, BrokenPipeError) and not signals.output_is_closed():
            return _unexpected(outside.stop, arguments)
        return signals.report(outside.stop)
    except (signals.Stopped, click.Abort, KeyboardInterrupt) as stop:
        return signals.report(stop)
    except ParameterError as error:
        return _refused(str(error), WRONG_USAGE, arguments)
    except AutodipError as error:
        return _refused(str(error), SOME_FAILED, arguments)
    except Exception as error:
        return _unexpected(error, arguments)
    return code if isinstance(code, int) else DONE


def _refused(message: str, code: int, arguments: list[str]) -> int:
    """Show why a command failed, with ``--json`` also as JSON, and return the exit code."""
    click.echo(valid(f"autodip: {message}"), err=True)
    if FLAG in arguments:
        say_json({"error": message, "code": code})
    return code


def _unexpected(error: Exception, arguments: list[str]) -> int:
    """Show an unexpected error in one line; raise it if AUTODIP_DEBUG is set."""
    code = _refused(f"unexpected {type(error).__name__}: {error}", SOME_FAILED, arguments)
    if os.environ.get("AUTODIP_DEBUG"):
        raise error
    return code
