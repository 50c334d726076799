"""Headings of ``--help`` under which the options of all commands are listed."""

from __future__ import annotations

from collections.abc import Mapping

INPUT = "Input"

GROUPS: Mapping[str, tuple[str, ...]] = {
    INPUT: (
        *("axes", "frames", "channel", "scene", "average", "follow", "recursive"),
        *("root", "data", "noisy", "noisy_folder", "truth_folder", "like", "detector", "inputs"),
        *("source", "only", "no_unpack"),
        *("limit", "where", "role", "crop", "fov", "stretched", "levels", "size"),
        *("validation", "data_range"),
    ),
    "Output": (
        *("out", "filled", "figure", "report", "format", "dtype", "keep_outliers", "uncertainty"),
        *("overwrite", "skip_existing", "dry_run", "keep_images", "compress", "no_images"),
        *("name", "description", "bibtex", "shell"),
    ),
    "The choice": (
        *("microscope", "specimen", "preset", "budget", "base", "strategy", "criterion"),
        *("params", "config", "grid", "halving", "resume", "methods", "max_hours"),
        *("output", "measures", "neighbours", "reference"),
    ),
    "The fit": (
        *("iterations", "depth", "width", "skip", "refine", "independent", "seed", "seeds"),
        *("steps", "validate_every"),
    ),
    "Computing": (
        *("device", "device_name", "threads", "tile", "max_memory", "workers", "scheduler"),
        "no_test",
    ),
    "Messages": ("json", "verbose", "quiet", "help"),
}
"""Names of options by heading, in the order of ``--help``."""
