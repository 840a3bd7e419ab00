; What the machine is: CPU (CPUID), memory map (INT 15h), drives in short, clock (INT 1Ah).

        bits 16

show_info:
        call print
        db 10, 0
        call show_cpu
        call read_map
        call show_map
        call show_drives
        jmp show_clock

; -- CPU -----------------------------------------------------------------------------------------------

; Whether there is CPUID: bit 21 of EFLAGS can be changed (carry clear: yes).
has_cpuid:
        push eax
        push ecx
        pushfd
        pop eax
        mov ecx, eax
        xor eax, 1 << 21
        push eax
        popfd
        pushfd
        pop eax
        push ecx
        popfd
        xor eax, ecx
        test eax, 1 << 21
        pop ecx
        pop eax
        jz .no
        clc
        ret
.no:    stc
        ret

show_cpu:
        call print
        db 0x1b, "  CPU       ", 0x17, 0
        call has_cpuid
        jnc .identify
        call print
        db "a 386 or 486 that does not know CPUID", 10, 0
        ret
.identify:
        xor eax, eax
        cpuid
        mov [cpu_text], ebx
        mov [cpu_text+4], edx
        mov [cpu_text+8], ecx
        mov byte [cpu_text+12], 0
        mov si, cpu_text
        call puts
        mov eax, 1
        cpuid
        mov [features], edx
        mov [features+4], ecx
        call show_family
        call newline
        mov eax, 0x80000000
        cpuid
        mov dword [features+8], 0
        cmp eax, 0x80000001
        jb .features
        cmp eax, 0x800000ff
        ja .features
        push eax
        mov eax, 0x80000001
        cpuid
        mov [features+8], edx
        pop eax
        cmp eax, 0x80000004
        jb .features
        call show_brand
.features:
        jmp show_features

; eax: the signature of CPUID leaf 1. Family and model have extensions (SDM volume 2A, CPUID).
show_family:
        mov ebx, eax
        call print
        db ", family ", 0
        shr eax, 8
        and eax, 15
        cmp al, 15
        jne .family
        mov edx, ebx
        shr edx, 20
        and edx, 0xff
        add eax, edx
.family:
        call print_decimal
        mov cl, al
        call print
        db ", model ", 0
        mov eax, ebx
        shr eax, 4
        and eax, 15
        cmp cl, 6
        jb .model
        mov edx, ebx
        shr edx, 12
        and edx, 0xf0
        or eax, edx
.model: call print_decimal
        call print
        db ", stepping ", 0
        mov eax, ebx
        and eax, 15
        jmp print_decimal

show_brand:
        mov eax, 0x80000002
        mov di, cpu_text
.leaf:  push eax
        cpuid
        stosd
        mov eax, ebx
        stosd
        mov eax, ecx
        stosd
        mov eax, edx
        stosd
        pop eax
        inc eax
        cmp eax, 0x80000004
        jbe .leaf
        mov byte [di], 0
        mov si, cpu_text
.trim:  cmp byte [si], ' '
        jne .show
        inc si
        jmp .trim
.show:  mov al, 12
        call print_tab
        call puts
        jmp newline

show_features:
        call print
        db 0x1b, "  Features  ", 0x17, 0
        mov si, feature_names
.next:  lodsb                   ; word and bit, or 255
        cmp al, 255
        je .done
        movzx ebx, al
        bt [features], ebx
        jnc .skip
        cmp byte [column], 72
        jb .fits
        call newline
        mov al, 12
        call print_tab
.fits:  call puts
        mov al, ' '
        call putc
        jmp .next
.skip:  lodsb
        test al, al
        jnz .skip
        jmp .next
.done:  jmp newline

; Bit in the words EDX and ECX of leaf 1 and EDX of leaf 80000001h.
feature_names:
        db 0, "fpu", 0, 3, "pse", 0, 4, "tsc", 0, 5, "msr", 0, 6, "pae", 0, 8, "cx8", 0, 9, "apic", 0
        db 11, "sep", 0, 12, "mtrr", 0, 13, "pge", 0, 15, "cmov", 0, 16, "pat", 0, 23, "mmx", 0, 24, "fxsr", 0
        db 25, "sse", 0, 26, "sse2", 0, 32, "sse3", 0, 41, "ssse3", 0, 45, "cx16", 0, 51, "sse4.1", 0
        db 52, "sse4.2", 0, 55, "popcnt", 0, 63, "hypervisor", 0, 75, "syscall", 0, 84, "nx", 0, 93, "lm", 0, 255

; -- memory --------------------------------------------------------------------------------------------

