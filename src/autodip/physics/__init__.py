"""How a microscope makes an image of a truth: noise, optics, camera, scenes."""
