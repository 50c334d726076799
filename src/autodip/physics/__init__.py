"""Image formation in a fluorescence microscope: optics, camera, noise, simulated scenes."""
