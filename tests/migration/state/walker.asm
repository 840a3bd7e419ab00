; A ROM that walks through 8 MiB of memory at random: each page holds its number times K, plus how often it was visited,
; in two places. Every visit compares, adds one, and counts; what is wrong it counts in ERRORS. One byte on COM1 for each
; 256 visits.

        bits 16
        org 0

COUNT   equ 0x600               ; 32 bits, visits
ERRORS  equ 0x604
STATE   equ 0x608               ; of the random numbers
FIRST   equ 0x100000
PAGES   equ 2048
K       equ 0x9e3779b1
COM1    equ 0x3f8

start:  cli
        xor ax, ax
        mov ds, ax
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
        mov dword [COUNT], 0
        mov dword [ERRORS], 0
        mov dword [STATE], 1

        mov edi, FIRST
        mov eax, K
        mov ecx, PAGES
fill:   mov [edi + 0x10], eax
        mov [edi + 0xffc], eax
        add eax, K
        add edi, 0x1000
        dec ecx
        jnz fill

visit:  mov eax, [STATE]
        mov ebx, 1103515245
        mul ebx
        add eax, 12345
        mov [STATE], eax
        shr eax, 12
        and eax, PAGES - 1
        shl eax, 12
        mov edi, FIRST
        add edi, eax
        mov eax, [edi + 0x10]
        cmp eax, [edi + 0xffc]
        je .same
        inc dword [ERRORS]
.same:  inc eax
        mov [edi + 0x10], eax
        mov [edi + 0xffc], eax
        inc dword [COUNT]
        mov eax, [COUNT]
        test al, al
        jnz visit
        mov al, 0x2e
        mov dx, COM1
        out dx, al
        jmp visit

table:  dw 15
        dd 0xf0000 + table
        dw 0                    ; what is left of the unused first descriptor
        dd 0xffff, 0x8f9300     ; all of memory
