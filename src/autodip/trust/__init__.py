"""What may be believed of a result: how far a pixel may be off, what the data lack."""
