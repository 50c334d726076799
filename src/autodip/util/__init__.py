"""General utilities without any science: files, values, text, optional packages."""
