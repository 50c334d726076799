"""Calibration: run a grid of configurations on images whose truth is known, and record it all."""

from autodip.calibrate.rows import Options, Row
from autodip.calibrate.runner import calibrate

__all__ = ["Options", "Row", "calibrate"]
