"""Commands whose subsystem is not there yet: they are known, and say in a line why they do nothing.

As with QMP, whoever asks for one shall learn that it is this program which lacks something, and not look for a mistake
in what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.arguments import parse_signature
from pyqemu.monitor.hmp.table import TABLE, Command, hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.unsupported import reason

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


@dataclass(frozen=True)
class Absent:
    """Such a command.

    :ivar qmp: the QMP command that would do it, which is missing as well and tells why
    :ivar why: the end of a sentence, where no QMP command does it
    """

    name: str
    arguments: str
    help: str
    qmp: str = ""
    why: str = ""

    @property
    def reason(self) -> str:
        """Why it does nothing."""
        return self.why or reason(self.qmp, COMMANDS[self.qmp][3])


NO_AUDIO = "there is no audio yet"
NO_NET = "there are no network backends yet"
NO_USB = "there is no USB yet"
# fmt: off
COMMANDS_TO_COME = (
    Absent("block_job_cancel", "force:-f,device:B", "stop a block job", "block-job-cancel"),
    Absent("block_job_complete", "device:B", "let a block job come to its end", "block-job-complete"),
    Absent("block_job_pause", "device:B", "let a block job pause", "block-job-pause"),
    Absent("block_job_resume", "device:B", "let a block job go on", "block-job-resume"),
    Absent("block_job_set_speed", "device:B,speed:o", "how fast a block job may be", "block-job-set-speed"),
    Absent("block_passwd", "device:B,password:s", "the password of an encrypted image", "block_passwd"),
    Absent("block_set_io_throttle", "device:B,bps:l,bps_rd:l,bps_wr:l,iops:l,iops_rd:l,iops_wr:l",
           "how much a drive may do in a second", "block_set_io_throttle"),
    Absent("block_stream", "device:B,speed:o?,base:s?", "copy a backing file's data into an image", "block-stream"),
    Absent("commit", "device:B", "write an overlay's data back", why="overlays can't be written back yet"),
    Absent("cpu-add", "id:i", "plug a processor", "cpu-add"),
    Absent("delvm", "name:s", "delete a saved state", "snapshot-delete"),
    Absent("drive_backup", "reuse:-n,full:-f,device:B,target:s,format:s?", "back a drive up", "drive-backup"),
    Absent("drive_mirror", "reuse:-n,full:-f,device:B,target:s,format:s?", "mirror a drive", "drive-mirror"),
    Absent("expire_password", "protocol:s,time:s", "until when a display's password is good", "expire_password"),
    Absent("gdbserver", "device:s?", "let a debugger in", why="there is no debugger's stub yet"),
    Absent("host_net_add", "device:s,opts:s?", "add a client to a VLAN", why=NO_NET),
    Absent("host_net_remove", "vlan_id:i,device:s", "remove a client from a VLAN", why=NO_NET),
    Absent("hostfwd_add", "arg1:s,arg2:s?,arg3:s?", "forward a port of the host", why=NO_NET),
    Absent("hostfwd_remove", "arg1:s,arg2:s?,arg3:s?", "forward a port no longer", why=NO_NET),
    Absent("loadvm", "name:s", "go back to a saved state", "snapshot-load"),
    Absent("mce", "broadcast:-b,cpu_index:i,bank:i,status:l,mcg_status:l,addr:l,misc:l",
           "let a processor find a fault in the machine", why="machine checks can't be injected yet"),
    Absent("nbd_server_add", "writable:-w,device:B", "export a drive by NBD", "nbd-server-add"),
    Absent("nbd_server_start", "all:-a,writable:-w,uri:s", "serve NBD", "nbd-server-start"),
    Absent("nbd_server_stop", "", "serve NBD no longer", "nbd-server-stop"),
    Absent("netdev_add", "netdev:O", "make a network backend", "netdev_add"),
    Absent("netdev_del", "id:s", "remove a network backend", "netdev_del"),
    Absent("pcie_aer_inject_error",
           "advisory_non_fatal:-a,correctable:-c,id:s,error_status:s,header0:i?,header1:i?,header2:i?,header3:i?,"
           "prefix0:i?,prefix1:i?,prefix2:i?,prefix3:i?",
           "let a PCI Express device report an error", why="there is no PCI Express yet"),
    Absent("qemu-io", "device:B,command:s", "a command of qemu-io on a drive", why="there is no qemu-io yet"),
    Absent("savevm", "name:s?", "save the machine's state in an image", "snapshot-save"),
    Absent("set_password", "protocol:s,password:s,connected:s?", "a display's password", "set_password"),
    Absent("snapshot_blkdev", "reuse:-n,device:B,snapshot-file:s?,format:s?", "write to an overlay from now on",
           "blockdev-snapshot-sync"),
    Absent("snapshot_blkdev_internal", "device:B,name:s", "keep an image's present data in it",
           "blockdev-snapshot-internal-sync"),
    Absent("snapshot_delete_blkdev_internal", "device:B,name:s,id:s?", "delete such data",
           "blockdev-snapshot-delete-internal-sync"),
    Absent("stopcapture", "n:i", "end a recording", why=NO_AUDIO),
    Absent("usb_add", "devname:s", "plug a USB device", why=NO_USB),
    Absent("usb_del", "devname:s", "unplug a USB device", why=NO_USB),
    Absent("wavcapture", "path:F,freq:i?,bits:i?,nchannels:i?", "record what is to be heard", why=NO_AUDIO),
)
INFOS_TO_COME = (
    Absent("capture", "", "the recordings that are under way", why=NO_AUDIO),
    Absent("rocker", "name:s", "a rocker switch", "query-rocker"),
    Absent("rocker-of-dpa-flows", "name:s,tbl_id:i?", "a rocker switch's flows", "query-rocker-of-dpa-flows"),
    Absent("rocker-of-dpa-groups", "name:s,type:i?", "a rocker switch's groups", "query-rocker-of-dpa-groups"),
    Absent("rocker-ports", "name:s", "a rocker switch's ports", "query-rocker-ports"),
    Absent("usernet", "", "the connections of user networks", why=NO_NET),
)
# fmt: on


def _register(row: Absent, *, is_info: bool = False) -> None:
    arguments = parse_signature(row.arguments)

    def refuse(hmp: Hmp, **given: object) -> None:
        raise QapiError(f"The command {command.full_name} is not supported by this build of pyqemu: {row.reason}")

    shown = " ".join(argument.display for argument in arguments)
    command = Command(row.name, arguments, f"{row.help} (not in this build)", refuse, (), is_info, shown)
    TABLE.add(command)


for _row in COMMANDS_TO_COME:
    _register(_row)
for _row in INFOS_TO_COME:
    _register(_row, is_info=True)


# --- access control lists ---------------------------------------------------------------------------------------------


def _no_list(name: str) -> None:
    """Those of the VNC server, of which there is none, were the only ones."""
    raise QapiError(f"acl: unknown list '{name}'")


@hmp_command("acl_show", "aclname:s", "who may come in")
def acl_show(hmp: Hmp, *, aclname: str) -> None:
    _no_list(aclname)


@hmp_command("acl_policy", "aclname:s,policy:s", "what holds for whom no entry is about")
def acl_policy(hmp: Hmp, *, aclname: str, policy: str) -> None:
    _no_list(aclname)


@hmp_command("acl_add", "aclname:s,match:s,policy:s,index:i?", "let somebody in, or keep them out")
def acl_add(hmp: Hmp, *, aclname: str, match: str, policy: str, index: int | None = None) -> None:
    _no_list(aclname)


@hmp_command("acl_remove", "aclname:s,match:s", "forget an entry")
def acl_remove(hmp: Hmp, *, aclname: str, match: str) -> None:
    _no_list(aclname)


@hmp_command("acl_reset", "aclname:s", "forget all entries")
def acl_reset(hmp: Hmp, *, aclname: str) -> None:
    _no_list(aclname)
