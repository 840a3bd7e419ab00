; Protected mode with flat segments, and back.
;
; Nothing of the interrupt controllers is set up anew (that could lose a key that waits): while we are in protected mode
; only the timer's interrupt 0 is let through, and its vector stays 8. The stack stays where it is.

        bits 16

CODE32  equ 0x08
DATA32  equ 0x10
CODE16  equ 0x18
DATA16  equ 0x20
CODE64  equ 0x28
ABSENT  equ 0x30                ; a data segment that is not present

IDT     equ 0x2400              ; 32 gates

; Called in 16-bit code; returns to 32-bit code, with interrupts off. eax is lost.
enter_protected:
        cli
        pop ax
        movzx eax, ax
        mov [mode_return], eax
        in al, 0x21
        mov [saved_mask], al
        mov al, 0xfe
        out 0x21, al
        call build_idt
        lgdt [gdt_pointer]
        lidt [idt_pointer]
        mov dword [fault_resume], unexpected
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp CODE32:.inside

        bits 32
.inside:
        mov ax, DATA32
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        movzx esp, sp
        jmp dword [mode_return]

; Called in 32-bit code; returns to 16-bit code in real mode, with interrupts on. eax is lost.
leave_protected:
        cli
        pop dword [mode_return]
        jmp CODE16:.narrow

        bits 16
.narrow:
        mov ax, DATA16          ; limits of 64 KiB, as real mode wants them
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov eax, cr0
        and al, 0xfe
        mov cr0, eax
        jmp 0:.outside
.outside:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        lidt [real_idt_pointer]
        mov al, [saved_mask]
        out 0x21, al
        sti
        jmp word [mode_return]

; The interrupt descriptor table: 32 interrupt gates.
build_idt:
        push si
        push di
        push cx
        mov si, fault_entries
        mov di, IDT
        mov cx, 32
.next:  lodsw
        stosw                   ; offset, low half
        mov ax, CODE32
        stosw
        mov ax, 0x8e00          ; present, 32-bit interrupt gate
        stosw
        xor ax, ax
        stosw
        loop .next
        pop cx
        pop di
        pop si
        ret

        bits 32

; The timer: count, also for the BIOS.
timer_entry:
        push eax
        inc dword [timer_ticks]
        inc dword [BIOS_TICKS]
        mov al, 0x20
        out 0x20, al
        pop eax
        iretd

; Exceptions note what happened and go on at fault_resume.
fault_0:  push byte 0
          push byte 0
          jmp fault
fault_1:  push byte 0
          push byte 1
          jmp fault
fault_3:  push byte 0
          push byte 3
          jmp fault
fault_4:  push byte 0
          push byte 4
          jmp fault
fault_5:  push byte 0
          push byte 5
          jmp fault
fault_6:  push byte 0
          push byte 6
          jmp fault
fault_10: push byte 10
          jmp fault
fault_11: push byte 11
          jmp fault
fault_12: push byte 12
          jmp fault
fault_13: push byte 13
          jmp fault
fault_14: push byte 14
          jmp fault
fault_x:  push byte 0           ; any other
          push byte -1
fault:  cld
        mov [fault_eax], eax
        pop dword [fault_vector]
        pop dword [fault_error]
        mov eax, [esp]
        mov [fault_eip], eax
        mov eax, cr2
        mov [fault_address], eax
        mov eax, [fault_resume]
        mov [esp], eax
        and dword [esp+8], 0xfffffeff   ; single-step ends here
        mov eax, [fault_eax]
        iretd

; Where an exception goes that nobody asked for.
unexpected:
        mov eax, cr0
        and eax, 0x7fffffff     ; paging off
        mov cr0, eax
        mov esp, STACK
        call leave_protected

        bits 16
        call print
        db 10, 0x1c, "  unexpected exception ", 0x17, 0
        mov eax, [fault_vector]
        call print_decimal
        call print
        db " at ", 0
        mov eax, [fault_eip]
        call print_hex8
        jmp menu

fault_entries:
        dw fault_0, fault_1, fault_x, fault_3, fault_4, fault_5, fault_6, fault_x
        dw timer_entry, fault_x, fault_10, fault_11, fault_12, fault_13, fault_14, fault_x
        times 16 dw fault_x

        align 8, db 0
gdt:    dd 0, 0
        dd 0x0000ffff, 0x00cf9a00       ; CODE32
        dd 0x0000ffff, 0x00cf9200       ; DATA32
        dd 0x0000ffff, 0x00009a00       ; CODE16
        dd 0x0000ffff, 0x00009200       ; DATA16
        dd 0x0000ffff, 0x00af9a00       ; CODE64
        dd 0x0000ffff, 0x00cf1200       ; ABSENT
gdt_pointer:
        dw 7*8-1
        dd gdt
idt_pointer:
        dw 32*8-1
        dd IDT
real_idt_pointer:
        dw 0x3ff
        dd 0

        align 4, db 0
mode_return:   dd 0
timer_ticks:   dd 0
fault_vector:  dd 0
fault_error:   dd 0
fault_eip:     dd 0
fault_address: dd 0
fault_resume:  dd 0
fault_eax:     dd 0
saved_mask:    db 0
