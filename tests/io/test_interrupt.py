"""Waits end at once when somebody says so."""

from __future__ import annotations

import os
import threading
import time

import pytest

from pyqemu.io.errors import Interrupted
from pyqemu.io.interrupt import READABLE, Interrupt


def test_a_wait_ends_in_time_or_when_something_comes() -> None:
    interrupt = Interrupt()
    reader, writer = os.pipe()
    assert interrupt.wait({reader: READABLE}, time.monotonic() + 0.01) == []
    os.write(writer, b"x")
    assert interrupt.wait({reader: READABLE}) == [reader]
    interrupt.close()
    os.close(reader)
    os.close(writer)


def test_another_thread_ends_it() -> None:
    interrupt = Interrupt()
    timer = threading.Timer(0.05, interrupt.set)
    timer.start()
    with pytest.raises(Interrupted):
        interrupt.sleep(600)
    with pytest.raises(Interrupted):
        interrupt.wait({})
    timer.join()
    interrupt.close()
    interrupt.set()  # too late, and harmless


def test_work_that_cannot_be_ended_is_left_behind() -> None:
    interrupt = Interrupt()
    release = threading.Event()
    threading.Timer(0.05, interrupt.set).start()
    with pytest.raises(Interrupted):
        interrupt.run(release.wait, None, "work")
    release.set()
    interrupt.close()


def test_results_errors_and_time_outs_of_work() -> None:
    interrupt = Interrupt()
    assert interrupt.run(lambda: 7, None, "work") == 7
    release = threading.Event()
    assert interrupt.run(release.wait, time.monotonic() + 0.02, "work") is None
    release.set()
    with pytest.raises(ZeroDivisionError):
        interrupt.run(lambda: 1 // 0, None, "work")
    interrupt.close()
