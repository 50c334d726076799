"""What may be believed of a result: how far each pixel may be off, and what the data do not support."""
