"""``autodip completion``: completion of commands, options and values by the shell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from autodip.cli.commands import Commands, Known
from autodip.cli.replies import Reply
from autodip.errors import FormatError, OutputError, ParameterError
from autodip.util.files import replacing

PROGRAM, VARIABLE = "autodip", "_AUTODIP_COMPLETE"
_BEGIN, _END = "# >>> autodip completion >>>", "# <<< autodip completion <<<"

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Place:
    """Files of the completion of one shell.

    Parameters
    ----------
    script : Path
        File with the completion itself.
    startup : Path or None
        File that the shell reads when it starts, which has to load the script; None if the shell
        loads it by itself.
    """

    script: Path
    startup: Path | None

    @property
    def block(self) -> str:
        """Lines for the file that the shell reads when it starts."""
        return f'{_BEGIN}\n[ -f "{self.script}" ] && . "{self.script}"\n{_END}\n'


def places() -> Mapping[str, Place]:
    """Where the completion of each shell is installed."""
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    zsh = Path(os.environ.get("ZDOTDIR") or home)
    return {
        "bash": Place(config / "autodip" / "completion.bash", home / ".bashrc"),
        "zsh": Place(config / "autodip" / "completion.zsh", zsh / ".zshrc"),
        "fish": Place(config / "fish" / "completions" / "autodip.fish", None),
    }


SHELL = click.option(
    "--shell",
    type=Known(SHELLS),
    help="Shell; default: the one that the environment variable SHELL names.",
)


@click.group(cls=Commands)
def command() -> None:
    """Complete commands, options and values with the Tab key of a shell."""


@command.command(examples=("autodip completion install", "autodip completion install --shell zsh"))
@SHELL
def install(shell: str | None) -> Reply:
    """Install the completion for your shell; calling it again changes nothing.

    For bash and zsh, the completion is written to a file in the configuration folder, and three
    lines that load it are added to ~/.bashrc or ~/.zshrc. For fish one file is enough.
    """
    name = shell or _own_shell()
    place = places()[name]
    done = [_write(place.script, _source(name))]
    if place.startup is not None:
        text = _read(place.startup)
        kept = _without_block(text)
        separator = "" if not kept or kept.endswith("\n") else "\n"
        done.append(_write(place.startup, kept + separator + place.block))
    done.append("open a new shell, then type: autodip <Tab>")
    return Reply({"shell": name, "script": str(place.script), "done": done}, "\n".join(done))


@command.command(
    examples=("autodip completion uninstall", "autodip completion uninstall --shell fish")
)
@SHELL
def uninstall(shell: str | None) -> Reply:
    """Remove the completion, and the lines that load it."""
    name = shell or _own_shell()
    place = places()[name]
    done = []
    if place.script.exists():
        place.script.unlink()
        done.append(f"removed {place.script}")
    if place.startup is not None and _BEGIN in (text := _read(place.startup)):
        done.append(_write(place.startup, _without_block(text)))
    done = done or [f"no completion was installed for {name}"]
    return Reply({"shell": name, "done": done}, "\n".join(done))


@command.command(examples=("autodip completion show --shell bash",))
@SHELL
def show(shell: str | None) -> Reply:
    """Print the script of the completion, to install it by other means."""
    name = shell or _own_shell()
    return Reply({"shell": name, "script": _source(name)}, _source(name))


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise ParameterError(
            f"the shell {name or 'in use'!r} is not known; specify --shell bash, zsh or fish"
        )
    return name


def _source(shell: str) -> str:
    """Script that registers the completion."""
    made = get_completion_class(shell)
    assert made is not None  # the names are checked
    own = made(click.Command(PROGRAM), {}, PROGRAM, VARIABLE)
    return str(own.source_template % own.source_vars())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: cannot be read ({error}); nothing was changed") from error


def _without_block(text: str) -> str:
    """Text without the lines between the two marks."""
    before, mark, rest = text.partition(_BEGIN)
    if not mark:
        return text
    block, end, after = rest.partition(_END)
    return before + (after.removeprefix("\n") if end else block)


def _write(path: Path, text: str) -> str:
    """Write a file unless it has this text already; return what was done."""
    if path.exists() and _read(path) == text:
        return f"{path} is up to date"
    target = path.resolve()  # a link to a file under version control stays one
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    mode = target.stat().st_mode if target.exists() else None
    with replacing(target, advice="specify another --shell") as (part,):
        part.write_text(text, encoding="utf-8")
    if mode is not None:
        target.chmod(mode)
    return f"wrote {path}"
