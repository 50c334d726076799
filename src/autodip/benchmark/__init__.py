"""Benchmark of images × methods: a generator of rows that resumes where it was interrupted."""

from __future__ import annotations

from autodip.benchmark.planned import Cell, Conditions, plan
from autodip.benchmark.rows import Row, Store
from autodip.benchmark.runner import Update, image_path, run

__all__ = ["Cell", "Conditions", "Row", "Store", "Update", "image_path", "plan", "run"]
