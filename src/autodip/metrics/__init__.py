"""Figures of merit; the range of the data is always an explicit argument."""
