"""All commands of the command line."""

import click

from autodip.cli.main import command


def every():
    """Names and commands, groups left out: ``("base", "show")``, ..."""
    return dict(_below(command, ()))


def _below(group, names):
    context = click.Context(group, info_name="autodip")
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        if isinstance(one, click.Group):
            yield from _below(one, (*names, name))
        else:
            yield (*names, name), one
