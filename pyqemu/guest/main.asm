; Stage 2 of the guest: a tour of the PC in one segment.
;
; All segment registers are 0, so that a label is the same address in real mode, in protected mode with flat segments
; and in long mode. The parts of the program are the files beside this one, assembled one after the other:
;
;   main.asm        start, menu, keys                 protected.asm   to protected mode and back
;   console.asm     screen and serial output          bench.asm       benchmark (32-bit)
;   info.asm        CPU, memory map, clock            faults.asm      exceptions (32-bit, paging)
;   disk.asm        drives, sectors, the FAT volume   long.asm        64-bit mode
;   power.asm       power off, reset                  memory.asm      memory test (32-bit)
;
; Conventions of the 16-bit code: direction flag clear; routines keep all registers but those they return something in.

        bits 16

STACK           equ 0x7c00      ; grows down
SECTOR          equ 0x1000      ; one sector
SECTOR2         equ 0x1200      ; another
FAT             equ 0x1400      ; the first sectors of the FAT, up to 0x2000
MAP             equ 0x2000      ; entries of the memory map, 24 bytes each
MAP_LIMIT       equ 32
BIOS_TICKS      equ 0x46c       ; BIOS data area: timer ticks since midnight
BIOS_DRIVES     equ 0x475       ; number of hard disks
KEYS_HEAD       equ 0x41a       ; keyboard buffer
KEYS_TAIL       equ 0x41c
COM1            equ 0x3f8

        org STAGE2

stage2: cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, STACK
        cld
        sti
        mov [boot_drive], dl
        mov ax, 3               ; 80 columns by 25 rows of text, cleared
        int 0x10
        call serial_start
        call show_banner
        call show_info
        call show_menu

menu:   mov sp, STACK
        call print
        db 10, 0x1e, "> ", 0x17, 0
        call wait_key
        cmp al, 13
        je menu
        call putc
        or al, 0x20             ; lower case
        mov si, commands
.next:  cmp byte [si], 0
        je .unknown
        cmp al, [si]
        je .found
        add si, 3
        jmp .next
.found: call newline
        call word [si+1]
        jmp menu
.unknown:
        call print
        db "   that key does nothing; h lists those that do", 0
        jmp menu

commands:
        db 'h'
        dw show_menu
        db 'i'
        dw show_info
        db 'd'
        dw show_disks
        db 'w'
        dw write_test
        db 't'
        dw show_time
        db 'b'
        dw benchmark
        db 'm'
        dw memory_test
        db 'l'
        dw long_mode_test
        db 'e'
        dw exception_test
        db 'p'
        dw power_off
        db 'r'
        dw restart
        db 0

show_banner:
        mov byte [background], 0x10
        call print
        db 0x1f, 0xc9
        times 76 db 0xcd
        db 0xbb
        db 0x10, 10, 0x1f       ; colour 0 between the lines: only the box itself is blue
        db 0xba, "  ", 0x1e, "pyqemu", 0x1f
        db "   Welcome inside. Every part of this PC is a piece of Python.      "
        db 0xba
        db 0x10, 10, 0x1f
        db 0xc8
        times 76 db 0xcd
        db 0xbc, 0
        mov byte [background], 0
        call print
        db 0x17, 10, 0
        ret

show_menu:
        call print
        db 10, 0x1b, "  i", 0x17, " info   ", 0x1b, "d", 0x17, " disks    ", 0x1b, "w", 0x17, " write test   "
        db 0x1b, "t", 0x17, " time        ", 0x1b, "b", 0x17, " benchmark   ", 0x1b, "m", 0x17, " memory test"
        db 10, 0x1b, "  h", 0x17, " help   ", 0x1b, "l", 0x17, " 64-bit   ", 0x1b, "e", 0x17, " exceptions   "
        db 0x1b, "p", 0x17, " power off   ", 0x1b, "r", 0x17, " restart", 0
        ret

; Wait for a key from the keyboard or COM1; returns its character in al. Sleeps in between: every source is an interrupt.
wait_key:
        cli
        mov ax, [KEYS_HEAD]
        cmp ax, [KEYS_TAIL]
        jne .keyboard
        mov ax, [serial_head]
        cmp ax, [serial_tail]
        jne .serial
        sti
        hlt                     ; sti takes effect after hlt has begun: nothing is missed
        jmp wait_key
.keyboard:
        sti
        mov ah, 0
        int 0x16
        test al, al             ; function keys have no character
        jz wait_key
        ret
.serial:
        push bx
        mov bx, ax
        mov al, [serial_ring+bx]
        inc bx
        and bx, 63
        mov [serial_head], bx
        pop bx
        sti
        cmp al, 10
        jne .done
        mov al, 13
.done:  ret

; Whether a key waits (zero flag clear: yes).
key_waits:
        push ax
        mov ax, [KEYS_HEAD]
        cmp ax, [KEYS_TAIL]
        jne .done
        mov ax, [serial_head]
        cmp ax, [serial_tail]
.done:  pop ax
        ret

boot_drive: db 0
