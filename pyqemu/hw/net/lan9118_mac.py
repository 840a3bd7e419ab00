"""The MAC in a LAN9118 (SMSC LAN9118 data sheet, Rev. 1.5, 5.4): registers behind a window, and filters of frames."""

from __future__ import annotations

import zlib

from pyqemu.hw.net.lan9118_phy import Phy

# fmt: off
CR, ADDRH, ADDRL, HASHH, HASHL, MII_ACC, MII_DATA, FLOW     = range(1, 9)
CR_RXALL, CR_MCPAS, CR_PRMS, CR_INVFILT                     = 1 << 31, 1 << 19, 1 << 18, 1 << 17
CR_HO, CR_HPFILT, CR_BCAST, CR_TXEN, CR_RXEN                = 1 << 15, 1 << 13, 1 << 11, 1 << 3, 1 << 2
CR_RESERVED                                                 = 0x7F40_4213
MII_WRITE                                                   = 2
# fmt: on
BROADCAST = b"\xff" * 6


class Mac:
    """The registers.

    :ivar address: of the card, which software may change
    """

    def __init__(self, phy: Phy) -> None:
        self.phy = phy
        self.address = bytes(6)
        self.reset()

    def reset(self) -> None:
        """5.4. The address comes from the EEPROM."""
        self.cr = CR_PRMS
        self.hashh = self.hashl = self.mii_acc = self.mii_data = self.flow = 0

    def read(self, number: int) -> int:
        """Read a register."""
        plain = {
            CR: self.cr, ADDRH: int.from_bytes(self.address[4:], "little"),
            ADDRL: int.from_bytes(self.address[:4], "little"), HASHH: self.hashh, HASHL: self.hashl,
            MII_ACC: self.mii_acc, MII_DATA: self.mii_data, FLOW: self.flow,
        }  # fmt: skip
        return plain.get(number, 0)

    def write(self, number: int, value: int) -> bool:
        """Write a register; the result is whether reception was on and now is off."""
        if number == CR:
            stopped = bool(self.cr & CR_RXEN and not value & CR_RXEN)
            self.cr = value & ~CR_RESERVED
            return stopped
        if number == ADDRH:
            self.address = self.address[:4] + (value & 0xFFFF).to_bytes(2, "little")
        elif number == ADDRL:
            self.address = value.to_bytes(4, "little") + self.address[4:]
        elif number == HASHH:
            self.hashh = value
        elif number == HASHL:
            self.hashl = value
        elif number == MII_ACC:
            self._access_phy(value)
        elif number == MII_DATA:
            self.mii_data = value & 0xFFFF
        elif number == FLOW:
            self.flow = value & 0xFFFF_0000
        return False

    def _access_phy(self, value: int) -> None:
        self.mii_acc = value & 0xFFC2
        number = value >> 6 & 0x1F
        if value & MII_WRITE:
            self.phy.write(number, self.mii_data)
        else:
            self.mii_data = self.phy.read(number)

    # -- filters, table 3-1 of 3.5

    def accepts(self, frame: bytes) -> bool:
        """Whether a frame is for this card."""
        if self.cr & CR_PRMS:
            return True
        to = frame[:6]
        if to == BROADCAST:
            return not self.cr & CR_BCAST
        multicast = to[0] & 1
        if multicast and self.cr & CR_MCPAS:
            return True
        if self.cr & (CR_HPFILT if multicast else CR_HO):
            return self._is_hashed(to)
        return (to == self.address) is not bool(self.cr & CR_INVFILT)

    def _is_hashed(self, address: bytes) -> bool:
        """The upper six bits of the address's CRC choose a bit of the table."""
        crc = int(f"{zlib.crc32(address) ^ 0xFFFFFFFF:032b}"[::-1], 2)
        return bool((self.hashh << 32 | self.hashl) >> (crc >> 26) & 1)
