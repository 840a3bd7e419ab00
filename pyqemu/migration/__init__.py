"""Live migration: how a machine's state gets from one program to another.

``uri`` and ``transports`` make connections, ``stream`` writes and reads bytes over them, ``outgoing`` and ``incoming``
are one migration each from its beginning to its end, ``migration`` is the part of the machine that commands talk to.
What the bytes mean is behind the protocols in ``halves``.
"""
