"""Names of microscopes and specimens, with the synonyms microscopists use.

The presets and the calibrations of AUTO-DIP know three of each. Any other name is accepted as a
new one, so that a base can hold what it was calibrated on; only a misspelling is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodip.errors import ParameterError
from autodip.util.closest import closest

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
"""Microscopes of the published table, each with its synonyms."""

FURTHER_MICROSCOPES: Mapping[str, tuple[str, ...]] = {
    "light_sheet": ("lsfm", "spim", "lattice light sheet", "selective plane illumination"),
    "tirf": ("tirfm", "total internal reflection", "total internal reflection fluorescence"),
    "sted": ("stimulated emission depletion",),
    "sim": ("2d sim", "3d sim", "structured illumination", "structured illumination microscopy"),
}
"""Further microscopes, which only a base can distinguish, each with its synonyms."""

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
"""Specimens (the labelled structure) of the published table, each with its synonyms."""

FURTHER_SPECIMENS: Mapping[str, tuple[str, ...]] = {
    "tubulin": ("microtubule", "microtubules", "alpha tubulin", "beta tubulin"),
    "er": ("endoplasmic reticulum",),
    "membrane": ("membranes", "plasma membrane", "cell membrane"),
    "golgi": ("golgi apparatus",),
    "lysosome": ("lysosomes", "lysotracker", "lamp1"),
    "nucleolus": ("nucleoli",),
    "ccps": ("ccp", "clathrin", "clathrin coated pits"),
}
"""Further specimens, which only a base can distinguish, each with its synonyms."""

_ALL: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "microscope": {**MICROSCOPES, **FURTHER_MICROSCOPES},
    "specimen": {**SPECIMENS, **FURTHER_SPECIMENS},
}

_MISSPELT, _ALIKE = 0.85, 0.7
"""Similarity to a known name from which a new one is refused as misspelt, or is noted."""

_LONG = 5
"""Letters from which a name that differs in one of them is refused as misspelt."""

_LONGEST = 60
"""Characters of the longest new name."""

UNKNOWN = ("unknown", "other", "any", "none")


def names_of(kind: str) -> tuple[str, ...]:
    """Standard names of the known microscopes or specimens (``kind``)."""
    return tuple(_ALL[kind])


def microscope(name: str | None) -> str | None:
    """Standard name of a microscope, from any of its synonyms; None if it is unknown.

    A name that is not known is new, and is returned in lower case with underscores between its
    words, for example ``spinning_disk_sim``.

    Raises
    ------
    ParameterError
        If the name is a known one misspelt, or is not made of plain words.
    """
    return _resolve("microscope", name)


def specimen(name: str | None) -> str | None:
    """Standard name of a specimen, from any of its synonyms; as for :func:`microscope`."""
    return _resolve("specimen", name)


def documented(kind: str, text: str | None) -> str | None:
    """Standard name of what the list of a data set states; its own word if there is none."""
    if not text:
        return None
    found = _find(text, MICROSCOPES if kind == "microscope" else SPECIMENS)
    try:
        return found or _resolve(kind, text)
    except ParameterError:
        return text


def note_on(kind: str, name: str) -> str:
    """Note on a name that is not one of the known ones; empty for those."""
    key = _key(name)
    terms = _terms(kind)
    if key in terms or _resolve(kind, name) in _ALL[kind] or _is_unknown(name):
        return ""
    close = closest(key, terms, _ALIKE)
    return "a new name" + (f", not {terms[close]}" if close else "")


def find_microscope(text: str) -> str | None:
    """Find the one microscope named in free text; None if there is none, or more than one."""
    return _find(text, MICROSCOPES)


def find_specimen(text: str) -> str | None:
    """Find the one specimen named in free text; None if there is none, or more than one."""
    return _find(text, SPECIMENS)


def _words(text: str) -> str:
    """Lower case with one blank between words; splits ``TwoPhoton`` and ``two-photon``."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _key(name: str) -> str:
    """Letters and digits of a name, in lower case."""
    return _words(name).replace(" ", "")


def _terms(kind: str) -> dict[str, str]:
    """Standard names by the keys of all synonyms."""
    known = _ALL[kind]
    return {_key(term): name for name in known for term in (name, *known[name])}


def _is_unknown(name: str) -> bool:
    return name.strip().lower() in UNKNOWN


def _resolve(kind: str, name: str | None) -> str | None:
    if name is None or _is_unknown(name):
        return None
    terms, key = _terms(kind), _key(name)
    found = terms.get(key) or _find(name, MICROSCOPES if kind == "microscope" else SPECIMENS)
    if found is not None:
        return found
    close = _misspelt(key, terms) if key.isalpha() else None
    if close is not None:
        raise ParameterError(
            f"{kind} {name!r} is not known. Did you mean {terms[close]}? Known are "
            f"{', '.join(_ALL[kind])}; any other name is taken as a new {kind}, unless it is "
            f"that close to one of them or their synonyms"
        )
    if not re.fullmatch(r"[\w .+/()-]+", name) or not key or len(name) > _LONGEST:
        raise ParameterError(
            f"{kind} {name!r} is not a name; give plain words, such as "
            f"{', '.join(names_of(kind)[:4])} or mouse_brain"
        )
    return _words(name).replace(" ", "_")


def _misspelt(key: str, terms: Mapping[str, str]) -> str | None:
    """Known term that was probably meant; None if the key is another word."""
    close = closest(key, terms, _MISSPELT)
    if close is None and len(key) >= _LONG:
        close = next((term for term in terms if _is_one_slip(key, term)), None)
    return close


def _is_one_slip(one: str, other: str) -> bool:
    """Whether words of equal length differ in one letter, or in the order of two neighbours."""
    if len(one) != len(other):
        return False
    wrong = [k for k in range(len(one)) if one[k] != other[k]]
    swapped = len(wrong) == 2 and one[wrong[0]] + one[wrong[1]] == other[wrong[1]] + other[wrong[0]]
    return len(wrong) == 1 or (swapped and wrong[1] - wrong[0] == 1)


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
