"""Code blocks of the pages: found, prepared for a test, run or at least parsed.

A block whose first line is a comment such as ``# needs the network`` or ``# takes hours`` is not
run, and neither are those of the pages below ``docs/results``. A block with a file name as its
first line, such as ``# detector.yaml``, is that file.
"""

import doctest
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from autodip.cli.main import command, run
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
NOT_RUN = re.compile(r"# (needs|takes|installs) ")
FILE = re.compile(r"# ([\w.-]+\.(?:yaml|yml|toml|csv|json))\b")
RUN = ("console", "python")
# Kinds of blocks that are neither run nor files: scripts of other programs, output, directives.
OTHER = (
    *("bash", "text", "json", "yaml", "toml", "csv", "powershell", "bat", "dockerfile", "groovy"),
    *("ini", "html", "xml"),
)

QUICK = {"demo": ["--size", "64"], "calibrate": ["--grid", "tiny", "--crop", "64"]}
"""What makes commands quick enough for a test."""
LESS = {("denoise", "untrained"), ("denoise", "published"), ("denoise", "original")}
"""Commands and presets that get two iterations."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    kind: str
    text: str

    @property
    def runs(self):
        measured = self.page.is_relative_to(DOCS / "results")
        return self.kind in RUN and not measured and not NOT_RUN.match(self.text)

    @property
    def file(self):
        """Name of the file that this block is, if it is one."""
        found = FILE.match(self.text)
        return found[1] if found and self.kind not in RUN else None

    @property
    def commands(self):
        """Lines after a prompt; those that end with a backslash are continued."""
        text = self.text.replace("\\\n", " ")
        return [line[2:].strip() for line in text.splitlines() if line.startswith("$ ")]

    def __str__(self):
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def pages():
    """All pages of the site that are written by hand, and those at the top of the repository."""
    inside = (path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
    return sorted([*inside, REPOSITORY / "CONTRIBUTING.md"])


def blocks(page):
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[2], found[3])
        for found in re.finditer(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    ]


def run_block(block, names):
    """Run a block in the current folder; ``names`` are the variables of its page."""
    if block.file:
        Path(block.file).write_text(block.text, encoding="utf-8")
    elif not block.runs:
        check(block)
    elif block.kind == "console":
        assert block.commands, f"{block}: no command after a prompt"
        for line in block.commands:
            assert run_line(line) == 0, f"{block}: {line}"
    elif block.text.startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(block.text, names, str(block), None, block.line)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        assert runner.run(test, clear_globs=False).failed == 0, block
        names.update(test.globs)
    else:
        exec(compile(block.text, str(block), "exec"), names)


def run_line(line):
    """Run a command of autodip, quickly; make folders."""
    words = shlex.split(line)
    if words[0] == "mkdir":
        Path(words[-1]).mkdir(parents=True)
        return 0
    words = words_of(words)
    assert words is not None, f"{line}: only autodip is run; mark the block as not run"
    quick = list(QUICK.get(words[0], []))
    if any((words[0], word) in LESS for word in words) and "--iterations" not in words:
        quick += ["--iterations", "2"]
    return run([*words, *quick])


def words_of(words):
    """Arguments of autodip in the words of a command; None if it is another program."""
    words = [word for word in words if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    if not words or Path(words[0]).name.removesuffix(".exe") != "autodip":
        return None
    return words[1:]


def check(block):
    """Check a block that is not run: its commands and their options exist."""
    if block.kind == "python":
        compile(block.text, str(block), "exec")
        return
    for line in block.commands if block.kind == "console" else ():
        words = shlex.split(line, comments=True)
        own = words_of(words)
        if own is not None:
            parse(own, f"{block}: {line}")
        elif words[0] == "python" and words[1] != "-c":
            _check_script(words[1:], f"{block}: {line}")


def parse(words, place):
    """Parse a command of autodip as the program does, without running it."""
    here, context = command, click.Context(command, info_name="autodip")
    while isinstance(here, click.Group) and words and words[0][0] != "-":
        found = here.get_command(context, words[0])
        assert found is not None, f"{place}: no command {words[0]!r}"
        context = click.Context(found, info_name=words[0], parent=context)
        here, words = found, words[1:]
    known = {name for one in here.params for name in (*one.opts, *one.secondary_opts)}
    for word in words:
        if word == "--":
            break
        if re.match(r"--?[a-zA-Z]", word):
            name = word.split("=")[0]
            assert name in known | {"--help", "-h"}, f"{place}: no option {name}"


def _check_script(words, place):
    """Check that a script exists, and that its text has the options."""
    named = words[1].replace(".", "/") if words[0] == "-m" else words[0].removesuffix(".py")
    files = [REPOSITORY / f"{named}.py", REPOSITORY / named / "__main__.py"]
    if words[0] == "-m" and not any(file.exists() for file in files):
        return  # a module of Python or of another package
    script = next((file for file in files if file.exists()), None)
    assert script is not None, f"{place}: no such script"
    text = script.read_text(encoding="utf-8")
    for word in words[: words.index("--")] if "--" in words else words:
        if word.startswith("--"):
            assert f'"{word.split("=")[0]}"' in text, f"{place}: {script.name} has no {word}"
