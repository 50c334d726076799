"""Calibration: run a grid of configurations on images whose truth is known, and record it all."""

from autodip.calibration.stages import calibrate
from autodip.calibration.sweep import Attempt, Sweep

__all__ = ["Attempt", "Sweep", "calibrate"]
