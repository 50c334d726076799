"""Calibration bases: what every configuration gave on images whose truth is known."""
