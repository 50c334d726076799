"""Names specified for the channels of an image: one for all, or one for each of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autodip.errors import ParameterError
from autodip.util.closest import meant


@dataclass(frozen=True)
class PerChannel:
    """Names (of microscopes or of specimens) specified for the channels of an image.

    Parameters
    ----------
    everywhere : str, optional
        Name for the channels for which nothing else is specified.
    given : mapping of str to str
        Names by channel; the key is the name of the channel or its number from 0. The image must
        have these channels.
    defaults : mapping of str to str
        Names by channel, which apply if the image has the channel; ``given`` takes precedence
        over them, and they take precedence over ``everywhere``.
    """

    everywhere: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, said: str | Mapping[str, str] | PerChannel | None, option: str) -> PerChannel:
        """Parse ``actin``, ``DAPI=nucleus,GFP=actin`` or a mapping.

        The last "=" separates a channel from the name specified for it. A channel whose own name
        contains a comma must be given by its number.

        Parameters
        ----------
        said : str, mapping, PerChannel or None
        option : str
            What the names specify, for error messages: ``specimen``, for example.

        Raises
        ------
        ParameterError
            If an item lacks the channel or the name, or a channel occurs twice.
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
                    "write it as in DAPI=nucleus,GFP=actin or 0=nucleus,1=actin"
                )
            if channel in given:
                raise ParameterError(f"{option} {said!r}: channel {channel!r} comes twice")
            given[channel] = name
        return cls(given=given)

    def values(self) -> list[str]:
        """All specified names."""
        said = [*self.given.values(), *self.defaults.values()]
        return said if self.everywhere is None else [self.everywhere, *said]

    def at(self, number: int, names: Sequence[str]) -> str | None:
        """Name specified for a channel; None if there is none.

        Parameters
        ----------
        number : int
            Number of the channel, from 0.
        names : sequence of str
            Names of all channels of the image, or empty.
        """
        own, name = str(number), names[number] if number < len(names) else None
        for said in (self.given, self.defaults):
            named = (key for key in said if key == name or number_named(key, names) == number)
            key = next(named, own)
            if key in said:
                return said[key]
        return self.everywhere

    def check(self, count: int, names: Sequence[str], option: str) -> None:
        """Refuse channels that an image does not have.

        For an image with one channel (such as one selected from several), it is enough that one
        of the ``given`` names is for this channel.

        Parameters
        ----------
        count : int
            Number of channels of the image.
        names : sequence of str
            Names of all channels of the image, or empty.
        option : str
            What the names specify, for error messages: ``specimen``, for example.

        Raises
        ------
        ParameterError
            If the image lacks a channel of ``given``.
        """
        numbers, own = set(map(str, range(count))), names[:count]
        wrong = [one for one in self.given if one not in numbers and number_named(one, own) is None]
        if not wrong or (count == 1 and len(wrong) < len(self.given)):
            return
        listed = f", named {', '.join(names)}." if names else "."
        raise ParameterError(
            f"{option} names a channel {wrong[0]!r}; there are {count}, numbered 0 to "
            f"{count - 1}{listed}{meant(wrong[0], names)}"
        )


def number_named(channel: str, names: Sequence[str]) -> int | None:
    """Number of the channel with a name; None if there is none.

    Upper and lower case make a difference only where several names differ in nothing else.
    """
    if channel in names:
        return list(names).index(channel)
    alike = [n for n, name in enumerate(names) if name.casefold() == channel.casefold()]
    return alike[0] if len(alike) == 1 else None
