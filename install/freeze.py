"""Write constraints.txt: what a new environment with the tools and all extras contains.

Pins that the file has stay, so that only packages which are new get a line. To renew a package,
delete its line first.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from torch_build import BUILDS, options

REPOSITORY = Path(__file__).parents[1]
FILE = REPOSITORY / "constraints.txt"
HEADER = """\
# What CI installs, and what the figures in README and docs were made with; made by
# make constraints
"""


def extras() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sorted(project["optional-dependencies"])


def freeze(folder: Path, build: str) -> list[str]:
    """Versions in a new environment, without the label of a build (``+cpu``)."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    wanted = f"{REPOSITORY}[{','.join(extras())}]"
    command = [*pip, "install", "-c", str(FILE), *options(build).split(), "-e", wanted]
    subprocess.run(command, check=True)
    command = [*pip, "freeze", "--exclude-editable"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.partition("+")[0] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", choices=BUILDS, help="build of torch")
    with tempfile.TemporaryDirectory() as folder:
        lines = freeze(Path(folder), parser.parse_args().build)
    FILE.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
