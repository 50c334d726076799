"""Configuration of the documentation site; ``make docs`` builds it into ``docs/_build/html``."""

import sys
from pathlib import Path

import autodip

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "autodip"
author = copyright = "The autodip developers"
version = release = autodip.__version__.split("+")[0]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "public_names",
    "repository_files",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_output_stderr = "error"

autodoc_typehints = "none"  # the docstrings state types, shapes and units
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "autodip"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
# Without prompt and output, so that a block can be pasted into a terminal.
copybutton_prompt_text = "$ "
pygments_style = "tango"
pygments_dark_style = "monokai"
