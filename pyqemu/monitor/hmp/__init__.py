"""The human monitor: commands for people, on a terminal, any character device, or through QMP.

``table`` has the commands, ``arguments`` and ``expression`` read what is typed, ``dispatch`` carries it out;
``session`` is the monitor on a character device, ``console`` the one on a real terminal.
"""
