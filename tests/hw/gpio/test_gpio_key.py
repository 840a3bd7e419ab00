"""A key on a GPIO pin: down for a tenth of a second."""

from __future__ import annotations

from pyqemu.hw.gpio.gpio_key import LATENCY, GpioKey
from pyqemu.system import FakeClock, Irq


def test_it_comes_up_by_itself() -> None:
    clock, pin = FakeClock(), Irq()
    key = GpioKey(clock, pin)
    key.press()
    clock.advance(LATENCY - 1)
    assert pin.level
    clock.advance(1)
    assert not pin.level
    assert pin.edges == 1


def test_pressed_again_it_stays_down_longer() -> None:
    clock, pin = FakeClock(), Irq()
    key = GpioKey(clock, pin)
    key.press()
    clock.advance(LATENCY // 2)
    key.press()
    clock.advance(LATENCY - 1)
    assert pin.level
    assert pin.edges == 1
    clock.advance(1)
    assert not pin.level


def test_a_reset_lets_it_up() -> None:
    clock, pin = FakeClock(), Irq()
    key = GpioKey(clock, pin)
    key.press()
    key.reset()
    assert not pin.level


def test_its_state_is_when_it_comes_up() -> None:
    """All ones while it is up, as QEMU saves a timer."""
    key = GpioKey(FakeClock(5), Irq())
    assert GpioKey.vmstate.save(key) == bytes((0xFF,) * 8)
    key.press()
    state = GpioKey.vmstate.save(key)
    assert state == (5 + LATENCY).to_bytes(8, "big")
    clock, pin = FakeClock(5), Irq()
    GpioKey.vmstate.load(GpioKey(clock, pin), state)
    assert pin.level
    clock.advance(LATENCY)
    assert not pin.level
