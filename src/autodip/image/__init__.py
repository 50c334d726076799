"""Images with their metadata, their intensity scale, and windows of large planes."""
