"""ide-hd, ide-cd and ide-drive as devices; the controller's configuration space and saved state."""

import pytest
from ide_rig import MOMENT, SECONDARY, Rig, cd_image, disk_image

from pyqemu.block import Drive, ErrorPolicy, MemoryNode
from pyqemu.hw.ide.devices import IdeCd, IdeDrive, IdeHd
from pyqemu.hw.ide.pci import Piix3Ide
from pyqemu.qom import DeviceError


def drive(name: str = "d", **options: object) -> Drive:
    return Drive(name, disk_image(8), **options)  # type: ignore[arg-type]


def test_units_fill_up_in_order() -> None:
    bus = Rig().ide.ide_buses[0]
    first, second = IdeHd(drive=drive()), IdeCd()
    bus.plug(first)
    bus.plug(second)
    assert (first.unit, second.unit) == (0, 1)
    with pytest.raises(DeviceError, match=r"bus 'ide\.0' has no room for another drive"):
        bus.plug(IdeHd(drive=drive()))
    bus.unplug(first)
    bus.plug(IdeHd(drive=drive()))


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (lambda: IdeHd(), "No drive specified for 'ide-hd'"),
        (lambda: IdeHd(drive=Drive("x")), "Device needs media, but drive 'x' is empty"),
        (lambda: IdeHd(drive=drive(), unit=2), "Can't create IDE unit 2, bus supports only 2 units"),
        (lambda: IdeHd(drive=drive(), unit=0), "IDE unit 0 is in use"),
        (lambda: IdeHd(drive=drive(), cyls=1), "heads must be between 1 and 16"),
        (lambda: IdeHd(drive=drive(chs=(1, 255, 63))), "heads must be between 1 and 16"),
    ],
)
def test_what_cannot_be(device: object, message: str) -> None:
    rig = Rig(disk=disk_image(8))
    with pytest.raises(DeviceError) as failure:
        rig.ide.ide_buses[0].plug(device())  # type: ignore[operator]
    assert str(failure.value) == message


def test_a_drive_belongs_to_one_device() -> None:
    rig = Rig(disk=disk_image(8))
    with pytest.raises(DeviceError, match="Drive 'disk' is already in use"):
        rig.ide.ide_buses[0].plug(IdeHd(drive=rig.drives["disk"]))


def test_properties_show_in_identify() -> None:
    rig = Rig()
    hd = IdeHd(drive=drive(serial="fromdrive"), serial="S", ver="1.0", model="M", wwn=0x5000_1234_5678_9ABC)
    hd.set_option("cyls", "2")
    hd.set_option("heads", "2")
    hd.set_option("secs", "2")
    rig.ide.ide_buses[0].plug(hd)
    words = rig.identify()
    text = b"".join(word.to_bytes(2, "big") for word in words)
    assert text[20:40].strip() == b"S" and text[46:54].strip() == b"1.0" and text[54:94].strip() == b"M"
    assert words[1] == 2 and words[3] == 2 and words[6] == 2
    assert words[108:112] == [0x5000, 0x1234, 0x5678, 0x9ABC] and words[87] & 0x100


def test_ide_drive_is_what_the_drive_is() -> None:
    rig = Rig()
    rig.ide.ide_buses[0].plug(IdeDrive(drive=drive()))
    rig.ide.ide_buses[1].plug(IdeDrive(drive=Drive("cd", media="cdrom")))
    assert rig.identify()[0] == 0x40
    rig.base = SECONDARY
    assert rig.identify(0xA1)[0] == 0x85C0


def test_configuration_space() -> None:
    rig = Rig()
    assert rig.ide.config[:4] == bytes.fromhex("86801070")
    assert rig.ide.config[8:12] == bytes.fromhex("00800101")
    assert rig.ide.word(6) == 0x0280 and rig.ide.config[0x3D] == 0
    rig.ide.config_write(0x20, 4, 0xFFFF_FFFF)
    assert rig.ide.config_read(0x20, 4) == 0xFFFF_FFF1


def test_state_moves_to_another_machine() -> None:
    rig = Rig(disk=disk_image(), cd=cd_image())
    rig.issue(0x20, 77, 3)
    rig.clock.advance(MOMENT)
    first = rig.io.load(0x1F0, 4)
    rig.packet(0x1E, 0, 0, 0, 1)
    data = Piix3Ide.vmstate.save(rig.ide)
    other = Rig(disk=disk_image(), cd=cd_image())
    Piix3Ide.vmstate.load(other.ide, data)
    rest = b"".join(other.io.load(0x1F0, 2).to_bytes(2, "little") for _ in range(254))
    assert first.to_bytes(4, "little") + rest + other.read_blocks() == rig.drives["disk"].read(77 * 512, 1536)
    other.packet(0x1B, 0, 0, 0, 2)
    assert other.sense() == (2, 0x53)  # the tray is locked there, too


def test_saving_completes_what_is_under_way() -> None:
    rig = Rig(disk=disk_image())
    rig.issue(0xE5)
    Piix3Ide.vmstate.save(rig.ide)
    assert rig.irq and rig.inb(2) == 0xFF


def test_size_of_the_state() -> None:
    """QEMU 7.2's stream of an idle machine: 4+256+16 for PCI, 19 for a bus master, 2 for a channel, 28 for a
    drive.
    """
    rig = Rig(disk=disk_image(8))
    assert len(Piix3Ide.vmstate.save(rig.ide)) == 276 + 2 * 19 + 2 * 2 + 4 * 28


def test_a_reset_of_the_machine_resets_the_channels() -> None:
    rig = Rig(disk=disk_image(), cd=Drive("cd", MemoryNode(2048), media="cdrom"))
    rig.issue(0x20, 5, 2, device=0xF0)
    rig.issue(0x20, 5, 2)
    rig.control(2)
    rig.system.reset()
    rig.clock.advance(MOMENT)
    assert rig.registers == [0, 1, 1, 0, 0, 0xA0, 0x50] and rig.isa.irq(14).edges == 0
    assert rig.run(0xE5) == 0x50 and rig.isa.irq(14).edges == 1


def test_properties_rule_errors_and_write_cache() -> None:
    rig = Rig()
    medium = drive()
    rig.ide.ide_buses[0].plug(IdeHd(drive=medium, werror="stop", rerror="ignore", write_cache="off"))
    assert (medium.write_error, medium.read_error) == (ErrorPolicy.STOP, ErrorPolicy.IGNORE)
    assert not medium.write_cache
