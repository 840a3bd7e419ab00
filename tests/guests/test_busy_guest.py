"""The rules that a busy guest's work is checked by find what they are there to find."""

from __future__ import annotations

import hashlib

import pytest
from busy_guest import BLOCK, BLOCKS, DISK_SIZE, FIXED_SUM, READY, check_disk, counts


def digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def printed(rounds: int) -> list[str]:
    """What a guest prints: ends of lines as a terminal has them."""
    lines, chain = ["[    0.1] a warning\r\n", f"{READY}\r\n"], "none"
    for number in range(1, rounds + 1):
        chain = digest(f"{number} {chain}\n")
        block = digest(f"{number}\n")
        lines += [f"tick {number} {chain}\r\n", f"work {number} {FIXED_SUM}\r\n", f"disk {number} {block}\r\n"]
    return lines


def disk(last: int) -> bytearray:
    """An image with all blocks up to the last."""
    image = bytearray(DISK_SIZE)
    for number in range(1, last + 1):
        place = number % BLOCKS * BLOCK
        image[place : place + BLOCK] = f"{number:0478d} {digest(f'{number}' + chr(10))}\n".encode() * 8
    return image


def test_good_work_is_counted() -> None:
    lines = printed(30)
    assert counts("".join(lines)) == {"tick": 30, "work": 30, "disk": 30}
    assert counts("".join(lines)[:-5]) == {"tick": 30, "work": 30, "disk": 29}  # it was stopped within a line


@pytest.mark.parametrize("number", [20, 21, 22])
def test_bad_lines_are_found(number: int) -> None:
    lines = printed(30)
    without = lines[:number] + lines[number + 1 :]
    doubled = lines[: number + 1] + lines[number:]
    character_lost = [*lines[:number], lines[number].replace("1", "", 1), *lines[number + 1 :]]
    in_trouble = [*lines[:number], "[   12.345678] ata1: lost interrupt (Status 0x50)\r\n", *lines[number:]]
    for bad in (without, doubled, character_lost, in_trouble):
        with pytest.raises(AssertionError, match=r"instead of|not a line of ours"):
            counts("".join(bad))


@pytest.mark.parametrize("last", [3, BLOCKS - 1, BLOCKS, BLOCKS + 5])
def test_blocks_are_found_and_missed(last: int) -> None:
    image = disk(last)
    check_disk(bytes(image), last)
    check_disk(bytes(image), last - 1)  # there was no time to print it
    with pytest.raises(AssertionError):
        check_disk(bytes(image), last + 1)
    image[last % BLOCKS * BLOCK + 1500] ^= 1
    with pytest.raises(AssertionError):
        check_disk(bytes(image), last)


def test_an_old_block_is_found() -> None:
    image, old = disk(2 * BLOCKS + 9), disk(BLOCKS + 9)
    image[5 * BLOCK : 6 * BLOCK] = old[5 * BLOCK : 6 * BLOCK]
    check_disk(bytes(old), BLOCKS + 9)
    with pytest.raises(AssertionError):
        check_disk(bytes(image), 2 * BLOCKS + 9)
