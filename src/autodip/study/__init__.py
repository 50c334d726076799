"""The transfer strategies side by side on held-out images, from recorded curves alone."""

from autodip.study.comparison import Study, prepare
from autodip.study.rows import FIXED, OPTIMUM, OUTPUTS, REFERENCES, Options, Row, to_csv
from autodip.study.statistics import Summary, mean_loss, summarise

__all__ = [
    "FIXED",
    "OPTIMUM",
    "OUTPUTS",
    "REFERENCES",
    "Options",
    "Row",
    "Study",
    "Summary",
    "mean_loss",
    "prepare",
    "summarise",
    "to_csv",
]
