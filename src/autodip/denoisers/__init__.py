"""Single-image denoisers with which autodip is compared: arrays in, arrays out."""
