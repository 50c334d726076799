"""What may be believed of a result: the error of each pixel, and what the data do not support."""
