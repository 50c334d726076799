"""What may be believed of a result: the error of each pixel, and structure without support."""
