"""Denoisers of one image that autodip is compared with: arrays in, arrays out."""
