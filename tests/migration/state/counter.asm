; A ROM that counts: takes the place of the BIOS, prints one line of eight hexadecimal digits on COM1 for every tenth
; tick of a 100 Hz timer. Every other line is the sum of what was printed before, so that a lost or repeated write shows.
;
; Real mode after a look into protected mode; local APIC's LINT0, 8259, 8254, COM1, hlt.

        bits 16
        org 0

COUNT   equ 0x600               ; 32 bits
TICKS   equ 0x604               ; 32 bits
SUM     equ 0x2004              ; on another page
COM1    equ 0x3f8

start:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7c00
        mov dword [COUNT], 0
        mov dword [TICKS], 0
        mov dword [SUM], 0
        mov word [8 * 4], tick
        mov [8 * 4 + 2], cs

        lgdt [cs:table]         ; DS gets a limit of 4 GiB, to reach the local APIC
        mov eax, cr0
        inc ax
        mov cr0, eax
        mov bx, 8
        mov ds, bx
        dec ax
        mov cr0, eax
        mov edi, 0xfee000f0     ; enabled
        mov dword [edi], 0x1ff
        mov edi, 0xfee00350     ; LINT0 hears the 8259
        mov dword [edi], 0x700
        xor bx, bx
        mov ds, bx

        mov al, 0x11
        out 0x20, al
        mov al, 8
        out 0x21, al
        mov al, 4
        out 0x21, al
        mov al, 1
        out 0x21, al
        mov al, 0xfe
        out 0x21, al

        mov al, 0x34
        out 0x43, al
        mov ax, 11932
        out 0x40, al
        mov al, ah
        out 0x40, al
        sti

next:   mov ebx, [TICKS]
        add ebx, 10
.wait:  hlt
        mov eax, [TICKS]
        cmp eax, ebx
        jb .wait
        inc dword [COUNT]
        mov eax, [COUNT]
        add [SUM], eax
        mov ebx, eax
        call print
        mov ebx, [SUM]
        call print
        jmp next

print:  mov cx, 8
.digit: rol ebx, 4
        mov al, bl
        and al, 15
        add al, 0x30
        cmp al, 0x3a
        jb .put
        add al, 7
.put:   mov dx, COM1
        out dx, al
        loop .digit
        mov al, 10
        mov dx, COM1
        out dx, al
        ret

tick:   push eax
        inc dword [TICKS]
        mov eax, cr0            ; flushes the TLB: QEMU 7.2 as the source loses writes otherwise
        xor eax, 0x10000
        mov cr0, eax
        mov al, 0x20
        out 0x20, al
        pop eax
        iret

table:  dw 15
        dd 0xf0000 + table
        dw 0                    ; what is left of the unused first descriptor
        dd 0xffff, 0x8f9300     ; all of memory
