"""Methods that autodip is compared with, and autodip itself, behind one signature.

Each has a file with ``denoise(image, context) -> Outcome`` and chooses its settings from the
noisy image alone, as a user would get it; those named ``oracle`` alone see the truth.
"""

from __future__ import annotations

from autodip.baselines.method import Context, Method, Outcome, Plan
from autodip.baselines.registry import DEFAULT, METHODS, find

__all__ = ["DEFAULT", "METHODS", "Context", "Method", "Outcome", "Plan", "find"]
