"""The keyboard and the mouse at the end of their cables."""

from __future__ import annotations

import pytest

from pyqemu.hw.input.ps2 import Ps2Device, Ps2Keyboard, Ps2Mouse


def drain(device: Ps2Device) -> list[int]:
    return [device.take() for _ in range(len(device.queue))]


def talk(device: Ps2Device, *data: int) -> list[int]:
    for byte in data:
        device.write(byte)
    return drain(device)


def test_keyboard_reset_and_identify() -> None:
    keyboard = Ps2Keyboard()
    assert talk(keyboard, 0xFF) == [0xFA, 0xAA]
    assert talk(keyboard, 0xF2) == [0xFA, 0xAB, 0x83]
    assert talk(keyboard, 0xEE) == [0xEE]
    assert talk(keyboard, 0x00) == [0xFE]


def test_identify_is_translated() -> None:
    keyboard = Ps2Keyboard()
    keyboard.translate = True
    assert talk(keyboard, 0xF2) == [0xFA, 0xAB, 0x41]


@pytest.mark.parametrize(
    ("code_set", "translate", "bytes_"),
    [
        (1, False, "1e 9e"),
        (2, False, "1c f0 1c"),
        (2, True, "1e 9e"),
        (3, False, "1c f0 1c"),
    ],
)
def test_key_in_each_set(code_set: int, translate: bool, bytes_: str) -> None:
    keyboard = Ps2Keyboard()
    keyboard.translate = translate
    assert talk(keyboard, 0xF0, code_set) == [0xFA, 0xFA]
    keyboard.put_key("a", True)
    keyboard.put_key("a", False)
    assert bytes(drain(keyboard)).hex(" ") == bytes_


def test_current_set_is_told_and_reset() -> None:
    keyboard = Ps2Keyboard()
    talk(keyboard, 0xF0, 3)
    assert talk(keyboard, 0xF0, 0) == [0xFA, 0xFA, 3]
    talk(keyboard, 0xF6)
    assert talk(keyboard, 0xF0, 0) == [0xFA, 0xFA, 2]
    assert talk(keyboard, 0xF0, 9) == [0xFA, 0xFE]


def test_leds_typematic_and_resend() -> None:
    keyboard = Ps2Keyboard()
    leds: list[int] = []
    keyboard.on_leds = leds.append
    assert talk(keyboard, 0xED, 0x02) == [0xFA, 0xFA]
    assert leds == [2]
    assert talk(keyboard, 0xF3, 0x20) == [0xFA, 0xFA]
    assert talk(keyboard, 0xFE) == [0xFA]
    assert talk(keyboard, 0xED, 0xF4) == [0xFA, 0xFA]  # a command instead of the LEDs


def test_disabled_keyboard_sends_no_keys() -> None:
    keyboard = Ps2Keyboard()
    talk(keyboard, 0xF5)
    keyboard.put_key("a", True)
    assert drain(keyboard) == []
    talk(keyboard, 0xF4)
    keyboard.put_key("a", True)
    assert drain(keyboard) == [0x1C]


def test_full_queue_loses_whole_keys() -> None:
    keyboard = Ps2Keyboard()
    for _ in range(40):
        keyboard.put_key("left", True)
        keyboard.put_key("left", False)
    data = drain(keyboard)
    assert len(data) <= 16
    assert data[:5] == [0xE0, 0x6B, 0xE0, 0xF0, 0x6B]
    assert talk(keyboard, 0xF2) == [0xFA, 0xAB, 0x83]


def test_mouse_reset_and_type() -> None:
    mouse = Ps2Mouse()
    assert talk(mouse, 0xFF) == [0xFA, 0xAA, 0x00]
    assert talk(mouse, 0xF2) == [0xFA, 0x00]
    assert talk(mouse, 0x55) == [0xFE]


def test_mouse_reports_only_when_enabled() -> None:
    mouse = Ps2Mouse()
    mouse.move(5, 5)
    assert drain(mouse) == []
    assert talk(mouse, 0xF4) == [0xFA]
    mouse.move(5, 3)
    assert drain(mouse) == [0x28, 5, 0xFD]
    mouse.press(1)
    assert drain(mouse) == [0x09, 0, 0]


def test_long_way_takes_several_packets() -> None:
    mouse = Ps2Mouse()
    talk(mouse, 0xF4)
    mouse.move(-300, 0)
    assert drain(mouse) == [0x18, 0x01, 0, 0x18, 0xD3, 0]


def test_wheel_and_explorer_protocols() -> None:
    mouse = Ps2Mouse()
    talk(mouse, 0xF3, 200, 0xF3, 100, 0xF3, 80, 0xF4)
    assert talk(mouse, 0xF2) == [0xFA, 3]
    mouse.move(0, 0, -1)
    assert drain(mouse) == [0x08, 0, 0, 0xFF]
    talk(mouse, 0xF3, 200, 0xF3, 200, 0xF3, 80)
    assert talk(mouse, 0xF2) == [0xFA, 4]
    mouse.press(8)
    assert drain(mouse) == [0x08, 0, 0, 0x10]


def test_plain_mouse_forgets_the_wheel() -> None:
    mouse = Ps2Mouse()
    talk(mouse, 0xF4)
    mouse.move(0, 0, 3)
    mouse.move(0, 0, 3)
    assert len(drain(mouse)) == 6


def test_status_resolution_remote_and_wrap() -> None:
    mouse = Ps2Mouse()
    talk(mouse, 0xE8, 3, 0xF3, 60, 0xE7, 0xF0)
    mouse.press(1)
    assert talk(mouse, 0xE9) == [0xFA, 0x54, 3, 60]
    assert talk(mouse, 0xEB) == [0xFA, 0x09, 0, 0]
    assert talk(mouse, 0xEE, 0x77, 0xF4) == [0xFA, 0x77, 0xF4]
    assert talk(mouse, 0xEC) == [0xFA]
