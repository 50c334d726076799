"""What an image is, its intensity scale, and its windows."""
