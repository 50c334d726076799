"""Image quality metrics; the data range is always an explicit argument."""
