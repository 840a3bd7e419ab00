; Power off by ACPI (or APM), and restart.

        bits 16

power_off:
        call print
        db "  good bye", 10, 0
        call enter_protected

        bits 32
        call find_acpi
        call leave_protected

        bits 16
        cmp word [acpi_control], 0
        je .apm
        mov dx, [acpi_control]
        in ax, dx
        test al, 1              ; SCI_EN: ACPI mode is on
        jnz .enabled
        mov dx, [acpi_command]
        test dx, dx
        jz .enabled
        mov al, [acpi_enable]
        out dx, al
        mov cx, 1000
.wait:  mov dx, [acpi_control]
        in ax, dx
        test al, 1
        loopz .wait
.enabled:
        mov ax, [acpi_state]
        shl ax, 10              ; SLP_TYP
        or ax, 1 << 13          ; SLP_EN
        mov dx, [acpi_control]
        out dx, ax
        call short_wait
.apm:   mov ax, 0x5301          ; connect to the APM interface
        xor bx, bx
        int 0x15
        mov ax, 0x530e          ; we know version 1.2
        xor bx, bx
        mov cx, 0x0102
        int 0x15
        mov ax, 0x5307          ; all devices: off
        mov bx, 1
        mov cx, 3
        int 0x15
        call short_wait
        call print
        db "  this machine cannot switch itself off; you may do it now", 0
        ret

restart:
        call print
        db "  see you soon", 10, 0
        call short_wait
        cli
        mov al, 0xfe            ; the keyboard controller's reset line
        out 0x64, al
        mov ecx, 1000000
.wait:  in al, 0x64
        dec ecx
        jnz .wait
        lidt [.nothing]         ; otherwise a triple fault
        int3
.nothing: dw 0, 0, 0

; Two to three ticks of the timer.
short_wait:
        push cx
        mov cx, 3
.next:  sti
        hlt
        loop .next
        pop cx
        ret

        bits 32

; Find the PM1a control port and the sleep type of \_S5 (ACPI 1.0b, 5.2 and 7.4.1).
find_acpi:
        mov esi, 0xe0000
.scan:  cmp dword [esi], 0x20445352     ; "RSD "
        jne .next
        cmp dword [esi+4], 0x20525450   ; "PTR "
        jne .next
        xor eax, eax
        xor ecx, ecx
.sum:   add al, [esi+ecx]
        inc ecx
        cmp ecx, 20
        jb .sum
        test al, al
        jz .root
.next:  add esi, 16
        cmp esi, 0x100000
        jb .scan
        ret
.root:  mov esi, [esi+16]       ; RSDT
        mov ecx, [esi+4]
        sub ecx, 36
        shr ecx, 2
        jz .none
        add esi, 36
.table: mov edi, [esi]
        cmp dword [edi], 0x50434146     ; "FACP"
        je .fixed
        add esi, 4
        dec ecx
        jnz .table
.none:  ret
.fixed: mov esi, [edi+40]       ; DSDT
        mov ecx, [esi+4]
        add ecx, esi
.name:  cmp dword [esi], 0x5f35535f     ; "_S5_"
        jne .on
        cmp byte [esi+4], 0x12          ; followed by a package
        je .package
.on:    inc esi
        cmp esi, ecx
        jb .name
        ret
.package:
        movzx eax, byte [esi+5]         ; its length has up to three bytes more
        shr eax, 6
        lea esi, [esi+eax+7]            ; first element
        mov al, [esi]
        cmp al, 0x0a                    ; a byte follows; otherwise it is 0 or 1 itself
        jne .value
        mov al, [esi+1]
.value: and eax, 7
        mov [acpi_state], ax
        mov eax, [edi+64]
        mov [acpi_control], ax
        mov eax, [edi+48]
        mov [acpi_command], ax
        mov al, [edi+52]
        mov [acpi_enable], al
        ret

        bits 16

        align 2, db 0
acpi_control: dw 0
acpi_command: dw 0
acpi_state:   dw 0
acpi_enable:  db 0
        align 512, db 0
stage2_end:
