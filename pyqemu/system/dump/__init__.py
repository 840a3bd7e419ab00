"""``dump-guest-memory``: guest memory and CPU state in a file, for debuggers and for ``crash``.

`target` is what an architecture tells, `memory` which ranges there are, `elf` and `kdump` are the two forms of files,
`job` runs a dump, `commands` are the QMP commands.
"""
