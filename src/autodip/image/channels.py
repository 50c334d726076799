"""What is said of the channels of an image: one name for all, or names of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autodip.errors import ParameterError


@dataclass(frozen=True)
class PerChannel:
    """Names (of a microscope, of a specimen) for the channels of an image.

    Parameters
    ----------
    everywhere : str, optional
        For the channels of which nothing else is said.
    given : mapping of str to str
        By channel, whose name or number from 0 is the key; the image must have them.
    defaults : mapping of str to str
        By channel, for those that the image has; less than ``given``, more than ``everywhere``.
    """

    everywhere: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, said: str | Mapping[str, str] | PerChannel | None, option: str) -> PerChannel:
        """Read ``actin``, or ``DAPI=nucleus,GFP=actin``, or a mapping.

        The last "=" parts a channel from its name. A channel whose own name has a comma is told
        by its number.

        Parameters
        ----------
        said : str, mapping, PerChannel or None
        option : str
            What is said, for messages: ``specimen``.

        Raises
        ------
        ParameterError
            If a part has no channel or no name, or a channel comes twice.
        """
        if isinstance(said, PerChannel):
            return said
        if isinstance(said, Mapping):
            return cls(given={str(channel): name for channel, name in said.items()})
        if said is None or "=" not in said:
            return cls(said)
        given: dict[str, str] = {}
        for part in said.split(","):
            channel, equals, name = (word.strip() for word in part.rpartition("="))
            if not (channel and equals and name):
                raise ParameterError(
                    f"{option} {said!r}: {part.strip()!r} is not CHANNEL=NAME; "
                    "say it as in DAPI=nucleus,GFP=actin or 0=nucleus,1=actin"
                )
            if channel in given:
                raise ParameterError(f"{option} {said!r}: channel {channel!r} comes twice")
            given[channel] = name
        return cls(given=given)

    def values(self) -> list[str]:
        """All names that are said."""
        said = [*self.given.values(), *self.defaults.values()]
        return said if self.everywhere is None else [self.everywhere, *said]

    def at(self, number: int, names: Sequence[str]) -> str | None:
        """Name for a channel; None where nothing is said of it.

        Parameters
        ----------
        number : int
            Of the channel, from 0.
        names : sequence of str
            Of all channels, or empty.
        """
        keys = [*names[number : number + 1], str(number)]
        for said in (self.given, self.defaults):
            for key in keys:
                if key in said:
                    return said[key]
        return self.everywhere

    def check(self, count: int, names: Sequence[str], option: str) -> None:
        """Refuse channels that an image does not have.

        Of an image with one channel (as one selected of several) it is enough that something is
        said of that one.

        Parameters
        ----------
        count : int
            Number of channels.
        names : sequence of str
            Of all channels, or empty.
        option : str
            For messages: ``specimen``.

        Raises
        ------
        ParameterError
        """
        known = {*names[:count], *map(str, range(count))}
        wrong = [channel for channel in self.given if channel not in known]
        if not wrong or (count == 1 and len(wrong) < len(self.given)):
            return
        listed = f", named {', '.join(names)}" if names else ""
        raise ParameterError(
            f"{option} names a channel {wrong[0]!r}; there are {count}, numbered 0 to "
            f"{count - 1}{listed}"
        )
