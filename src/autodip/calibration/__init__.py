"""Calibration: run a grid of configurations on images with known truth and record the curves."""

from autodip.calibration.stages import calibrate
from autodip.calibration.sweep import Attempt, Sweep

__all__ = ["Attempt", "Sweep", "calibrate"]
