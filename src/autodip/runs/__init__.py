"""Resumable runs from image files to image files; nothing here prints."""
