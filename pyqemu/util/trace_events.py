"""The trace events of pyqemu: QEMU's names with QEMU's arguments, so that what reads its traces reads these.

Where this version of QEMU does not trace a device of the PC yet, name and arguments are those that later versions use.
Arguments that are pointers in QEMU tell objects apart; here they are numbers (``id``) to the same end.
"""

from __future__ import annotations

from typing import Final

from pyqemu.util.trace import Trace, declare


class TraceEvents(Trace):
    """All events, by the part of the program that tells them."""

    # fmt: off

    # system: run state and requests
    runstate_set                     = declare("new state {new_state}")
    vm_state_notify                  = declare("running {running} reason {reason}")
    system_wakeup_request            = declare("reason={reason}")
    qemu_system_shutdown_request     = declare()
    qemu_system_powerdown_request    = declare()

    # monitor
    handle_qmp_command               = declare('mon {mon:#x} cmd_name "{cmd_name}"')
    monitor_protocol_event_handler   = declare("event={event} data={data:#x}")
    monitor_protocol_event_emit      = declare("event={event} data={data:#x}")
    monitor_protocol_event_queue     = declare("event={event} data={data:#x} rate={rate}")

    # migration
    migrate_set_state                = declare("new state {new_state}")
    migrate_global_state_pre_save    = declare("saved state: {state}")
    migrate_global_state_post_load   = declare("loaded state: {state}")
    savevm_state_header              = declare()
    savevm_state_begin               = declare()
    savevm_state_iterate             = declare()
    savevm_state_complete_precopy    = declare()
    savevm_state_cleanup             = declare()
    savevm_section_start             = declare("{id}, section_id {section_id}")
    savevm_section_end               = declare("{id}, section_id {section_id} -> {ret}")
    vmstate_save                     = declare("{idstr}, {vmsd_name}")
    vmstate_load                     = declare("{idstr}, {vmsd_name}")
    qemu_loadvm_state_section        = declare("{section_type}")
    qemu_loadvm_state_section_startfull = declare("{section_id}({idstr}) {instance_id} {version_id}")
    qemu_loadvm_state_section_partend = declare("{section_id}")
    loadvm_process_command           = declare("com={com:#x} len={len}")

    # memory and ports
    cpu_in                           = declare("addr {addr:#x}({size}) value {val}")
    cpu_out                          = declare("addr {addr:#x}({size}) value {val}")
    memory_region_ops_read           = declare(
        "cpu {cpu_index} mr {mr:#x} addr {addr:#x} value {value:#x} size {size}")
    memory_region_ops_write          = declare(
        "cpu {cpu_index} mr {mr:#x} addr {addr:#x} value {value:#x} size {size}")

    # hw/intc/i8259
    pic_set_irq                      = declare("master {master:d} irq {irq} level {level:d}")
    pic_interrupt                    = declare("irq {irq} intno {intno}")
    pic_ioport_write                 = declare("master {master:d} addr {addr:#x} val {val:#x}")
    pic_ioport_read                  = declare("master {master:d} addr {addr:#x} val {val:#x}")

    # hw/intc/apic
    cpu_set_apic_base                = declare("{val:016x}")
    apic_local_deliver               = declare("vector {vector} delivery mode {lvt}")
    apic_deliver_irq                 = declare(
        "dest {dest} dest_mode {dest_mode:d} delivery_mode {delivery_mode} vector {vector_num} "
        "trigger_mode {trigger_mode:d}")
    apic_mem_readl                   = declare("{addr:x} = {val:08x}")
    apic_mem_writel                  = declare("{addr:x} = {val:08x}")

    # hw/intc/ioapic
    ioapic_set_remote_irr            = declare("set remote irr for pin {n}")
    ioapic_clear_remote_irr          = declare("clear remote irr for pin {n} vector {vector}")
    ioapic_eoi_broadcast             = declare("EOI broadcast for vector {vector}")
    ioapic_mem_read                  = declare(
        "ioapic mem read addr {addr:#x} regsel: {regsel:#x} size {size:#x} retval {val:#x}")
    ioapic_mem_write                 = declare(
        "ioapic mem write addr {addr:#x} regsel: {regsel:#x} size {size:#x} val {val:#x}")
    ioapic_set_irq                   = declare("vector: {vector} level: {level:d}")

    # hw/dma/i8257
    i8257_unregistered_dma           = declare(
        "unregistered DMA channel used nchan={nchan} dma_pos={dma_pos} dma_len={dma_len}")

    # hw/char/serial
    serial_ioport_read               = declare("read addr {addr:#04x} val {value:#04x}")
    serial_ioport_write              = declare("write addr {addr:#04x} val {value:#04x}")

    # hw/input/pckbd
    pckbd_kbd_read_data              = declare("{val:#04x}")
    pckbd_kbd_read_status            = declare("{status:#04x}")
    pckbd_outport_write              = declare("{val:#04x}")
    pckbd_kbd_write_command          = declare("{val:#04x}")
    pckbd_kbd_write_data             = declare("{val:#04x}")

    # hw/input/ps2
    ps2_put_keycode                  = declare("{opaque:#x} keycode {keycode}")
    ps2_read_data                    = declare("{opaque:#x}")
    ps2_set_ledstate                 = declare("{s:#x} ledstate {ledstate}")
    ps2_reset_keyboard               = declare("{s:#x}")
    ps2_write_keyboard               = declare("{opaque:#x} val {val}")
    ps2_keyboard_set_translation     = declare("{opaque:#x} mode {mode:d}")
    ps2_mouse_send_packet            = declare("{s:#x} x {dx1} y {dy1} z {dz1} bs {b:#x}")
    ps2_mouse_event                  = declare(
        "{opaque:#x} x {dx} y {dy} z {dz} bs {buttons_state:#x} mx {mouse_dx} my {mouse_dy} mz {mouse_dz} ")
    ps2_mouse_event_disabled         = declare(
        "{opaque:#x} x {dx} y {dy} z {dz} bs {buttons_state:#x} mx {mouse_dx} my {mouse_dy} mz {mouse_dz} ")
    ps2_write_mouse                  = declare("{opaque:#x} val {val}")
    ps2_kbd_reset                    = declare("{opaque:#x}")
    ps2_mouse_reset                  = declare("{opaque:#x}")

    # hw/nvram/fw_cfg
    fw_cfg_select                    = declare("{s:#x} key {key} = {ret:d}")
    fw_cfg_read                      = declare("{s:#x} = {ret:x}")
    fw_cfg_add_file                  = declare("{s:#x} #{index}: {name} ({len} bytes)")

    # hw/virtio
    virtio_queue_notify              = declare("vdev {vdev:#x} n {n} vq {vq:#x}")
    virtio_notify                    = declare("vdev {vdev:#x} vq {vq:#x}")
    virtio_set_status                = declare("vdev {vdev:#x} val {val}")

    # hw/pci
    pci_cfg_read                     = declare("{dev} {devid:02}:{fnid} @{offs:#x} -> {val:#x}")
    pci_cfg_write                    = declare("{dev} {devid:02}:{fnid} @{offs:#x} <- {val:#x}")
    pci_update_mappings_add          = declare(
        "d={d:#x} {bus:02x}:{slot:02x}.{func:x} {bar},{addr:#x}+{size:#x}")
    pci_update_mappings_del          = declare(
        "d={d:#x} {bus:02x}:{slot:02x}.{func:x} {bar},{addr:#x}+{size:#x}")

    # hw/ide
    ide_ioport_read                  = declare(
        "IDE PIO rd @ {addr:#x} ({reg}); val {val:#04x}; bus {bus:#x} IDEState {s:#x}")
    ide_ioport_write                 = declare(
        "IDE PIO wr @ {addr:#x} ({reg}); val {val:#04x}; bus {bus:#x} IDEState {s:#x}")
    ide_status_read                  = declare(
        "IDE PIO rd @ {addr:#x} (Alt Status); val {val:#04x}; bus {bus:#x}; IDEState {s:#x}")
    ide_cmd_write                    = declare("IDE PIO wr @ {addr:#x} (Device Control); val {val:#04x}; bus {bus:#x}")
    ide_exec_cmd                     = declare("IDE exec cmd: bus {bus:#x}; state {state:#x}; cmd {cmd:#04x}")
    ide_reset                        = declare("IDEstate {s:#x}")
    bmdma_reset                      = declare()
    bmdma_read                       = declare("bmdma: readb {addr:#x} : {val:#04x}")
    bmdma_write                      = declare("bmdma: writeb {addr:#x} : {val:#04x}")

    # hw/display/vga
    vga_std_read_io                  = declare("addr {addr:#x}, val {val:#x}")
    vga_std_write_io                 = declare("addr {addr:#x}, val {val:#x}")
    vga_vbe_read                     = declare("index {index:#x}, val {val:#x}")
    vga_vbe_write                    = declare("index {index:#x}, val {val:#x}")
    # fmt: on


SILENT: Final = TraceEvents()
"""Of parts that belong to no machine: nothing is ever on."""
