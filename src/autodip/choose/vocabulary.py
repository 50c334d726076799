"""Names of microscopes and specimens, with the synonyms microscopists use."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from autodip.errors import ParameterError

MICROSCOPES: Mapping[str, tuple[str, ...]] = {
    "confocal": (
        "clsm",
        "lscm",
        "lsm",
        "point scanning",
        "laser scanning confocal",
        "laser scanning confocal microscopy",
        "point scanning confocal",
        "slit scan confocal",
        "spinning disk",
        "spinning disk confocal",
        "spinning disc confocal",
        "swept field confocal",
    ),
    "twophoton": (
        "two photon",
        "two photon excitation",
        "2p",
        "2 photon",
        "2pm",
        "2pef",
        "2pfm",
        "2plsm",
        "mpm",
        "tpm",
        "tpef",
        "tplsm",
        "multiphoton",
        "multi photon",
        "multi photon microscopy",
    ),
    "widefield": (
        "wide field",
        "wf",
        "epifluorescence",
        "epi fluorescence",
        "epi",
        "conventional fluorescence",
    ),
}
"""Known microscopes, each with its synonyms."""

SPECIMENS: Mapping[str, tuple[str, ...]] = {
    "actin": (
        "f actin",
        "phalloidin",
        "phallacidin",
        "lifeact",
        "utrophin",
        "cytoskeleton actin",
        "stress fibers",
        "stress fibres",
    ),
    "mito": (
        "mitochondria",
        "mitochondrion",
        "mitochondrial",
        "mitotracker",
        "tomm20",
        "tom20",
        "cox8",
        "tmrm",
        "tmre",
    ),
    "nucleus": (
        "nuclei",
        "nuclear",
        "dna",
        "chromatin",
        "dapi",
        "hoechst",
        "hoechst 33342",
        "hoechst 33258",
        "draq5",
        "nucblue",
        "sir dna",
        "to pro 3",
        "h2b",
        "histone",
        "sytox",
        "propidium iodide",
    ),
}
"""Known specimens (the labelled structure), each with its synonyms."""

UNKNOWN = ("unknown", "other", "any", "none")


def microscope(name: str | None) -> str | None:
    """Standard name of a microscope, from any of its synonyms; None if it is unknown.

    Raises
    ------
    ParameterError
        If the name is neither known nor one of "unknown", "other", "any" and "none"; the message
        lists the known names.
    """
    return _resolve("microscope", name, MICROSCOPES)


def specimen(name: str | None) -> str | None:
    """Standard name of a specimen, from any of its synonyms; as for :func:`microscope`."""
    return _resolve("specimen", name, SPECIMENS)


def find_microscope(text: str) -> str | None:
    """Find the one microscope named in free text; None if there is none, or more than one."""
    return _find(text, MICROSCOPES)


def find_specimen(text: str) -> str | None:
    """Find the one specimen named in free text; None if there is none, or more than one."""
    return _find(text, SPECIMENS)


def _words(text: str) -> str:
    """Lower case with one blank between words; splits ``TwoPhoton`` and ``two-photon``."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _resolve(kind: str, name: str | None, known: Mapping[str, tuple[str, ...]]) -> str | None:
    if name is None or name.strip().lower() in UNKNOWN:
        return None
    terms = {_words(t).replace(" ", ""): key for key in known for t in (key, *known[key])}
    wanted = _words(name).replace(" ", "")
    if wanted in terms:
        return terms[wanted]
    found = _find(name, known)
    if found is not None:
        return found
    close = difflib.get_close_matches(wanted, terms, n=1)
    meant = f" Did you mean {terms[close[0]]}?" if close else ""
    listing = "; ".join(f"{key} ({', '.join(names)})" for key, names in known.items())
    raise ParameterError(
        f"{kind} {name!r} is not known.{meant} Known are: {listing}. "
        f"Omit it, or specify 'other', if none of them applies."
    )


def _find(text: str, known: Mapping[str, tuple[str, ...]]) -> str | None:
    # LaserScanningConfocal is three words, LifeAct is one, Hoechst33342 is two.
    apart = re.sub(r"([A-Za-z])(\d)", r"\1 \2", text)
    readings = [f" {_words(reading)} " for reading in (text, text.lower(), apart)]
    found = {
        key
        for key in known
        for term in (key, *known[key])
        if any(f" {_words(term)} " in reading for reading in readings)
    }
    return found.pop() if len(found) == 1 else None
