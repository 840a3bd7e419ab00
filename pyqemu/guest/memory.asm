; Memory test: from 1 MiB up to 8 MiB, as far as the first range of RAM there goes.

        bits 16

memory_test:
        call read_map
        mov di, MAP             ; the range that begins at 1 MiB
        mov cx, [map_entries]
.find:  cmp dword [di], 0x100000
        jne .other
        cmp dword [di+16], 1
        je .found
.other: add di, 24
        loop .find
.none:  call print
        db "  there is less than a MiB of memory above the first", 0
        ret
.found: mov ebp, [di+8]
        cmp dword [di+12], 0
        jne .large
        cmp ebp, 7 << 20
        jbe .limit
.large: mov ebp, 7 << 20
.limit: shr ebp, 20             ; whole MiB
        jz .none
        mov ebx, 0x100000
        call print
        db "  address pattern and its complement:", 0
.next:  test bp, bp
        jz .done
        call enter_protected

        bits 32
        call test_megabyte
        call leave_protected

        bits 16
        call print
        db 10, "    MiB ", 0
        mov eax, ebx
        shr eax, 20
        call print_decimal
        call print
        db "  ", 0
        cmp dword [memory_errors], 1
        cmc
        call print_result
        add ebx, 0x100000
        dec bp
        jmp .next
.done:  ret

        bits 32

; Test the MiB at ebx; the number of words that were wrong is in memory_errors.
test_megabyte:
        mov dword [memory_errors], 0
        xor edx, edx            ; first as it is, then complemented
.pass:  mov edi, ebx
        lea ecx, [ebx+0x100000]
.write: mov eax, edi
        xor eax, edx
        mov [edi], eax
        add edi, 4
        cmp edi, ecx
        jb .write
        mov edi, ebx
.check: mov eax, edi
        xor eax, edx
        cmp eax, [edi]
        je .same
        inc dword [memory_errors]
.same:  add edi, 4
        cmp edi, ecx
        jb .check
        not edx
        test edx, edx
        jnz .pass
        ret

        bits 16

        align 4, db 0
memory_errors: dd 0
