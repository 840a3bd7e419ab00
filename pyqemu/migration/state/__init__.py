"""What a machine is in a migration stream: memory, devices, processors, in QEMU's format.

Parts: the list of what is saved (:mod:`~pyqemu.migration.state.machine`), the frame
(:mod:`~pyqemu.migration.state.frame`), RAM as it is sent (:mod:`~pyqemu.migration.state.ram`) and taken
(:mod:`~pyqemu.migration.state.ram_load`), and the two halves that put them together
(:mod:`~pyqemu.migration.state.source`, :mod:`~pyqemu.migration.state.destination`).
"""
