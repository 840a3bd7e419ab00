"""libvirt as a client: it probes the emulator, and drives a domain with an IDE disk and a serial port.

Nothing here uses a network, or touches a libvirt of the host's.
"""

from __future__ import annotations

import os
import select
import shutil
import struct
import tempfile
import time
import tty
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import EMULATOR, PATIENCE, Daemon, what_is_missing

from pyqemu.guest import build_image

DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>{emulator}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'/>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <video><model type='vga'/></video>
    {more}
  </devices>
</domain>
"""
SOUND = "<sound model='ac97'/>"
WELCOME, PROMPT = b"Welcome inside", b"> "


@pytest.fixture(scope="module")
def libvirt() -> Iterator[Daemon]:
    """The daemon."""
    if missing := what_is_missing():
        pytest.skip(missing)
    home = Path(tempfile.mkdtemp(prefix="pyqemu-libvirt-", dir="/tmp"))
    daemon = Daemon(home)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def domain(libvirt: Daemon) -> Iterator[str]:
    """A domain that is defined, by its name; its disk is the embedded guest's."""
    if "tiny" not in libvirt.virsh("list", "--all", "--name").split():
        define(libvirt, "tiny")
    yield "tiny"
    libvirt.ask("destroy", "tiny")


def define(libvirt: Daemon, name: str, more: str = "") -> None:
    """Takes its time: where the host has KVM, libvirt looks for it in the emulator again and again."""
    disk, text = libvirt.home / f"{name}.img", libvirt.home / f"{name}.xml"
    disk.write_bytes(build_image())
    text.write_text(DOMAIN.format(name=name, emulator=EMULATOR, disk=disk, more=more))
    libvirt.virsh("define", str(text))


class Line:
    """The other end of a serial port."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def until_quiet(self, seconds: float = 0.3) -> bytes:
        """All that comes, until nothing has come for some time."""
        output = b""
        while select.select([self.fd], [], [], seconds)[0]:
            output += os.read(self.fd, 4096)
        return output

    def wait_for(self, text: bytes) -> None:
        """Read until *text* has come, and all that follows at once."""
        end, output = time.monotonic() + PATIENCE, b""
        while text not in (output := output + self.until_quiet()):
            assert time.monotonic() < end, f"{text!r} did not come; so far: {output!r}"

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)


def size_of_picture(path: Path) -> tuple[int, int]:
    """Width and height of a PNG file."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_probing(libvirt: Daemon) -> None:
    text = libvirt.virsh("domcapabilities", "--virttype", "qemu", "--emulatorbin", str(EMULATOR))
    capabilities = ET.fromstring(text)
    assert capabilities.findtext("path") == str(EMULATOR)
    assert capabilities.findtext("domain") == "qemu"
    assert capabilities.findtext("arch") == "x86_64"
    assert (capabilities.findtext("machine") or "").startswith("pc")
    buses = {value.text for value in capabilities.iterfind("devices/disk/enum[@name='bus']/value")}
    assert {"ide", "fdc"} <= buses


def test_what_the_guest_does_is_heard(libvirt: Daemon, domain: str) -> None:
    """The guest turns itself off; libvirt, told so by events, ends the emulator."""
    libvirt.virsh("start", domain)
    pid = int((libvirt.home / f"run/libvirt/qemu/run/{domain}.pid").read_text())
    with Line(libvirt.virsh("ttyconsole", domain)) as line:
        line.type(b"?")
        line.wait_for(PROMPT)
        line.type(b"p")
        end = time.monotonic() + PATIENCE
        while libvirt.virsh("domstate", domain, "--reason") != "shut off (shutdown)":
            assert time.monotonic() < end, "the domain does not end"
    while not is_gone(pid):
        assert time.monotonic() < end, "the emulator does not end"
        time.sleep(0.05)


def test_the_daemon_may_be_restarted(libvirt: Daemon, domain: str) -> None:
    libvirt.virsh("start", domain)
    libvirt.virsh("suspend", domain)
    libvirt.stop()
    libvirt.start()
    assert libvirt.virsh("domstate", domain) == "paused"
    libvirt.virsh("resume", domain)
    with Line(libvirt.virsh("ttyconsole", domain)) as line:
        line.type(b"?")
        line.wait_for(PROMPT)


def test_what_is_missing_is_told(libvirt: Daemon) -> None:
    """Our line reaches whoever asked."""
    define(libvirt, "with-sound", SOUND)
    assert "'AC97' is not a valid device model name" in libvirt.refused("start", "with-sound")


def test_life_of_a_domain(libvirt: Daemon, domain: str) -> None:
    assert libvirt.virsh("domstate", domain) == "shut off"
    libvirt.virsh("start", domain)
    assert libvirt.virsh("domstate", domain) == "running"
    with Line(libvirt.virsh("ttyconsole", domain)) as line:
        line.type(b"?")  # the guest may have said all it has to say before we came
        line.wait_for(PROMPT)
        libvirt.virsh("suspend", domain)
        assert libvirt.virsh("domstate", domain) == "paused"
        line.until_quiet(1)  # what it has said before
        line.type(b"?")
        assert line.until_quiet() == b""
        libvirt.virsh("resume", domain)
        assert libvirt.virsh("domstate", domain) == "running"
        line.wait_for(PROMPT)
        libvirt.virsh("reset", domain)
        line.wait_for(WELCOME)
    picture = libvirt.home / "screen.png"
    libvirt.virsh("screenshot", domain, str(picture))
    assert size_of_picture(picture) == (720, 400)
    libvirt.virsh("destroy", domain)
    assert libvirt.virsh("domstate", domain) == "shut off"
    libvirt.virsh("undefine", domain)
    assert domain not in libvirt.virsh("list", "--all", "--name").split()
