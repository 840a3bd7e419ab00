"""SMART (ATA/ATAPI-6 8.54): a healthy disk with a few attributes, and a self-test that always passes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Smart"]

# (id, flags, normalized value, worst, raw, threshold)
# fmt: off
ATTRIBUTES = (
    (0x01, 0x0003, 0x64, 0x64, 0,      6),   # raw read error rate
    (0x03, 0x0003, 0x64, 0x64, 16,     0),   # spin-up time
    (0x04, 0x0002, 0x64, 0x64, 0x64,   20),  # start/stop count
    (0x05, 0x0003, 0x64, 0x64, 0,      36),  # reallocated sectors
    (0x09, 0x0003, 0x64, 0x64, 1,      0),   # power-on hours
    (0x0C, 0x0003, 0x64, 0x64, 0,      0),   # power cycles
    (0xBE, 0x0003, 0x45, 0x45, 0x1F1F001F, 50),  # airflow temperature: now, least, most
)
# fmt: on


def _checksummed(data: bytearray) -> bytes:
    """The last byte makes the sum of all 512 zero."""
    data[511] = -sum(data[:511]) & 0xFF
    return bytes(data)


@dataclass
class Smart:
    """The SMART part of one disk."""

    enabled: bool = True
    autosave: bool = True
    errors: int = 0
    selftests: list[int] = field(default_factory=list)  # the numbers of the latest tests, at most 21

    def read_data(self) -> bytes:
        """D0h: the attributes and the status of the off-line tests."""
        data = bytearray(512)
        data[0] = 1
        for index, (number, flags, value, worst, raw, _) in enumerate(ATTRIBUTES):
            entry = bytes((number, flags & 0xFF, flags >> 8, value, worst)) + raw.to_bytes(6, "little") + b"\0"
            data[2 + 12 * index : 14 + 12 * index] = entry
        data[362] = 0x02 | (0x80 if self.autosave else 0)  # off-line collection completed
        data[363] = 0  # self-test: passed
        data[364:366] = (288).to_bytes(2, "little")  # seconds of off-line collection
        data[367] = 1 << 4 | 1 << 3 | 1  # self-tests, collection is aborted by commands, immediate
        data[368:370] = (3).to_bytes(2, "little")  # autosave
        data[370] = 1  # error log
        data[372], data[373], data[374] = 2, 54, 1  # minutes of the short, extended, conveyance test
        return _checksummed(data)

    def read_thresholds(self) -> bytes:
        """D1h: the thresholds of the attributes."""
        data = bytearray(512)
        data[0] = 1
        for index, attribute in enumerate(ATTRIBUTES):
            data[2 + 12 * index], data[3 + 12 * index] = attribute[0], attribute[5]
        return _checksummed(data)

    def read_log(self, address: int) -> bytes | None:
        """D5h: a log page; None if there is no such one."""
        data = bytearray(512)
        match address:
            case 0x00:  # directory
                data[0] = 1
                data[2] = data[12] = 1  # the logs 1 and 6 have one sector
            case 0x01:  # summary of errors
                data[0] = 1
                data[452:454] = self.errors.to_bytes(2, "little")
            case 0x06:  # self-tests
                data[0] = 1
                for index, number in enumerate(self.selftests):
                    data[2 + 24 * index] = number
                    data[4 + 24 * index] = 0x34  # at hour 34h
                data[508] = len(self.selftests)
            case _:
                return None
        return _checksummed(data)

    def run_selftest(self, number: int) -> bool:
        """D4h: false if there is no such test."""
        if number == 0:  # off-line collection
            return True
        if number not in (1, 2, 3, 0x81, 0x82, 0x83):
            return False
        self.selftests = [*self.selftests[-20:], number]
        return True
