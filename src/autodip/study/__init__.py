"""Comparison of the transfer strategies on held-out images, from recorded curves alone."""

from autodip.study.held_out import Study, prepare
from autodip.study.judged import FIXED, OPTIMUM, OUTPUTS, REFERENCES, Design, Judged, to_csv
from autodip.study.statistics import Summary, mean_loss, summarise

__all__ = [
    "FIXED",
    "OPTIMUM",
    "OUTPUTS",
    "REFERENCES",
    "Design",
    "Judged",
    "Study",
    "Summary",
    "mean_loss",
    "prepare",
    "summarise",
    "to_csv",
]