; Read the memory map to MAP; the number of entries is in map_entries. Without E820 there is one from AH=88h.
read_map:
        pushad
        mov word [map_entries], 0
        mov di, MAP
        xor ebx, ebx
.next:  mov eax, 0xe820
        mov edx, 0x534d4150     ; "SMAP"
        mov ecx, 20
        int 0x15
        jc .last
        cmp eax, 0x534d4150
        jne .last
        add di, 24
        inc word [map_entries]
        cmp word [map_entries], MAP_LIMIT
        jae .done
        test ebx, ebx
        jnz .next
.last:  cmp word [map_entries], 0
        jne .done
        mov ah, 0x88            ; KiB above 1 MiB
        int 0x15
        movzx eax, ax
        shl eax, 10
        mov [MAP+8], eax
        xor eax, eax
        mov [MAP+4], eax
        mov [MAP+12], eax
        mov dword [MAP], 0x100000
        mov dword [MAP+16], 1
        inc word [map_entries]
.done:  popad
        ret

show_map:
        call print
        db 0x1b, "  Memory    ", 0x17, 0
        int 0x12
        movzx eax, ax
        call print_decimal
        call print
        db " KiB conventional; the map:", 10, 0
        mov di, MAP
        mov bp, [map_entries]
.next:  mov al, 12
        call print_tab
        mov eax, [di+4]
        call print_hex8
        mov eax, [di]
        call print_hex8
        mov al, '-'
        call putc
        mov eax, [di]           ; last address = start + length - 1
        mov edx, [di+4]
        add eax, [di+8]
        adc edx, [di+12]
        sub eax, 1
        sbb edx, 0
        xchg eax, edx
        call print_hex8
        mov eax, edx
        call print_hex8
        call show_range
        call newline
        add di, 24
        dec bp
        jnz .next
        ret

; Length and kind of the entry at di.
show_range:
        mov eax, [di+8]
        mov edx, [di+12]
        shrd eax, edx, 10
        mov cl, 9
        call print_size
        mov al, ' '
        call putc
        call putc
        mov ebx, [di+16]
        cmp ebx, 4
        ja .other
        dec ebx
        shl bx, 1
        mov si, [.kinds+bx]
        jmp puts
.other: call print
        db "type ", 0
        mov eax, ebx
        jmp print_decimal
.kinds: dw .ram, .reserved, .acpi, .nvs
.ram:      db 0x1a, "usable", 0x17, 0
.reserved: db "reserved", 0
.acpi:     db "ACPI tables", 0
.nvs:      db "ACPI storage", 0

; -- drives --------------------------------------------------------------------------------------------

show_drives:
        mov dl, 0x80
.next:  mov al, dl
        sub al, 0x80
        cmp al, [BIOS_DRIVES]
        jae .done
        call print
        db 0x1b, "  Disk ", 0
        mov al, dl
        call print_hex2
        call print
        db "h  ", 0x17, 0
        call show_drive
        call newline
        inc dl
        jmp .next
.done:  ret

; -- clock ---------------------------------------------------------------------------------------------

show_clock:
        call print
        db 0x1b, "  Clock     ", 0x17, 0
        call print_clock
        jmp newline

; Date and time of the real-time clock, and the ticks since midnight.
print_clock:
        pushad
        mov ah, 4
        int 0x1a
        mov al, ch
        call print_hex2
        mov al, cl
        call print_hex2
        mov al, '-'
        call putc
        mov al, dh
        call print_hex2
        mov al, '-'
        call putc
        mov al, dl
        call print_hex2
        mov al, ' '
        call putc
        mov ah, 2
        int 0x1a
        mov al, ch
        call print_hex2
        mov al, ':'
        call putc
        mov al, cl
        call print_hex2
        mov al, ':'
        call putc
        mov al, dh
        call print_hex2
        call print
        db "   ticks since midnight: ", 0
        mov ah, 0
        int 0x1a
        mov ax, cx
        shl eax, 16
        mov ax, dx
        mov cl, 7
        call print_decimal_width
        popad
        ret

; The clock, once a second until a key comes.
show_time:
        call print
        db "  any key ends this", 10, 0
.again: call print
        db 13, "  ", 0
        call print_clock
        mov ebx, [BIOS_TICKS]
        add ebx, 18
.wait:  call key_waits
        jnz .key
        hlt
        cmp [BIOS_TICKS], ebx   ; at midnight the count starts anew: then this waits for a key
        jb .wait
        jmp .again
.key:   call wait_key
        ret

features:    dd 0, 0, 0
map_entries: dw 0
cpu_text:    times 49 db 0
