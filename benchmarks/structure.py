"""The structure of the package in numbers, for any state of it.

    python benchmarks/structure.py [SRC ...]

SRC is a folder with the package ``autodip`` (``src`` by default); with several, as with that of a
checkout of an older commit, there is a column for each. What is counted:

- modules at the top of the package, folders, files, lines, and the longest files and functions;
- arrows: pairs of folders (or modules at the top) of which one imports the other;
- the way of one image: while ``autodip denoise`` denoises a small file, the files with a function
  that is given the image or an array of its shape, how often the image enters a file, and how
  often it enters the module that plans;
- how often the noise is estimated: of one plane, of a plane under a time budget, of a plane that is
  cut into windows, of a film of four frames;
- places that an option touches: files, and definitions in them, that name it; and definitions that
  list options, six or more of them, to which a new one would have to be added.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

OPTIONS = ("criterion", "independent", "tile", "budget")
ALL = (
    *("microscope", "specimen", "preset", "iterations", "depth", "width", "skip", "refine"),
    *("budget", "base", "strategy", "criterion", "independent", "tile", "max_memory"),
)
MANY = 6
"""Options that a definition names which lists them all, or a good part."""

WALK = """
import json, os, sys
from pathlib import Path
import numpy as np
home = str(Path(sys.argv[1]) / "autodip") + os.sep
import torch
import autodip
from autodip.cli.main import run
rng = np.random.default_rng(0)
plane = rng.poisson(30 + 20 * np.sin(np.arange(300) / 9), (300, 300)).astype("uint16")
small = plane[:128, :128]
entered, estimates = [], 0
def given(frame):
    code = frame.f_code
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    for value in (frame.f_locals.get(name) for name in names):
        array = isinstance(value, np.ndarray) and value.shape == small.shape
        if array or type(value).__name__ == "Image":
            return True
    return False
def watch(frame, event, _):
    global estimates
    code = frame.f_code
    if event != "call" or not code.co_filename.startswith(home):
        return
    name = code.co_filename[len(home):]
    if code.co_name in ("estimate", "estimate_noise"):
        estimates += name in ("noise.py", "physics/estimate.py")
    if given(frame) and entered[-1:] != [name]:
        entered.append(name)
def watched(call):
    global estimates
    entered.clear()
    estimates = 0
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return estimates
def fit(image, **options):
    quick = dict(preset="fast", iterations=2, depth=2, width=4, device="cpu")
    return lambda: autodip.denoise(image, **{**quick, **options})
np.save("image.npy", small)
arguments = ["denoise", "image.npy", "-o", "out/", "--preset", "fast", "--iterations", "2", "-q"]
run([*arguments, "--overwrite"])
watched(lambda: run([*arguments, "--overwrite"]))
files, stays = sorted(set(entered)), len(entered)
planned = sum(name.endswith("planning.py") for name in entered)
print(json.dumps({
    "files": files,
    "stays": stays,
    "planned": planned,
    "estimates": {
        "one plane": watched(fit(small)),
        "with a budget": watched(fit(small, budget=1e6)),
        "in windows": watched(fit(plane, tile=128)),
        "film of 4": watched(fit(np.stack([small] * 4), axes="TYX")),
    },
}))
"""


def modules(src: Path) -> dict[str, ast.Module]:
    """Syntax trees by dotted name below the package."""
    home = src / "autodip"
    return {
        ".".join(path.relative_to(home).with_suffix("").parts): ast.parse(path.read_text())
        for path in sorted(home.rglob("*.py"))
    }


def arrows(trees: Mapping[str, ast.Module]) -> set[tuple[str, str]]:
    """Pairs of rooms (folders, or modules at the top) of which the first imports the second."""
    rooms = {name.split(".")[0] for name in trees} - {"__init__", "__main__"}
    found = set()
    for name, tree in trees.items():
        own = name.split(".")[0]
        for target in imports(tree):
            room = target.split(".")[0]
            if room in rooms and own in rooms and room != own:
                found.add((own, room))
    return found


def imports(tree: ast.Module) -> Iterator[str]:
    """Names below the package that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "autodip":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autodip."):
            yield str(node.module).removeprefix("autodip.")


def functions(trees: Mapping[str, ast.Module]) -> list[tuple[int, str]]:
    """Lines and names of all functions, the longest first."""
    found = []
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                found.append((lines, f"{module}.{node.name}"))
    return sorted(found, reverse=True)


def places(trees: Mapping[str, ast.Module], option: str) -> tuple[int, int]:
    """Files, and definitions at the top of files, whose code names an option."""
    files, definitions = set(), set()
    for module, tree in trees.items():
        for number, node in enumerate(tree.body):
            if any(_names(part, option) for part in ast.walk(node)):
                files.add(module)
                definitions.add((module, number))
    return len(files), len(definitions)


def lists(trees: Mapping[str, ast.Module]) -> int:
    """Definitions at the top of files whose code names many options."""
    found = 0
    for tree in trees.values():
        for node in tree.body:
            parts = list(ast.walk(node))
            found += sum(any(_names(part, name) for part in parts) for name in ALL) >= MANY
    return found


def _names(node: ast.AST, option: str) -> bool:
    values = (
        getattr(node, "id", None),
        getattr(node, "arg", None),
        getattr(node, "attr", None),
        getattr(node, "value", None) if isinstance(node, ast.Constant) else None,
    )
    return option in values or f"--{option}" in values


def walked(src: Path) -> dict[str, object]:
    """The way of one image through the files, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(src), "AUTODIP_CONFIG": os.devnull}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", WALK, str(src)],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    content: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return content


def measure(src: Path) -> dict[str, object]:
    """All rows for one state of the package."""
    src = src.resolve()
    trees = modules(src)
    home = src / "autodip"
    lengths = {path: len(path.read_text().splitlines()) for path in home.rglob("*.py")}
    longest = functions(trees)
    walk = walked(src)
    estimates = walk["estimates"]
    assert isinstance(estimates, dict)
    files = walk["files"]
    assert isinstance(files, list)
    rows: dict[str, object] = {
        "modules at the top": len(list(home.glob("*.py"))),
        "folders": len([path for path in home.iterdir() if (path / "__init__.py").exists()]),
        "files": len(lengths),
        "lines": sum(lengths.values()),
        "longest file, lines": max(lengths.values()),
        "files above 300 lines": sum(length > 300 for length in lengths.values()),
        "functions": len(longest),
        "functions above 40 lines, docstring included": sum(lines > 40 for lines, _ in longest),
        "arrows between folders": len(arrows(trees)),
        "files that one image passes through": len(files),
        "  of which at the top": sum("/" not in name for name in files),
        "times that the image enters a file": walk["stays"],
        "  of which that which plans": walk["planned"],
    }
    for name, count in estimates.items():
        rows[f"estimates of the noise, {name}"] = count
    rows["definitions that list options"] = lists(trees)
    for option in OPTIONS:
        in_files, in_definitions = places(trees, option)
        rows[f"files / definitions that name `{option}`"] = f"{in_files} / {in_definitions}"
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("src", nargs="*", type=Path, default=[Path("src")])
    sources = parser.parse_args().src
    columns = [measure(src) for src in sources]
    print("| | " + " | ".join(str(src) for src in sources) + " |")
    print("|---|" + "---|" * len(columns))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(str(column[name]) for column in columns) + " |")


if __name__ == "__main__":
    main()
