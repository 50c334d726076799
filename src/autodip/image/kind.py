"""The kind of an image (microscope and specimen), and the broader groups it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autodip.util.values import Value


@dataclass(frozen=True)
class Kind(Value):
    """A microscope and a specimen; a group of images if one of them, or both, are None.

    Parameters
    ----------
    microscope, specimen : str or None
        Term of :mod:`autodip.choose.vocabulary` if it has one. None means "unknown" for an image
        and "any" for a group.
    """

    microscope: str | None = None
    specimen: str | None = None

    def fallbacks(self) -> Iterator[Kind]:
        """Groups that this kind belongs to, from the most specific one to "any"."""
        candidates = (self, Kind(self.microscope), Kind(specimen=self.specimen), Kind())
        yield from dict.fromkeys(candidates)

    def includes(self, other: Kind) -> bool:
        """Whether images of the kind ``other`` belong to this group."""
        return all(
            own is None or own == others
            for own, others in zip(self.names, other.names, strict=True)
        )

    @property
    def names(self) -> tuple[str | None, str | None]:
        """Microscope and specimen."""
        return self.microscope, self.specimen

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of ``microscope`` and ``specimen`` are None."""
        return tuple(key for key, name in self.to_dict().items() if name is None)

    @property
    def words(self) -> str:
        """Known names, joined by "and"; empty if neither is known."""
        return " and ".join(name for name in self.names if name)
