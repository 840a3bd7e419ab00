; Option ROM that starts a Linux kernel out of fw_cfg.
;
; The firmware finds it as genroms/linuxboot.bin, sees the PnP expansion header's boot entry vector (PnP BIOS 1.0A,
; 3.2) and calls that when its turn in the boot order comes. The vector fetches each part by fw_cfg DMA, to any
; 32-bit address without leaving real mode, and enters the kernel's setup code (boot.rst, "running the kernel").
;
; The blocks count at byte 2 and both checksums are entered after assembly.

        bits 16
        org 0

FW_CFG_DMA_HIGH equ 0x514
FW_CFG_DMA_LOW  equ 0x518
DMA_READ        equ 2
DMA_SELECT      equ 8

; Scratch memory, where a boot sector would have been.
descriptor      equ 0x7c00      ; control, length, address high, address low: all big-endian
size            equ 0x7c10
address         equ 0x7c14
setup_address   equ 0x7c18
cmdline_address equ 0x7c1c

        db 0x55, 0xaa, 0
        retf                    ; initialization: nothing to do
        times 0x1a-($-$$) db 0
        dw pnp
        align 16, db 0
pnp:    db "$PnP", 1, 2         ; revision 1.0, length in units of 16 bytes
        dw 0                    ; no other header
        db 0, 0                 ; reserved, checksum
        dd 0                    ; device identifier
        dw maker, product
        db 0, 0, 0, 0           ; type: unclassified; indicators
        dw 0, 0, boot           ; connection, disconnect, bootstrap entry vectors
        dw 0, 0

maker:   db "pyqemu", 0
product: db "Linux loader", 0

boot:   cli
        cld
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, descriptor
        push cs
        pop es
        mov si, parts
.next:  cs lodsw                ; key of the size, address, data
        test ax, ax
        jz .start
        mov edi, size
        call read_word
        cs lodsw
        mov edi, address
        call read_word
        cs lodsw
        mov edi, [address]
        mov ecx, [size]
        jecxz .next
        call read
        jmp .next

.start: mov ax, 0x16            ; address of the setup code
        mov edi, setup_address
        call read_word
        mov ax, 0x13            ; address of the command line
        mov edi, cmdline_address
        call read_word
        mov eax, [setup_address]
        mov ebx, [cmdline_address]
        sub ebx, eax
        sub bx, 16
        shr eax, 4
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov sp, bx
        add ax, 0x20            ; behind the boot sector
        push ax
        push word 0
        retf

parts:  dw 0x17, 0x16, 0x18     ; setup code
        dw 0x14, 0x13, 0x15     ; command line
        dw 0x08, 0x07, 0x11     ; kernel
        dw 0x0b, 0x0a, 0x12     ; initrd
        dw 0

; Read 4 bytes of item ax to edi.
read_word:
        mov ecx, 4
; Read ecx bytes of item ax to edi.
read:   shl eax, 16
        mov ax, DMA_READ + DMA_SELECT
        bswap eax
        mov [descriptor], eax
        bswap ecx
        mov [descriptor+4], ecx
        mov dword [descriptor+8], 0
        bswap edi
        mov [descriptor+12], edi
        xor eax, eax
        mov dx, FW_CFG_DMA_HIGH
        out dx, eax
        mov eax, descriptor
        bswap eax
        mov dx, FW_CFG_DMA_LOW
        out dx, eax
.wait:  mov eax, [descriptor]   ; becomes 0, or 1 (big-endian) after an error
        test eax, 0xfeffffff
        jnz .wait
        ret
