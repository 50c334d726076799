"""Draw what a terminal shows, as SVG in ``pictures/``: help, a choice, a check, and a run.

The commands run in this process, on a simulated image; nothing but their own output is drawn.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from pathlib import Path

import tifffile
from rich.console import Console
from rich.text import Text

from autodip.cli.main import run
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

PICTURES = Path(__file__).with_name("pictures")

COMMANDS = {
    "terminal-help": "autodip --help",
    "terminal-denoise-help": "autodip denoise --help",
    "terminal-denoise": "autodip denoise cells.tif -o denoised/ -v",
    "terminal-params": "autodip params cells.tif --preset published --specimen mito",
    "terminal-meant": "autodip params cells.tif --preset balancd",
    "terminal-doctor": "autodip doctor",
}
"""Commands by the name of their picture."""

_FONT = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


class _Terminal(io.StringIO):
    """Text that is printed as if to a terminal."""

    def isatty(self) -> bool:
        return True


def output(line: str) -> str:
    """What a command prints, with its errors."""
    said = _Terminal()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        run(shlex.split(line)[1:])
    return said.getvalue().replace(str(Path.home()), "~")


def picture(line: str, text: str) -> str:
    """SVG of a terminal with a command and its output; no font is fetched from elsewhere."""
    console = Console(record=True, width=94, file=io.StringIO(), color_system=None)
    prompt = Text.assemble(("$ ", "bold green"), (line, "bold"))
    console.print(prompt)
    console.print(Text(text.rstrip()))
    svg = console.export_svg(title="autodip", unique_id="terminal")
    return _FONT.sub("", svg).replace("Fira Code, monospace", "monospace")


def main() -> None:
    """Draw all pictures."""
    PICTURES.mkdir(exist_ok=True)
    os.environ["COLUMNS"] = "88"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        noisy, _ = simulate("mito", Optics(microscope="confocal"), size=256)
        tifffile.imwrite("cells.tif", noisy)
        for name, line in COMMANDS.items():
            drawn = picture(line, output(line))
            (PICTURES / f"{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
