"""``autodip doctor``: whether this installation works, and what is missing."""

from __future__ import annotations

import textwrap

import click

from autodip.cli.commands import WIDTH, Described
from autodip.cli.replies import Reply, wants_json

_WIDTH = 16
_INDENT = " " * (_WIDTH + 9)


@click.command(
    cls=Described,
    examples=("autodip doctor", "autodip doctor --no-test --json"),
    computes=True,
)
@click.option("--no-test", is_flag=True, help="Do not denoise a small image as a test.")
def command(no_test: bool) -> Reply:
    """Check this installation, and show what is missing and how to install it.

    Shown are versions, the build of torch and the device, cores, memory and free disk space,
    optional packages, the weights of LPIPS, the files that come with autodip, and the config file.
    Finally a small image is denoised. The exit code is 1 if something does not work; what is
    merely missing is optional.
    """
    from autodip.runs.health import checks  # noqa: PLC0415  (keeps help fast)

    found = []
    for check in checks(test=not no_test):
        found.append(check)
        if not wants_json():
            sign = {"ok": "ok", "missing": "–", "failed": "FAILED"}[check.status]
            click.echo(_paragraph(f"{sign:7} {check.name:{_WIDTH}} ", check.value))
            if check.advice:
                click.echo(_paragraph(_INDENT, check.advice))
    failed = [check.name for check in found if check.status == "failed"]
    missing = sum(check.status == "missing" for check in found)
    summary = "everything works" if not failed else f"{', '.join(failed)} failed"
    summary += f"; {missing} optional parts are not installed" if missing else ""
    error = summary if failed else ""
    return Reply({"checks": [check.to_dict() for check in found]}, f"\n{summary}", error)


def _paragraph(start: str, text: str) -> str:
    """Text beside ``start``, in lines as long as those of a help page; paths are not cut."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
