"""Calibration bases: results of every configuration on images with a known ground truth."""
