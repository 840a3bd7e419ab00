"""What an SD card does for each command (4.7.4 of the specification that :mod:`~pyqemu.hw.sd.card` names)."""

from __future__ import annotations

from pyqemu.block import BlockIOError
from pyqemu.hw.sd.card import (
    ADDRESS_ERROR,
    APP_CMD,
    APPLICATION,
    BLOCK,
    BLOCK_LEN_ERROR,
    ERASE_SEQ_ERROR,
    ERROR,
    OCR_POWERED,
    OCR_VOLTAGES,
    OUT_OF_RANGE,
    SILENT,
    WP_VIOLATION,
    Card,
    State,
    command,
)
from pyqemu.hw.sd.registers import make_scr

IDLE, READY, IDENT, STANDBY, TRANSFER = State.IDLE, State.READY, State.IDENTIFICATION, State.STANDBY, State.TRANSFER
SENDING, RECEIVING, PROGRAMMING, DISCONNECT = State.SENDING, State.RECEIVING, State.PROGRAMMING, State.DISCONNECT
ALL = (IDLE, READY, IDENT, STANDBY, TRANSFER, SENDING, RECEIVING, PROGRAMMING, DISCONNECT)
SELECTED = (STANDBY, TRANSFER, SENDING, RECEIVING, PROGRAMMING, DISCONNECT)
R6_BITS = ((23, 15), (22, 14), (19, 13))


@command(0, *ALL)
def go_idle_state(card: Card, argument: int) -> bytes:
    """CMD0."""
    card.idle()
    return b""


@command(2, READY)
def all_send_cid(card: Card, argument: int) -> bytes:
    """CMD2, R2."""
    card.enter(IDENT)
    return bytes(card.cid)


@command(3, IDENT, STANDBY)
def send_relative_addr(card: Card, argument: int) -> bytes:
    """CMD3, R6: a new address, with some bits of the status."""
    card.rca = card.rca + 0x4567 & 0xFFFF
    status = int.from_bytes(card.r1(), "big")
    card.enter(STANDBY)
    short = status & 0x1FFF | sum((status >> high & 1) << low for high, low in R6_BITS)
    return (card.rca << 16 | short).to_bytes(4, "big")


@command(6, TRANSFER)
def switch_func(card: Card, argument: int) -> bytes:
    """CMD6: each group of functions has its first one alone (4.3.10)."""
    groups = [argument >> 4 * n & 0xF for n in range(6)]
    results = bytearray(64)
    results[1] = 1  # mA
    for n in range(6):
        results[12 - 2 * n], results[13 - 2 * n] = 0x80, 0x01
    chosen = [0 if wanted in (0, 0xF) else 0xF for wanted in groups]
    results[14:17] = bytes(chosen[n] | chosen[n + 1] << 4 for n in (4, 2, 0))
    return card.send(bytes(results))


@command(7, STANDBY, TRANSFER, SENDING, PROGRAMMING, DISCONNECT)
def select_card(card: Card, argument: int) -> bytes | None:
    """CMD7: the card of that address goes to the transfer state, all others leave it."""
    if argument >> 16 == card.rca:
        response = card.r1()
        card.enter(TRANSFER)
        return response
    card.enter(STANDBY)
    return SILENT


@command(8, IDLE)
def send_if_cond(card: Card, argument: int) -> bytes | None:
    """CMD8, R7: 2.7 to 3.6 V, and the pattern."""
    if argument >> 8 & 0xF != 1:
        return SILENT
    card.vhs = argument
    return (argument & 0xFFF).to_bytes(4, "big")


@command(9, STANDBY)
def send_csd(card: Card, argument: int) -> bytes | None:
    """CMD9, R2."""
    return bytes(card.csd) if argument >> 16 == card.rca else SILENT


@command(10, STANDBY)
def send_cid(card: Card, argument: int) -> bytes | None:
    """CMD10, R2."""
    return bytes(card.cid) if argument >> 16 == card.rca else SILENT


@command(12, SENDING, RECEIVING)
def stop_transmission(card: Card, argument: int) -> bytes:
    """CMD12."""
    response = card.r1()
    card.multi_blk_cnt = card.data_offset = 0
    card.enter(TRANSFER)
    return response


@command(13, *SELECTED)
def send_status(card: Card, argument: int) -> bytes | None:
    """CMD13."""
    return card.r1() if argument >> 16 == card.rca else SILENT


@command(15, *SELECTED)
def go_inactive_state(card: Card, argument: int) -> bytes:
    """CMD15: until power goes."""
    if argument >> 16 == card.rca:
        card.enter(State.INACTIVE)
    return b""


