"""Nothing of science: files, values, text, optional packages."""
