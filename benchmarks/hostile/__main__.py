"""Command line of :mod:`benchmarks.hostile`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.hostile import __doc__ as description
from benchmarks.hostile.cases import Cases
from benchmarks.hostile.report import run


def main() -> int:
    """Run the cases; 1 if there is a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hostile",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--per", type=int, default=30, help="damaged variants of each valid file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="regular expression for the names"
    )
    parser.add_argument("--list", action="store_true", help="show the names, and read nothing")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where cases with faults go")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="autodip-hostile-") as folder:
        cases = Cases(Path(folder), given.per, given.seed, given.only)
        if given.list:
            print("\n".join(cases.names()))
            return 0
        found = run(cases, given.keep)
    print("\n".join(found.lines()))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
