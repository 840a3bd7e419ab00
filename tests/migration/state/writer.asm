; A ROM that writes to one page after the other of 2 MiB of memory, one in PAUSE nanoseconds, and counts them.

        bits 16
        org 0

COUNT   equ 0x600               ; 32 bits
FIRST   equ 0x100000
BEHIND  equ 0x300000

start:  cli
        xor ax, ax
        mov ds, ax
        mov dword [COUNT], 0
        lgdt [cs:table]         ; DS gets a limit of 4 GiB
        mov eax, cr0
        inc ax
        mov cr0, eax
        mov bx, 8
        mov ds, bx
        dec ax
        mov cr0, eax
        xor bx, bx
        mov ds, bx
        rdtsc
        mov ecx, eax

again:  mov edi, FIRST
next:   inc dword [COUNT]
        mov esi, [COUNT]
        mov [edi], esi
        add ecx, PAUSE
.wait:  rdtsc
        sub eax, ecx
        js .wait
        cmp eax, PAUSE          ; held up: what it has missed is not made up for
        jb .go
        add ecx, eax
.go:    add edi, 0x1000
        cmp edi, BEHIND
        jb next
        jmp again

table:  dw 15
        dd 0xf0000 + table
        dw 0
        dd 0xffff, 0x8f9300
