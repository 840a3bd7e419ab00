; What the counting ROM does besides if it has a disk: writes each count into a sector, again and again, of sixteen, and
; reads the sector before. What it finds wrong it prints, which is no count.
;
; Primary IDE channel, master, LBA, by polling.

DATA    equ 0x1f0
STATUS  equ 0x1f7
DRQ     equ 8
BUSY    equ 0x80

store:  mov ebx, [COUNT]
        mov ah, 0x30            ; write
        call begin
        mov cx, 128
        mov eax, ebx
        mov dx, DATA
.put:   out dx, eax
        loop .put
        call ready
        dec ebx
        jz .done
        mov ah, 0x20            ; read
        call begin
        mov cx, 128
.get:   mov dx, DATA
        in eax, dx
        cmp eax, ebx
        je .good
        push cx
        mov ebx, 0xbad00bad
        call print
        pop cx
.good:  loop .get
        call ready
.done:  ret

begin:  call ready              ; of sector ebx modulo 16, and 16 more
        mov dx, 0x1f6
        mov al, 0xe0
        out dx, al
        mov dx, 0x1f2
        mov al, 1
        out dx, al
        inc dx
        mov al, bl
        and al, 15
        or al, 16
        out dx, al
        inc dx
        xor al, al
        out dx, al
        inc dx
        out dx, al
        mov dx, STATUS
        mov al, ah
        out dx, al
.wait:  in al, dx
        test al, DRQ
        jz .wait
        ret

ready:  mov dx, STATUS
.wait:  in al, dx
        test al, BUSY
        jnz .wait
        ret
