; Benchmark: integer work in 32-bit protected mode, timed by the 18.2 Hz timer.
;
; Each part is repeated until 18 ticks (0.99 s) have gone by. A part returns its result in eax, which must be right,
; and executes the same number of instructions every time (the table has it; the tests count them), so that loops per
; second can be told as million instructions per second, too.

        bits 16

BENCH_DATA equ 0x30000
SIEVE_SIZE equ 8192
SORT_COUNT equ 512
CRC_SIZE   equ 1024
BENCH_TICKS equ 18
TIMER_HZ   equ 1193182          ; divided by 65536: 18.2

benchmark:
        call print
        db "  32-bit protected mode, about a second each:", 0
        mov dword [total_mips], 0
        mov si, bench_parts
.next:  call newline
        movzx esi, si
        call print
        db "    ", 0
        push si
        mov si, [si+16]
        call puts
        pop si
        call enter_protected

        bits 32
        call bench_part
        call leave_protected

        bits 16
        call show_speed
        add si, 28
        cmp si, bench_parts + 3*28
        jb .next
        call print
        db 10, "    together ", 0x1e, 0
        mov eax, [total_mips]
        xor edx, edx
        mov ecx, 3
        div ecx
        call print_decimal
        call print
        db 0x17, " million instructions per second on average", 0
        ret

; Loops and ticks of the part at si are known: show loops per second, whether the result is right, and MIPS.
show_speed:
        pushad
        mov eax, [si+20]        ; loops * TIMER_HZ / 65536 / ticks
        mov ecx, TIMER_HZ
        mul ecx
        shrd eax, edx, 16
        xor edx, edx
        div dword [si+24]
        mov ebp, eax
        mov cl, 9
        call print_decimal_width
        call print
        db " loops/s   ", 0
        mov eax, [si+12]
        cmp eax, [si+8]
        clc
        je .right
        stc
.right: call print_result
        mov eax, ebp
        mul dword [si+4]
        mov ecx, 1000000
        div ecx
        add [total_mips], eax
        mov cl, 9
        call print_decimal_width
        call print
        db " MIPS", 0
        popad
        ret

        bits 32

; Repeat the part at esi.
bench_part:
        sti
        mov eax, [timer_ticks]
.edge:  hlt
        cmp eax, [timer_ticks]
        je .edge
        mov ebp, [timer_ticks]
        mov dword [esi+20], 0
.loop:  push esi
        push ebp
        call dword [esi]
        pop ebp
        pop esi
        mov [esi+12], eax
        inc dword [esi+20]
        mov eax, [timer_ticks]
        sub eax, ebp
        cmp eax, BENCH_TICKS
        jb .loop
        mov [esi+24], eax
        cli
        ret

; The primes below SIEVE_SIZE, counted.
bench_sieve:
        mov edi, BENCH_DATA
        mov eax, 0x01010101
.fill:  mov [edi], eax
        add edi, 4
        cmp edi, BENCH_DATA + SIEVE_SIZE
        jb .fill
        mov esi, 2
.next:  cmp byte [BENCH_DATA+esi], 0
        je .skip
        mov eax, esi
        imul eax, esi
        cmp eax, SIEVE_SIZE
        jae .count
.strike:
        mov byte [BENCH_DATA+eax], 0
        add eax, esi
        cmp eax, SIEVE_SIZE
        jb .strike
.skip:  inc esi
        jmp .next
.count: xor eax, eax
        mov esi, 2
.add:   movzx edx, byte [BENCH_DATA+esi]
        add eax, edx
        inc esi
        cmp esi, SIEVE_SIZE
        jb .add
        ret

; CRC-32 of the bytes i*7+3, bit by bit.
bench_crc:
        mov edi, BENCH_DATA
        mov eax, 3
.fill:  mov [edi], al
        add eax, 7
        inc edi
        cmp edi, BENCH_DATA + CRC_SIZE
        jb .fill
        mov esi, BENCH_DATA
        mov eax, -1
.byte:  xor al, [esi]
        inc esi
        mov ecx, 8
.bit:   shr eax, 1
        jnc .even
        xor eax, 0xedb88320
.even:  dec ecx
        jnz .bit
        cmp esi, BENCH_DATA + CRC_SIZE
        jb .byte
        not eax
        ret

; Shell's sort of pseudo-random numbers; the result mixes them in their new order.
bench_sort:
        mov edi, BENCH_DATA
        mov eax, 1
.fill:  imul eax, eax, 1664525
        add eax, 1013904223
        mov [edi], eax
        add edi, 4
        cmp edi, BENCH_DATA + 4*SORT_COUNT
        jb .fill
        mov ebx, 121            ; gaps 121, 40, 13, 4, 1
.gap:   mov esi, ebx
.item:  mov eax, [BENCH_DATA+esi*4]
        mov edi, esi
.shift: mov ecx, edi
        sub ecx, ebx
        jb .place
        mov edx, [BENCH_DATA+ecx*4]
        cmp edx, eax
        jbe .place
        mov [BENCH_DATA+edi*4], edx
        mov edi, ecx
        jmp .shift
.place: mov [BENCH_DATA+edi*4], eax
        inc esi
        cmp esi, SORT_COUNT
        jb .item
        mov eax, ebx            ; next gap = (gap - 1) / 3
        dec eax
        xor edx, edx
        mov ecx, 3
        div ecx
        mov ebx, eax
        test ebx, ebx
        jnz .gap
        xor eax, eax
        mov esi, BENCH_DATA
.mix:   rol eax, 5
        add eax, [esi]
        add esi, 4
        cmp esi, BENCH_DATA + 4*SORT_COUNT
        jb .mix
        ret

        bits 16

; Entry point, instructions, right result, result, name, loops, ticks.
        align 4, db 0
bench_parts:
        dd bench_sieve, SIEVE_INSTRUCTIONS, 1028, 0, .sieve, 0, 0
        dd bench_crc, CRC_INSTRUCTIONS, CRC_RESULT, 0, .crc, 0, 0
        dd bench_sort, SORT_INSTRUCTIONS, SORT_RESULT, 0, .sort, 0, 0
.sieve: db "primes below 8192   ", 0
.crc:   db "crc32 of 1 KiB      ", 0
.sort:  db "sort 512 numbers    ", 0
total_mips: dd 0
