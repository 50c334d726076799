"""Small LIF files of version 2: the XML and memory blocks that the package liffile reads."""

import struct
from xml.sax.saxutils import quoteattr

import numpy as np

_IDS = {"X": 1, "Y": 2, "Z": 3, "T": 4, "λ": 5, "A": 6, "Λ": 9, "M": 10}


def write(path, images, steps, names, tables):
    """Write images by name, each an array and its axes, out of T, Z, M, A, λ, Λ, C, Y and X.

    ``steps`` are metres (T: seconds) from one element to the next; ``names`` the dyes of the
    channels, ``tables`` their look-up tables.
    """
    elements = "".join(
        _element(f"MemBlock_{n}", name, *image, steps, names, tables)
        for n, (name, image) in enumerate(images.items())
    )
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="Project"><Children>'
        f"{elements}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    with path.open("wb") as file:
        file.write(struct.pack("<IIBI", 0x70, len(xml) + 5, 0x2A, len(xml) // 2) + xml)
        for n, (data, _) in enumerate(images.values()):
            name = f"MemBlock_{n}"
            title = name.encode("utf-16-le")
            head = struct.pack("<BQBI", 0x2A, data.nbytes, 0x2A, len(name)) + title
            file.write(struct.pack("<II", 0x70, len(head)) + head + data.tobytes())


def _element(block, name, data, axes, steps, names, tables):
    strides = dict(zip(axes, np.ascontiguousarray(data).strides, strict=True))
    sizes = dict(zip(axes, data.shape, strict=True))
    dimensions = "".join(
        f'<DimensionDescription DimID="{_IDS[a]}" NumberOfElements="{n}" Origin="0" '
        f'Length="{steps.get(a, 0) * (n - 1)}" Unit="{"s" if a == "T" else "m"}" '
        f'BytesInc="{strides[a]}" BitInc="0"/>'
        for a, n in sizes.items()
        if a != "C"
    )
    kind = 1 if data.dtype.kind == "f" else 0
    channels = "".join(
        f'<ChannelDescription DataType="{kind}" ChannelTag="0" '
        f'Resolution="{8 * data.itemsize}" NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" '
        f'LUTName={quoteattr(tables[c])} IsLUTInverted="0" '
        f'BytesInc="{c * strides.get("C", 0)}" BitInc="0">'
        f"<ChannelProperty><Key>DyeName</Key><Value>{names[c]}</Value></ChannelProperty>"
        "</ChannelDescription>"
        for c in range(sizes.get("C", 1))
    )
    return (
        f"<Element Name={quoteattr(name)}><Data><Image><ImageDescription>"
        f"<Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions>"
        '</ImageDescription><Attachment Name="HardwareSetting" DataSourceTypeName="Confocal"/>'
        f'</Image></Data><Memory Size="{data.nbytes}" MemoryBlockID="{block}"/></Element>'
    )