@command(16, TRANSFER)
def set_blocklen(card: Card, argument: int) -> bytes:
    """CMD16: of standard-capacity cards alone."""
    if argument > BLOCK or not argument:
        card.card_status |= BLOCK_LEN_ERROR
    elif not card.high_capacity:
        card.blk_len = argument
    return card.r1()


def _transfer(card: Card, argument: int, state: State) -> bytes:
    start = card.address(argument)
    if start + card.blk_len > card.size:
        card.card_status |= ADDRESS_ERROR if start >= card.size else OUT_OF_RANGE
        return card.r1()
    response = card.r1()
    card.data_start, card.data_offset, card.blk_written = start, 0, 0
    card.enter(state)
    return response


@command(17, TRANSFER)
def read_single_block(card: Card, argument: int) -> bytes:
    """CMD17."""
    return _transfer(card, argument, SENDING)


@command(18, TRANSFER)
def read_multiple_block(card: Card, argument: int) -> bytes:
    """CMD18."""
    return _transfer(card, argument, SENDING)


@command(23, TRANSFER)
def set_block_count(card: Card, argument: int) -> bytes:
    """CMD23."""
    card.multi_blk_cnt = argument & 0xFFFF
    return card.r1()


@command(24, TRANSFER)
def write_block(card: Card, argument: int) -> bytes:
    """CMD24."""
    return _write(card, argument)


@command(25, TRANSFER)
def write_multiple_block(card: Card, argument: int) -> bytes:
    """CMD25."""
    return _write(card, argument)


def _write(card: Card, argument: int) -> bytes:
    if card.drive is not None and card.drive.read_only:
        card.card_status |= WP_VIOLATION
    return _transfer(card, argument, RECEIVING)


@command(32, TRANSFER)
def erase_wr_blk_start(card: Card, argument: int) -> bytes:
    """CMD32."""
    card.erase_start = argument
    return card.r1()


@command(33, TRANSFER)
def erase_wr_blk_end(card: Card, argument: int) -> bytes:
    """CMD33."""
    card.erase_end = argument
    return card.r1()


@command(38, TRANSFER)
def erase(card: Card, argument: int) -> bytes:
    """CMD38: the blocks of both ends and between them become zero."""
    start, end = card.address(card.erase_start), card.address(card.erase_end) + BLOCK
    card.erase_start = card.erase_end = 0
    if not start < end <= card.size:
        card.card_status |= ERASE_SEQ_ERROR
    elif card.drive is not None and card.drive.read_only:
        card.card_status |= WP_VIOLATION
    elif card.drive is not None:
        try:
            for position in range(start, end, 1 << 20):
                card.drive.write(position, bytes(min(1 << 20, end - position)))
        except BlockIOError:
            card.card_status |= ERROR
    return card.r1()


@command(55, *ALL)
def app_cmd(card: Card, argument: int) -> bytes | None:
    """CMD55: the next command is an application's."""
    if card.state not in (IDLE, READY, IDENT) and argument >> 16 != card.rca:
        return SILENT
    card.expecting_acmd = True
    card.card_status |= APP_CMD
    return card.r1()


@command(6, TRANSFER, table=APPLICATION)
def set_bus_width(card: Card, argument: int) -> bytes:
    """ACMD6."""
    card.sd_status[0] = card.sd_status[0] & 0x3F | (argument & 3) << 6
    return card.r1()


@command(13, TRANSFER, table=APPLICATION)
def sd_status(card: Card, argument: int) -> bytes:
    """ACMD13."""
    return card.send(bytes(card.sd_status))


@command(22, TRANSFER, table=APPLICATION)
def send_num_wr_blocks(card: Card, argument: int) -> bytes:
    """ACMD22."""
    return card.send(card.blk_written.to_bytes(4, "big"))


@command(23, TRANSFER, table=APPLICATION)
def set_wr_blk_erase_count(card: Card, argument: int) -> bytes:
    """ACMD23: a hint."""
    return card.r1()


@command(41, IDLE, table=APPLICATION)
def sd_send_op_cond(card: Card, argument: int) -> bytes:
    """ACMD41, R3: a host that only asks (without voltages) does not start the card."""
    if argument & OCR_VOLTAGES:
        if not card.ocr & OCR_POWERED:
            card.power_up()
        card.enter(READY)
    return card.ocr.to_bytes(4, "big")


@command(42, TRANSFER, table=APPLICATION)
def set_clr_card_detect(card: Card, argument: int) -> bytes:
    """ACMD42: a resistor."""
    return card.r1()


@command(51, TRANSFER, table=APPLICATION)
def send_scr(card: Card, argument: int) -> bytes:
    """ACMD51."""
    return card.send(make_scr())
