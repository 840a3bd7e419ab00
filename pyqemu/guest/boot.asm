; Boot sector: load stage 2 and go there.
;
; Stage 2 follows the boot sector on the disk. It is read by the LBA extensions of INT 13h if the BIOS has them for this
; drive, otherwise sector by sector with the geometry that INT 13h AH=08h tells. The image builder overwrites the bytes
; from 0x1b8 on with the disk signature and the partition table.

        bits 16
        org 0x7c00

; Given by the image builder: STAGE2 (where it goes) and STAGE2_SECTORS.

start:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        sti
        jmp 0:.here             ; some BIOSes start us at 07c0:0000
.here:  mov [drive], dl
        test dl, 0x80
        jz .geometry
        mov ah, 0x41            ; extensions present?
        mov bx, 0x55aa
        int 0x13
        jc .geometry
        cmp bx, 0xaa55
        jne .geometry
        test cl, 1
        jz .geometry
        mov si, packet
        mov dl, [drive]
        mov ah, 0x42
        int 0x13
        jnc .go

.geometry:
        mov dl, [drive]
        mov ah, 8
        int 0x13
        jc .failed
        and cx, 0x3f
        mov [sectors], cx
        movzx dx, dh
        inc dx
        mov [heads], dx
        xor ax, ax
        mov es, ax              ; a floppy's parameter table was in es:di
        mov bx, STAGE2
        mov si, 1
.next:  mov ax, si              ; sector = LBA mod sectors + 1; head = LBA div sectors mod heads; ...
        xor dx, dx
        div word [sectors]
        mov cl, dl
        inc cl
        xor dx, dx
        div word [heads]
        mov dh, dl
        mov dl, [drive]
        mov ch, al
        shl ah, 6
        or cl, ah
        mov ax, 0x0201
        int 0x13
        jc .failed
        add bx, 512
        inc si
        cmp si, STAGE2_SECTORS + 1
        jb .next

.go:    mov dl, [drive]
        jmp 0:STAGE2

.failed:
        mov si, message
.print: lodsb
        test al, al
        jz .stop
        mov bx, 7
        mov ah, 0x0e
        int 0x10
        jmp .print
.stop:  hlt
        jmp .stop

message: db "pyqemu guest: the disk cannot be read", 13, 10, 0

        align 4, db 0
packet: db 16, 0                ; disk address packet (EDD 3.0)
        dw STAGE2_SECTORS
        dw STAGE2, 0
        dd 1, 0

drive:   db 0
         db 0
sectors: dw 0
heads:   dw 0

        times 0x1b8-($-$$) db 0
