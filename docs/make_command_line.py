"""Write ``command-line.md``: the help of every command.

Run it after a change of a command; a test compares the page with the commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from autodip.cli.main import command

PAGE = Path(__file__).with_name("command-line.md")

INTRODUCTION = """\
# The command line

This page is written by `docs/make_command_line.py` from the commands themselves. `autodip --help`
lists the commands, `autodip COMMAND --help` shows what is below, with 80 columns and without
colours also in a file.

- **Names.** Commands and listed values may be typed in upper or lower case. A name that is not
  known is refused with the one that was probably meant. `--microscope` and `--specimen` take new
  names as well, such as `STED` or `mouse_brain`; only a misspelling of a known name is refused.
  `builtin` is the base that comes with autodip.
- **Exit codes.** 0: all done. 1: some inputs failed; the others are written, and each failure is
  named. 2: wrong usage; nothing was written. A command that is interrupted ends with 130 (Ctrl-C)
  or 143 (SIGTERM).
- **`--json`.** Standard output then contains one JSON document and nothing else, messages go to
  standard error. If a command fails, the document is an object with the key `error`.
- **`--threads`** limits the threads of every command that computes, and of the processes that it
  starts; with `--workers` it applies to each of them.
- **`-o`** names the output of every command that writes results. If it is a file, its ending
  decides on the format: `-o out.ome.tif`, `-o out.png`, `-o out.zarr`. An output that would
  replace its own input is refused before anything is written.
- **Completion.** `autodip completion install` lets the Tab key complete commands, options,
  microscopes, specimens, presets, strategies, methods and data sets in bash, zsh and fish.
- **`autodip doctor`** checks an installation, and names the command that installs what is
  missing.
"""


def page() -> str:
    """Text of the page."""
    sections = [
        f"## autodip {name}\n\n```text\n{text}\n```\n" for name, text in sorted(_helps(command, ()))
    ]
    return "\n".join([INTRODUCTION, *sections])


def _helps(group: click.Group, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names of all commands below a group, and their help."""
    context = click.Context(group, info_name=" ".join(("autodip", *names)))
    context.max_content_width = 80
    context.help_option_names = ["-h", "--help"]
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        if isinstance(one, click.Group):
            yield from _helps(one, (*names, name))
        elif one is not None:
            own = click.Context(
                one, info_name=name, parent=context, max_content_width=80, terminal_width=80
            )
            yield " ".join((*names, name)), one.get_help(own).rstrip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
