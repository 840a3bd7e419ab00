; Option ROM that starts a multiboot kernel out of fw_cfg; see linux_rom.asm for how the firmware finds it.
;
; The kernel with its modules is one item, the multiboot information another. What remains to be done is
; multiboot_start.asm, which is appended to this ROM (label start_code) and copied to where it runs.

        bits 16
        org 0

FW_CFG_DMA_HIGH equ 0x514
FW_CFG_DMA_LOW  equ 0x518
DMA_READ        equ 2
DMA_SELECT      equ 8

descriptor      equ 0x7c00      ; control, length, address high, address low: all big-endian
size            equ 0x7c10
address         equ 0x7c14
start_address   equ 0x7e00
start_size      equ 0x200
information     equ start_address + 4
entry           equ start_address + 8

        db 0x55, 0xaa, 0
        retf
        times 0x1a-($-$$) db 0
        dw pnp
        align 16, db 0
pnp:    db "$PnP", 1, 2
        dw 0
        db 0, 0
        dd 0
        dw maker, product
        db 0, 0, 0, 0
        dw 0, 0, boot
        dw 0, 0

maker:   db "pyqemu", 0
product: db "multiboot loader", 0

boot:   cli
        cld
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, descriptor
        mov si, start_code
        mov di, start_address
        mov cx, start_size
        cs rep movsb
        mov ax, 0x08            ; kernel and modules
        mov edi, size
        call read_word
        mov ax, 0x07
        mov edi, address
        call read_word
        mov ax, 0x11
        mov edi, [address]
        mov ecx, [size]
        call read
        mov ax, 0x0b            ; information
        mov edi, size
        call read_word
        mov ax, 0x0a
        mov edi, information
        call read_word
        mov ax, 0x12
        mov edi, [information]
        mov ecx, [size]
        call read
        mov ax, 0x10            ; entry point
        mov edi, entry
        call read_word
        jmp 0:start_address

read_word:
        mov ecx, 4
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
.wait:  mov eax, [descriptor]
        test eax, 0xfeffffff
        jnz .wait
        ret

start_code:
