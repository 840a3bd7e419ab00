"""The machine's chardevs by id, and the list of backends.

A new backend is one builder here (and its file).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator

from pyqemu.chardev.base import Chardev, ChardevHost, NullChardev
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.file import FileChardev, PipeChardev
from pyqemu.chardev.mux import CTRL_A, MuxChardev
from pyqemu.chardev.parse import OptionReader, Options, parse_device
from pyqemu.chardev.pty import PtyChardev
from pyqemu.chardev.ringbuf import DEFAULT_SIZE, RingbufChardev
from pyqemu.chardev.socket import SocketAddress, SocketChardev
from pyqemu.chardev.stdio import StdioChardev
from pyqemu.chardev.tty import TtyChardev
from pyqemu.chardev.udp import UdpChardev
from pyqemu.chardev.vc import VcChardev
from pyqemu.io.descriptors import Descriptors

Builder = Callable[[str, ChardevHost, OptionReader], Chardev]

FONT_WIDTH, FONT_HEIGHT = 8, 16  # of a vc whose size is given in pixels


def _need(options: OptionReader, backend: str, key: str, name: str) -> str:
    value = options.text(key)
    if not value:
        raise ChardevError(f"chardev: {backend}: no {name} given")
    return value


def _null(label: str, host: ChardevHost, _options: OptionReader) -> Chardev:
    return NullChardev(label, host)


def _stdio(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    return StdioChardev(label, host, allow_signals=options.flag("signal", True))


def _pty(label: str, host: ChardevHost, _options: OptionReader) -> Chardev:
    return PtyChardev(label, host)


def _file(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    path = _need(options, "file", "path", "filename")
    return FileChardev(label, host, path, append=options.flag("append", False))


def _pipe(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    return PipeChardev(label, host, _need(options, "pipe", "path", "device path"))


def _serial(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    return TtyChardev(label, host, _need(options, "serial/tty", "path", "device path"))


def _ringbuf(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    return RingbufChardev(label, host, size=options.size("size", DEFAULT_SIZE))


def _vc(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    columns = options.number("cols", options.number("width", 80 * FONT_WIDTH) // FONT_WIDTH)
    rows = options.number("rows", options.number("height", 24 * FONT_HEIGHT) // FONT_HEIGHT)
    return VcChardev(label, host, columns=max(1, columns), rows=max(1, rows))


def _family(options: OptionReader) -> socket.AddressFamily:
    v4, v6 = options.flag("ipv4", False), options.flag("ipv6", False)
    if v4 != v6:
        return socket.AF_INET if v4 else socket.AF_INET6
    return socket.AF_UNSPEC


def _socket(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    path, fd = options.text("path"), options.text("fd")
    name = options.text("host")
    port = "" if path or fd else _need(options, "socket", "port", "port")
    server = options.flag("server", False)
    if not (name or server or path or fd):
        raise ChardevError("chardev: socket: no host given")
    if fd and not fd.isdigit():
        raise ChardevError(f"Unable to parse FD number {fd}")
    address = SocketAddress(path, name, port, options.number("to", 0), _family(options))
    return SocketChardev(
        label,
        host,
        address,
        server=server,
        wait=options.flag("wait", True),
        reconnect=options.number("reconnect", 0),
        telnet=options.flag("telnet", False),
        nodelay=options.flag("nodelay", not options.flag("delay", True)),
        listen_fd=int(fd) if fd else None,
    )


def _udp(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    _family(options)
    port = _need(options, "udp", "port", "remote port")
    remote = options.text("host") or "localhost", port
    return UdpChardev(label, host, remote, (options.text("localaddr"), options.text("localport", "0")))


BACKENDS: dict[str, Builder] = {
    "null": _null,
    "stdio": _stdio,
    "pty": _pty,
    "file": _file,
    "pipe": _pipe,
    "serial": _serial,
    "tty": _serial,
    "ringbuf": _ringbuf,
    "memory": _ringbuf,
    "vc": _vc,
    "socket": _socket,
    "udp": _udp,
}


class Chardevs:
    """All chardevs of a machine, by id or label.

    :param escape: the key that begins a multiplexer's commands (``-echr``)
    """

    def __init__(self, host: ChardevHost, *, escape: int = CTRL_A) -> None:
        self.host = host
        self.escape = escape
        self.on_quit: Callable[[], None] | None = None
        self.on_commit: Callable[[], None] | None = None
        self.descriptors = Descriptors()
        """What clients handed over: ``/dev/fdset/N`` may stand for a path."""
        self._by_id: dict[str, Chardev] = {}

    def __iter__(self) -> Iterator[Chardev]:
        return iter(list(self._by_id.values()))

    def find(self, name: str) -> Chardev:
        """:raise ChardevError: there is none of that name."""
        if name not in self._by_id:
            raise ChardevError(f"Chardev '{name}' not found")
        return self._by_id[name]

    def create(self, backend: str, options: Options) -> Chardev:
        """``-chardev BACKEND,id=...``: make and open a chardev.

        :raise ChardevError: the options make no sense, the id is taken, or the host refuses.
        """
        name = options.get("id", "")
        if not name:
            raise ChardevError("chardev: no id specified", "-chardev BACKEND,id=ID")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name):
            raise ChardevError("Parameter 'id' expects an identifier")
        rest = {key: value for key, value in options.items() if key not in ("id", "backend")}
        return self._make(backend, rest, name)

    def open(self, device: str, label: str) -> Chardev:
        """``-serial DEVICE`` and its kin: make and open a chardev, or find that of ``chardev:ID``.

        :raise ChardevError: the text is no device, or the host refuses.
        """
        backend, options = parse_device(device)
        if backend == "chardev":
            return self.find(options["chardev"])
        return self._make(backend, options, label)

    def _make(self, backend: str, options: Options, label: str) -> Chardev:
        if backend not in BACKENDS:
            raise ChardevError(f"'{backend}' is not a valid char driver name", ", ".join(sorted(BACKENDS)))
        if label in self._by_id:
            raise ChardevError(f"Duplicate ID '{label}' for chardev")
        reader = OptionReader(options)
        with_mux = reader.flag("mux", False)
        logfile, append = reader.text("logfile"), reader.flag("logappend", False)
        chardev = BACKENDS[backend](label, self.host, reader)
        reader.finish()
        return self.add(chardev, logfile=logfile, append=append, with_mux=with_mux)

    def add(self, chardev: Chardev, *, logfile: str = "", append: bool = False, with_mux: bool = False) -> Chardev:
        """Open a chardev that has been made, and take it in by its label.

        :raise ChardevError: the label is taken, or the host refuses.
        """
        label = chardev.label
        if label in self._by_id:
            raise ChardevError(f"Duplicate ID '{label}' for chardev")
        chardev.open_path = self.descriptors.open
        if logfile:
            chardev.open_log(logfile, append)
        top: Chardev = self._multiplex(label, chardev) if with_mux else chardev
        if with_mux:
            chardev.label = f"{label}-base"
        try:
            top.open()
        except BaseException:
            top.close()
            raise
        self._by_id[label] = top
        if with_mux:
            self._by_id[chardev.label] = chardev
        return top

    def multiplex(self, label: str, below: Chardev) -> Chardev:
        """A multiplexer, named *label*, on a chardev that is there already.

        :raise ChardevError: the label is taken, or a frontend uses that chardev.
        """
        if label in self._by_id:
            raise ChardevError(f"Duplicate ID '{label}' for chardev")
        mux = self._multiplex(label, below)
        mux.attach()
        self._by_id[label] = mux
        return mux

    def _multiplex(self, label: str, below: Chardev) -> MuxChardev:
        mux = MuxChardev(label, self.host, below, escape=self.escape)
        mux.on_quit = lambda: self.on_quit() if self.on_quit is not None else None
        mux.on_commit = lambda: self.on_commit() if self.on_commit is not None else None
        return mux

    def replace(self, old: Chardev, new: Chardev, *, logfile: str = "", append: bool = False) -> None:
        """Open *new* and let it take the name and place of *old*, which is closed.

        :raise ChardevError: the host refuses; then *old* stays.
        """
        del self._by_id[old.label]
        try:
            self.add(new, logfile=logfile, append=append)
        except BaseException:
            self._by_id[old.label] = old
            raise
        old.close()

    def remove(self, name: str) -> None:
        """``chardev-remove``.

        :raise ChardevError: no such chardev, or a frontend uses it.
        """
        chardev = self.find(name)
        if chardev.busy:
            raise ChardevError(f"Chardev '{name}' is busy")
        del self._by_id[name]
        if isinstance(chardev, MuxChardev) and chardev.owns_below:
            self._by_id.pop(chardev.below.label, None)
        chardev.close()

    def close_all(self) -> None:
        """Flush and close everything; the terminal is restored."""
        for chardev in self:
            chardev.close()
        self._by_id.clear()


def create_chardev(backend: str, options: Options, host: ChardevHost) -> Chardev:
    """One chardev outside any table."""
    return Chardevs(host).create(backend, options)


def open_chardev(device: str, host: ChardevHost, label: str = "chardev") -> Chardev:
    """One chardev from a device string, outside any table."""
    return Chardevs(host).open(device, label)
