"""``python -m autodip`` is the command ``autodip``."""

from autodip.cli.main import main

main()
