"""``vc``: a text console of our own, for a display to show and to type into."""

from __future__ import annotations

from pyqemu.chardev.base import Chardev, ChardevHost

SCROLLBACK = 1000  # lines kept


class VcChardev(Chardev):
    """A grid of characters that understands line ends, tabs, backspace, and the plainest escape sequences.

    Colours and attributes are dropped; cursor movements within the screen and erasures are done.
    """

    backend = "vc"

    def __init__(self, label: str, host: ChardevHost, *, columns: int = 80, rows: int = 24) -> None:
        super().__init__(label, host)
        self.columns = columns
        self.rows = rows
        self.lines: list[bytearray] = [bytearray()]  # scrollback and screen, the screen's last line last
        self.x = 0
        self.y = 0  # row on the screen
        self.generation = 0  # counts changes, for displays
        self._escape: bytearray | None = None
        self._typed = b""

    @property
    def screen(self) -> list[bytes]:
        """The visible lines, padded to the width."""
        shown = self.lines[self._top :]
        shown = shown + [bytearray()] * (self.rows - len(shown))
        return [bytes(line[: self.columns].ljust(self.columns)) for line in shown]

    @property
    def _top(self) -> int:
        return max(0, len(self.lines) - self.rows)

    def _line(self) -> bytearray:
        while len(self.lines) <= self._top + self.y:
            self.lines.append(bytearray())
        return self.lines[self._top + self.y]

    # -- output ---------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        for byte in data:
            if self._escape is not None:
                self._escape_byte(byte)
            elif byte >= 0x20:
                self._put(byte)
            else:
                self._control(byte)
        self.generation += 1

    def _put(self, byte: int) -> None:
        if self.x >= self.columns:
            self.x = 0
            self._line_feed()
        line = self._line()
        if len(line) <= self.x:
            line.extend(b" " * (self.x + 1 - len(line)))
        line[self.x] = byte
        self.x += 1

    def _control(self, byte: int) -> None:
        match byte:
            case 0x08:
                self.x = max(0, self.x - 1)
            case 0x09:
                self.x = min(self.columns - 1, (self.x | 7) + 1)
            case 0x0A | 0x0B | 0x0C:
                self._line_feed()
            case 0x0D:
                self.x = 0
            case 0x1B:
                self._escape = bytearray()
            case _:
                pass  # bell and the rest show nothing

    def _line_feed(self) -> None:
        if self.y < self.rows - 1:
            self.y += 1
            return
        self._line()
        self.lines.append(bytearray())
        del self.lines[: -SCROLLBACK - self.rows]

    def _escape_byte(self, byte: int) -> None:
        assert self._escape is not None
        self._escape.append(byte)
        sequence = self._escape
        if sequence[0] != ord("["):
            if not 0x20 <= byte <= 0x2F:  # these only lead on to the last one
                self._escape = None  # character sets, resets: nothing that we show
        elif len(sequence) > 1 and 0x40 <= byte <= 0x7E:
            self._escape = None
            self._control_sequence(bytes(sequence[1:-1]), chr(byte))
        elif len(sequence) > 32:
            self._escape = None

    def _control_sequence(self, parameters: bytes, final: str) -> None:
        """ECMA-48 control sequences; a missing parameter is 0."""
        numbers = [int(field) if field.isdigit() else 0 for field in parameters.split(b";")]
        count = max(1, numbers[0])
        match final:
            case "A":
                self.y = max(0, self.y - count)
            case "B":
                self.y = min(self.rows - 1, self.y + count)
            case "C":
                self.x = min(self.columns - 1, self.x + count)
            case "D":
                self.x = max(0, self.x - count)
            case "H" | "f":
                self.y = min(self.rows, count) - 1
                self.x = min(self.columns, max(1, numbers[1] if len(numbers) > 1 else 1)) - 1
            case "J":
                self._erase_screen(numbers[0])
            case "K":
                self._erase_line(numbers[0])
            case _:
                pass

    def _erase_line(self, which: int) -> None:
        line = self._line()
        if which == 0:
            del line[self.x :]
        else:
            end = self.x + 1 if which == 1 else len(line)
            line[:end] = b" " * min(end, len(line))

    def _erase_screen(self, which: int) -> None:
        self._line()
        top = self._top
        first = top if which else top + self.y + 1
        last = top + self.y if which == 1 else len(self.lines)
        for line in self.lines[first:last]:
            line.clear()
        if which < 2:
            self._erase_line(which)

    # -- input ----------------------------------------------------------------------------------------

    def type_bytes(self, data: bytes) -> None:
        """The user typed *data*; kept until the frontend takes it."""
        with self.host.lock:
            self._typed += data
            self.accept_input()

    def accept_input(self) -> None:
        while self._typed and (room := self.can_receive()) > 0:
            data, self._typed = self._typed[:room], self._typed[room:]
            self._deliver(data)
