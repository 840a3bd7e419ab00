; 64-bit mode: four-level paging, 64-bit arithmetic with all registers, an address in the upper half.

        bits 16

PML4    equ 0x20000
PDPT    equ 0x21000
PD      equ 0x22000
EFER    equ 0xc0000080
LONG_ROUNDS equ 200000
UPPER_HALF  equ 0xffff800000000000

long_mode_test:
        call has_cpuid
        jc .absent
        test dword [features+8], 1 << 29        ; LM
        jz .absent
        call print
        db "  64-bit mode, four-level paging:", 10, 0
        call enter_protected

        bits 32
        call run_long
        call leave_protected

        bits 16
        call print
        db "    200000 rounds of 64-bit arithmetic ", 0
        mov eax, [long_result+4]
        call print_hex8
        mov eax, [long_result]
        call print_hex8
        mov al, ' '
        call putc
        cmp dword [long_result], LONG_RESULT_LOW
        jne .bad
        cmp dword [long_result+4], LONG_RESULT_HIGH
        jne .bad
        clc
        jmp .sum
.bad:   stc
.sum:   call print_result
        call print
        db 10, "    the same byte at ffff800000000000 and below ", 0
        mov eax, [long_seen]
        cmp eax, [long_marker]
        clc
        je .seen
        stc
.seen:  jmp print_result
.absent:
        call print
        db "  this CPU has no 64-bit mode", 0
        ret

        bits 32

run_long:
        mov edi, PML4           ; three pages of tables, empty
        mov ecx, 3*1024
        xor eax, eax
        rep stosd
        mov dword [PML4], PDPT + 3
        mov dword [PML4 + 256*8], PDPT + 3      ; the upper half begins with the same memory
        mov dword [PDPT], PD + 3
        mov edi, PD
        mov eax, 0x83           ; 2 MiB pages, present, writable
.page:  mov [edi], eax
        add edi, 8
        add eax, 0x200000
        cmp edi, PD + 0x1000
        jb .page
        mov eax, cr4
        or eax, 1 << 5          ; PAE
        mov cr4, eax
        mov eax, PML4
        mov cr3, eax
        mov ecx, EFER
        rdmsr
        or eax, 1 << 8          ; long mode enable
        wrmsr
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        jmp CODE64:.long

        bits 64
.long:  call long_work
        push CODE32
        lea rax, [rel .compatible]
        push rax
        retfq

        bits 32
.compatible:
        mov eax, cr0
        and eax, 0x7fffffff
        mov cr0, eax
        mov ecx, EFER
        rdmsr
        and eax, 0xfffffeff
        wrmsr
        mov eax, cr4
        and eax, 0xffffffdf
        mov cr4, eax
        ret

        bits 64

long_work:
        mov r8, 0x123456789abcdef0
        mov r9, 0x9e3779b97f4a7c15
        mov r10d, LONG_ROUNDS
.round: mov rax, r8
        mul r9
        xor rax, rdx
        add rax, r10
        rol rax, 17
        mov r8, rax
        dec r10d
        jnz .round
        mov [rel long_result], r8
        mov r11, UPPER_HALF
        mov r12d, [r11+long_marker]
        mov [rel long_seen], r12d
        ret

        bits 16

        align 8, db 0
long_result: dd 0, 0
long_marker: dd 0x600df00d
long_seen:   dd 0
