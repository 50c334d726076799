"""The Python face: what ``import autodip`` offers, over files, arrays and notebooks."""
