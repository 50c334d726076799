"""Small ND2 files of version 3: the chunks that the package nd2 reads, and no others."""

import struct

import numpy as np

_MAGIC = 0x0ABECEDA
_SIGNATURE = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_MAP = b"ND2 FILEMAP SIGNATURE NAME 0001!"
_MAP_END = b"ND2 CHUNK MAP SIGNATURE 0000001!"
_NAME = 4072


def _field(name, value):
    """One named value of Nikon's lite variant; the type follows from the prefix of its name."""
    title = (name + "\0").encode("utf-16-le")
    head = lambda kind: struct.pack("BB", kind, len(title) // 2) + title  # noqa: E731
    if isinstance(value, dict):
        inside = b"".join(_field(key, part) for key, part in value.items())
        start = head(11)
        return (
            start
            + struct.pack("<IQ", len(value), len(start) + 12 + len(inside))
            + inside
            + bytes(8 * len(value))
        )
    if isinstance(value, str):
        return head(8) + (value + "\0").encode("utf-16-le")
    if isinstance(value, bool):
        return head(1) + struct.pack("B", value)
    if isinstance(value, float):
        return head(6) + struct.pack("d", value)
    return head(3) + struct.pack("I", value)


def _experiment(loops):
    """Nested loops, the slowest first."""
    name, *rest = loops
    kinds = {
        "T": (1, {"dStart": 0.0, "dPeriod": 2500.0, "dDuration": 0.0}),
        "P": (2, {}),
        "Z": (4, {"dZStep": 0.3, "dZLow": 0.0, "dZHigh": 1.0}),
    }
    axis, size = name
    number, told = kinds[axis]
    if axis == "P":
        points = {f"p{n}": {"dPosX": 10.0 * n, "dPosName": f"well {n}"} for n in range(size)}
        told = {"Points": points}
    content = {"eType": number, "uLoopPars": {"uiCount": size, **told}}
    if rest:
        content["ppNextLevelEx"] = {"a0": _experiment(rest)}
    return content


def _plane(name, colour):
    red, green, blue = bytes.fromhex(colour)
    probe = {"m_ExcitationSpectrum": {}, "m_EmissionSpectrum": {}}
    return {
        "uiCompCount": 1,
        "sDescription": name,
        "uiColor": red | green << 8 | blue << 16,
        "uiModalityMask": 0x0201,  # fluorescence, laser-scanning confocal
        "pFluorescentProbe": probe,
    }


def write(path, data, axes, names, colours, calibration=0.11):
    """Write an array with axes out of T, P, Z (in any order), then C, Y and X."""
    loops = [(a, n) for a, n in zip(axes, data.shape, strict=True) if a in "TPZ"]
    channels, rows, columns = data.shape[-3:]
    frames = data.reshape(-1, channels, rows, columns)
    attributes = {
        "uiWidth": columns,
        "uiWidthBytes": columns * channels * data.itemsize,
        "uiHeight": rows,
        "uiComp": channels,
        "uiBpcInMemory": 8 * data.itemsize,
        "uiBpcSignificant": 8 * data.itemsize,
        "uiSequenceCount": len(frames),
        "eCompression": 2,
    }
    planes = {f"a{n}": _plane(*told) for n, told in enumerate(zip(names, colours, strict=True))}
    picture = {
        "dCalibration": calibration,
        "bCalibrated": True,
        "sPicturePlanes": {"uiCount": channels, "sPlaneNew": planes},
    }
    chunks = {
        "ImageAttributesLV!": _field("SLxImageAttributes", attributes),
        "ImageMetadataSeqLV|0!": _field("SLxPictureMetadata", picture),
        "CustomData|AcqTimesCache!": np.arange(len(frames), dtype=float).tobytes(),
    }
    if loops:
        chunks["ImageMetadataLV!"] = _field("SLxExperiment", _experiment(loops))
    for number, frame in enumerate(frames):
        pixels = np.ascontiguousarray(np.moveaxis(frame, 0, -1))
        chunks[f"ImageDataSeq|{number}!"] = bytes(8) + pixels.tobytes()
    with path.open("wb") as file:
        file.write(struct.pack("<IIQ32s64s", _MAGIC, 32, 64, _SIGNATURE, b"Ver3.0"))
        places = b""
        for name, content in chunks.items():
            places += name.encode() + struct.pack("<QQ", file.tell(), len(content))
            file.write(struct.pack("<IIQ", _MAGIC, _NAME, len(content)))
            file.write(name.encode().ljust(_NAME, b"\0") + content)
        start = file.tell()
        places += _MAP_END + struct.pack("<Q", start)
        file.write(struct.pack("<IIQ", _MAGIC, 32, len(places)) + _MAP + places)
        file.write(_MAP_END + struct.pack("<Q", start))
