"""QMP: the protocol by which programs command the machine.

``lexer`` and ``stream`` make JSON values of bytes, ``request`` looks at their members, ``session`` is one client,
``dispatch`` leads to the handlers, ``events`` decides what is told when, ``server`` puts it all on a chardev.
"""
