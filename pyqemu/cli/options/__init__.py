"""The options of the emulator, QEMU's names: one function for each, registered by its name.

An option function gets the configuration and, where the option takes one, its argument. Adding an option is adding a
function to one of the modules here. Every option may be written with one dash or two.
"""

from pyqemu.cli.options import consoles, devices, machine, process, running
from pyqemu.cli.options.line import find_option, parse_options_of
from pyqemu.cli.options.registry import OPTIONS, CommandLine, Finished, Option

__all__ = ["OPTIONS", "CommandLine", "Finished", "Option", "find_option", "parse_options_of"]
_REGISTERED = (machine, devices, consoles, running, process)  # in the order of the help text
