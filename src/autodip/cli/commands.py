"""Commands whose help has groups, values and examples, and that suggest what was meant."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import click

from autodip.cli.option_groups import GROUPS, INPUT
from autodip.cli.replies import Reply, json_option
from autodip.compute.threads import limited
from autodip.util.closest import closest, not_known

WIDTH = 80
"""Columns of a help page where the terminal is wider, or there is none."""


class Known(click.Choice[str]):
    """One of several words, in upper or lower case; the closest is suggested for others."""

    def __init__(self, choices: Iterable[str]) -> None:
        super().__init__(tuple(choices), case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Word as it is spelt among the choices."""
        found = {str(word).casefold(): word for word in self.choices}
        if str(value).casefold() not in found:
            self.fail(not_known("", value, found.values()).strip(), param, ctx)
        return found[str(value).casefold()]


class Described(click.Command):
    """Command with its options in groups, and with examples.

    Parameters
    ----------
    examples : sequence of str
        Command lines that are shown, and that the tests run.
    computes : bool
        Whether the command has the option ``--threads``.
    subject : str
        Heading of the options that specify the input.
    """

    def __init__(
        self,
        *arguments: Any,
        examples: Sequence[str] = (),
        computes: bool = False,
        subject: str = INPUT,
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples, self.subject = tuple(examples), subject
        self.params += [threads_option()] if computes else []
        self.params.append(json_option())
        for option in self.params:
            if isinstance(option, click.Option):
                _list_values(option)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and print the reply if it returns one."""
        value = super().invoke(ctx)
        return value.give() if isinstance(value, Reply) else value

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first paragraph; the others follow after the options."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self._paragraphs()[0])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        options = {
            "help" if "--help" in one.opts else str(one.name): one
            for one in self.get_params(ctx)
            if isinstance(one, click.Option)
        }
        for heading, names in GROUPS.items():
            found = [options[name].get_help_record(ctx) for name in names if name in options]
            records = [record for record in found if record is not None]
            if records:
                with formatter.section(self.subject if heading == INPUT else heading):
                    formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the other paragraphs, and the examples, which are not wrapped."""
        details = "\n\n".join(self._paragraphs()[1:])
        if details:
            with formatter.section("Details"):
                formatter.write_text(details)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")

    def _paragraphs(self) -> list[str]:
        return inspect.cleandoc(self.help or "").split("\n\n")


class Commands(click.Group):
    """Group of commands that suggests the one that was meant."""

    command_class = Described

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; upper and lower case make no difference."""
        name, known = args[0], self.list_commands(ctx)
        own = next((word for word in known if word.casefold() == name.casefold()), None)
        if own is None and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(not_known("command", name, known), ctx)
        return super().resolve_command(ctx, [own or name, *args[1:]])


def threads_option() -> click.Option:
    """Option ``--threads``, which applies until the command ends."""

    def limit(context: click.Context, _: click.Parameter, number: int | None) -> None:
        if number is not None and not context.resilient_parsing:
            context.with_resource(limited(number))

    return click.Option(
        ["--threads"],
        type=click.IntRange(1),
        metavar="N",
        expose_value=False,
        callback=limit,
        help="Number of threads; by default one for each core.",
    )


def message_of(error: click.ClickException) -> str:
    """Message of an error of usage, in the form of the other messages."""
    text = error.format_message()
    if isinstance(error, click.NoSuchOption):
        text = f"no such option {error.option_name}"
        if error.ctx is not None:
            known = [
                name for param in error.ctx.command.get_params(error.ctx) for name in param.opts
            ]
            found = closest(error.option_name, known)
            text += f"; did you mean {found}?" if found else ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text = f"{text.rstrip('.')} (see '{error.ctx.command_path} --help')"
    return text[:1].lower() + text[1:]


def _list_values(option: click.Option) -> None:
    """Name the values of an option in its help, in place of its metavar."""
    if isinstance(option.type, Known):
        option.metavar = option.metavar or "NAME"
        option.help = f"{option.help} Values: {', '.join(option.type.choices)}."
