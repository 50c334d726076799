"""Small OME-Zarr stores with any metadata."""

import json

import zarr

KINDS = {"t": "time", "c": "channel"}


def axes(names, unit="micrometer"):
    """Axes by their letters; those of space have the unit."""
    return [
        {
            "name": a,
            "type": KINDS.get(a, "space"),
            **({"unit": unit} if unit and a in "zyx" else {}),
        }
        for a in names
    ]


def multiscale(names="yx", scale=(0.2, 0.2), version="0.4", unit="micrometer", **more):
    """Entry of ``multiscales`` with one level; without a scale or a version where it is None."""
    level = {"path": "0"}
    if scale is not None:
        level["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    stated = {} if version is None else {"version": version}
    return {"axes": axes(names, unit), "datasets": [level], **stated, **more}


def array(path, data, zarr_format=2, separator="/", **more):
    """Array with chunks of 16 pixels."""
    of_two = {"chunk_key_encoding": {"name": "v2", "separator": separator}}
    made = zarr.create_array(
        path,
        shape=data.shape,
        dtype=data.dtype,
        chunks=(1,) * (data.ndim - 2) + (16, 16),
        zarr_format=zarr_format,
        **(of_two if zarr_format == 2 else {}),
        **more,
    )
    made[...] = data
    return made


def write(path, data, entry, ome=None, **more):
    """Image with one level; ``ome`` are further fields of the attribute ``ome`` of Zarr 3."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if ome is None else 3)
    array(path / "0", data, 2 if ome is None else 3, **more)
    if ome is None:
        group.attrs["multiscales"] = [entry]
    else:
        group.attrs["ome"] = {**ome, "multiscales": [entry]}
    return path


def plate(path, listed, data, there):
    """Plate of 0.4 with the wells that are listed, and an image in those that are there."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.attrs["plate"] = {"wells": [{"path": well} for well in listed]}
    for number, well in enumerate(there):
        place = zarr.open_group(path / well, mode="w", zarr_format=2)
        place.attrs["well"] = {"images": [{"path": "0"}]}
        write(path / well / "0", data + number, multiscale())
    return path


def attributes(path):
    """Attributes of a group or an array."""
    if (path / "zarr.json").is_file():
        return json.loads((path / "zarr.json").read_text())["attributes"]
    return json.loads((path / ".zattrs").read_text())
