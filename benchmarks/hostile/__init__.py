"""Hostile files through ``autodip.read`` and ``autodip.write``, in a watched process.

::

    python -m benchmarks.hostile [--per N] [--seed S] [--only PATTERN] [--list] [--keep FOLDER]

Small valid files of every format are damaged at random (``--per`` variants of each, from
``--seed``), named like files of other formats, and joined by crafted files whose headers lie,
which decode to gigabytes, which refer to other files, or which contain code. ``--only`` restricts
the run to files whose names match a regular expression, ``--list`` shows the names, and
``--keep`` copies the cases with a fault to a folder.

Each case lies in a folder of its own and is read by a worker process with limited address space;
the parent process ends a worker that hangs. An audit hook reports files that are opened outside
the case, pickles, processes and sockets. A file outside the case holds a word that must not
appear in an image or a message, and crafted code would leave a mark. Anything but an image or a
clear :class:`autodip.errors.AutodipError` is a fault; the exit code is 1 if there is one.
"""
