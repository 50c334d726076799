"""Files in, files out, resumable; nothing here prints."""
