"""OME-TIFF files with OME-XML as programs write it, right or wrong."""

import tifffile

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SIDE = 20
UUID = "urn:uuid:00000000-0000-4000-8000-00000000000{}"


def xml(
    inside="<TiffData/>",
    *,
    head='<?xml version="1.0" encoding="UTF-8"?>',
    space=NAMESPACE,
    root="",
    image="",
    pixels="",
    channel="",
    samples=1,
    order="XYCZT",
    after="",
    **sizes,
):
    """OME-XML of one image of uint16 pixels; ``sizes`` are those of ``c``, ``z`` and ``t``."""
    sizes = {"c": 1, "z": 1, "t": 1} | sizes
    stated = " ".join(f'Size{axis.upper()}="{size}"' for axis, size in sizes.items())
    count = sizes["c"] // samples if isinstance(sizes["c"], int) else 1
    channels = "".join(
        f'<Channel ID="Channel:0:{n}" Name="dye {n}" SamplesPerPixel="{samples}" {channel}/>'
        for n in range(min(count, 10))
    )
    return (
        f'{head}<OME xmlns="{space}" {root}><Image ID="Image:0" Name="cells">{image}'
        f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" SizeX="{SIDE}" '
        f'SizeY="{SIDE}" {stated} {pixels}>{channels}{inside}</Pixels></Image>{after}</OME>'
    )


def planes(rng, *shape):
    """Pixels without zeros, so that planes that were not read are noticed."""
    return rng.integers(1, 60000, (*shape, SIDE, SIDE)).astype("uint16")


def write(path, data, text, **more):
    """Write a TIFF file whose description is ``text``."""
    content = text if isinstance(text, bytes) else text.encode()
    more = {"photometric": "minisblack", "metadata": None} | more
    tifffile.imwrite(path, data, description=content, **more)
    return path


def of_set(folder, data, axis="C", present=(0, 1, 2), name="{}"):
    """Set of three files, one for each channel or frame, of which some are written."""
    files = [folder / f"{n}.ome.tif" for n in range(3)]
    blocks = "".join(
        f'<TiffData First{axis}="{n}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name.format(file.name)}">{UUID.format(n)}</UUID></TiffData>'
        for n, file in enumerate(files)
    )
    for n in present:
        text = xml(blocks, root=f'UUID="{UUID.format(n)}"', **{axis.lower(): 3})
        write(files[n], data[n], text)
    return files
