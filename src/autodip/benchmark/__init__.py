"""Images × methods: a generator of rows that goes on where it was stopped."""

from __future__ import annotations

from autodip.benchmark.planned import Cell, Options, load, plan
from autodip.benchmark.rows import Row, Store
from autodip.benchmark.runner import Update, image_path, run

__all__ = ["Cell", "Options", "Row", "Store", "Update", "image_path", "load", "plan", "run"]
