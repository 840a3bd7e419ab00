; The ROM of the built-in BIOS: segment F000h of the pc board.
;
; What needs interrupts, hooks or stacks is here; what computes is in Python. A stub saves the caller's registers in
; the layout that frame.py knows, writes the number of the service to a port that belongs to us (layout.py: TRAP_PORT)
; and finds in AL what to do next (layout.py: Verdict). Python changes the saved registers, and IRET or RETF take
; them from there.
;
; Entry points stand where those of the IBM PC/AT stand (IBM PC/AT Technical Reference, section 5), because some programs
; jump there directly. The symbols in capitals that are not defined here come from layout.py.

        bits 16
        org 0

; ---------------------------------------------------------------------------------------------------------------------
; Tables that POST makes (RSDP, SMBIOS, MP, $PIR, fonts) go below this.
        times 0x9000-($-$$) db 0

; Ask Python for service AL. On entry the frame is complete but for the return address that CALL pushes.
trap:   mov ah, al
.ask:   mov al, ah
.out:   out TRAP_PORT, al
        test al, al
        jnz .more
        ret
.more:  cmp al, VERDICT_WAIT
        jne .not_wait
        sti                     ; takes effect after hlt: no interrupt is lost between
        hlt
        cli
        jmp .ask
.not_wait:
        cmp al, VERDICT_SPIN
        jne .not_spin
        sti
        nop
        nop
        cli
        jmp .ask
.not_spin:
        cmp al, VERDICT_PRINT
        je .print
        cmp al, VERDICT_CALL
        je .call
        cmp al, VERDICT_INTERRUPT
        je .interrupt
        cmp al, VERDICT_MOUSE
        je .mouse
        cmp al, VERDICT_TEXT_MODE
        je .text_mode
        cmp al, VERDICT_START
        je start
.halt:  cli
        hlt
        jmp .halt

.print: push ax
        call ebda
        mov si, EBDA_PRINT_TEXT
.character:
        lodsb
        test al, al
        jz .printed
        mov ah, 0x0e
        mov bx, 7
        int 0x10
        jmp .character
.printed:
        pop ax
        jmp .ask

.text_mode:
        push ax
        mov ax, 3
        int 0x10
        pop ax
        jmp .ask

.call:  push ax
        push cs
        push word .called
        call ebda
        push dword [EBDA_CALL_TARGET]
        call load_registers
        retf                    ; into the target, which comes back to .called
.called:
        cli
        cld
        push ax
        call ebda
        pop word [EBDA_CALL_AX] ; its answer
        pop ax
        jmp .ask

.interrupt:
        pushf
        push cs
        push word .done
        call ebda
        push dword [EBDA_CALL_TARGET]
        call load_registers
        retf
.done:  ret

.mouse: call ebda
        push word [EBDA_MOUSE_WORDS]
        push word [EBDA_MOUSE_WORDS+2]
        push word [EBDA_MOUSE_WORDS+4]
        push word [EBDA_MOUSE_WORDS+6]
        sti
        call far [EBDA_MOUSE_HANDLER]
        cli
        add sp, 8
        ret

; Leave for good: a boot sector, or the end of a warm reset.
start:  call ebda
        mov eax, [EBDA_CALL_TARGET]
        xor cx, cx
        mov ss, cx
        mov sp, STACK_TOP
        push word 0x0202        ; interrupts on
        push eax
        call load_registers
        xor bp, bp
        iret

; DS = the extended BIOS data area, wherever an option ROM may have moved it. Clobbers nothing else.
ebda:   push 0x40
        pop ds
        mov ds, [0x0e]
        ret

; Registers from the call block; EBX to EDI are safe in the frame.
load_registers:
        xor eax, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        mov ax, [EBDA_CALL_AX]
        mov bx, [EBDA_CALL_BX]
        mov cx, [EBDA_CALL_CX]
        mov dx, [EBDA_CALL_DX]
        mov si, [EBDA_CALL_SI]
        mov di, [EBDA_CALL_DI]
        mov es, [EBDA_CALL_ES]
        mov ds, [EBDA_CALL_DS]
        ret

; The end of every stub that is reached by INT.
leave_interrupt:
        pop es
        pop ds
        popad
        iret

; ---------------------------------------------------------------------------------------------------------------------
; POST, and what comes after it.
power_on:
        cli
        cld
        xor ax, ax
        mov ss, ax
        mov sp, STACK_TOP
        call setup_mtrrs
        mov ax, 8
        call set_limits         ; option ROMs may reach all memory (PCI Firmware 3.0, 5.2.1.12)
        pushf                   ; a frame like any other
        push cs
        push word .booting
        pushad
        push ds
        push es
        mov al, SERVICE_RESET
        call trap
        mov al, SERVICE_POST
        call trap
        jmp leave_interrupt
.booting:
        mov ax, 16
        call set_limits         ; boot sectors find what a processor has after reset
        int 0x19
        jmp trap.halt

; INT 19h starts from the first device, INT 18h goes on with the next one.
boot_restart:
        call fresh_frame
        mov al, SERVICE_BOOT_RESTART
        call trap
        jmp boot
boot_next:
        call fresh_frame
boot:   mov al, SERVICE_BOOT
        call trap
        jmp trap.halt           ; not reached: this service never ends

; A stack below the boot sector with an empty frame on it.
fresh_frame:
        cli
        cld
        pop bx
        xor ax, ax
        mov ss, ax
        mov sp, STACK_TOP - FRAME_SIZE
        jmp bx

; Give the data segments the limit of descriptor AX. It stays with them in real mode, where loads change the base only.
set_limits:
        lgdt [cs:.pointer]
        mov ecx, cr0
        or cl, 1
        mov cr0, ecx
        jmp .protected
.protected:
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        and cl, 0xfe
        mov cr0, ecx
        jmp .real
.real:  xor ax, ax
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        ret
        align 8
.table: dq 0
        dq 0x008f93000000ffff   ; 4 GiB
        dq 0x000093000000ffff   ; 64 KiB
.pointer:
        dw .pointer - .table - 1
        dd 0xf0000 + .table

; Memory types: write-back but for the VGA window, the ROM area (write-protect) and the PCI hole (SDM vol. 3, 11.11).
setup_mtrrs:
        mov eax, 1
        cpuid
        test dx, 1 << 12        ; MTRR
        jz .done
        mov ecx, 0x2ff          ; off while they change
        rdmsr
        and ah, 0xf3
        wrmsr
        mov si, .fixed
.next:  cs lodsw
        movzx ecx, ax
        jcxz .variable
        cs lodsd
        mov edx, eax
        wrmsr
        jmp .next
.variable:
        mov eax, 0x80000000
        cpuid
        mov bl, 36
        cmp eax, 0x80000008
        jb .width
        mov eax, 0x80000008
        cpuid
        mov bl, al
.width: mov cl, bl
        sub cl, 32
        mov edx, 1
        shl edx, cl
        dec edx                 ; high half of the mask
        mov edi, edx
        mov ecx, 0x200          ; from PCI_HOLE to 4 GiB: uncached
        xor edx, edx
        mov eax, PCI_HOLE
        wrmsr
        inc ecx
        mov edx, edi
        mov eax, PCI_HOLE + 0x800
        wrmsr
        mov ecx, 0x2ff
        xor edx, edx
        mov eax, 0xc06          ; all enabled, write-back where nothing else is said
        wrmsr
.done:  ret
.fixed: dw 0x250
        dd 0x06060606
        dw 0x258
        dd 0x06060606
        dw 0x259
        dd 0
        dw 0x268
        dd 0x05050505
        dw 0x269
        dd 0x05050505
        dw 0x26a
        dd 0x05050505
        dw 0x26b
        dd 0x05050505
        dw 0x26c
        dd 0x05050505
        dw 0x26d
        dd 0x05050505
        dw 0x26e
        dd 0x05050505
        dw 0x26f
        dd 0x05050505
        dw 0

; ---------------------------------------------------------------------------------------------------------------------
; Hardware interrupts.

; IRQ 0: 18.2 times a second. Ticks since midnight at 40:6Ch; floppy motor time-out; the user's hook.
timer:  push ds
        push eax
        push dx
        push 0x40
        pop ds
        mov eax, [0x6c]
        inc eax
        cmp eax, 0x1800b0
        jb .same_day
        xor eax, eax
        inc byte [0x70]
.same_day:
        mov [0x6c], eax
        cmp byte [0x40], 0
        je .no_motor
        dec byte [0x40]
.no_motor:
        int 0x1c
        cli
        mov al, 0x20
        out 0x20, al
        pop dx
        pop eax
        pop ds
        iret

; IRQ 1: a scan code. INT 15h AH=4Fh may change or swallow it.
keyboard:
        pushad
        push ds
        push es
        cld
        in al, 0x64
        and al, 0x21
        cmp al, 0x01            ; a byte, and not the mouse's
        jne .end
        in al, 0x60
        mov ah, 0x4f
        stc
        int 0x15
        jnc .end
        movzx ebx, al
        mov al, SERVICE_KEYBOARD
        call trap
.end:   mov al, 0x20
        out 0x20, al
        jmp leave_interrupt

; IRQ 8: periodic and alarm interrupts of the clock.
clock:  pushad
        push ds
        push es
        cld
        mov al, SERVICE_CLOCK
        call trap
        jmp end_of_slave

; IRQ 12: a byte from the mouse.
mouse:  pushad
        push ds
        push es
        cld
        mov al, SERVICE_MOUSE
        call trap
        jmp end_of_slave

; IRQ 14 and 15: a disk has finished; programs that drive it themselves look at 40:8Eh.
disk_ready:
        pushad
        push ds
        push es
        push 0x40
        pop ds
        mov byte [0x8e], 0xff
end_of_slave:
        mov al, 0x20
        out 0xa0, al
        out 0x20, al
        jmp leave_interrupt

; IRQ 13: the coprocessor's error goes on as NMI, as on the first PC.
coprocessor:
        push ax
        xor al, al
        out 0xf0, al
        mov al, 0x20
        out 0xa0, al
        out 0x20, al
        pop ax
        int 0x02
        iret

; Interrupts that nobody expects: acknowledge them.
spurious_slave:
        push ax
        mov al, 0x20
        out 0xa0, al
        jmp spurious_master.out
spurious_master:
        push ax
.out:   mov al, 0x20
        out 0x20, al
        pop ax
        iret

; ---------------------------------------------------------------------------------------------------------------------
; Entries for 32-bit protected mode: BIOS32 service directory (standard 0.4), PCI BIOS 2.1, APM 1.2.
        bits 32
bios32_entry:
        pushfd
        test bl, bl
        jnz .function
        cmp eax, '$PCI'
        mov al, 0x80            ; service not present
        jne .end
        mov ebx, 0xf0000
        mov ecx, 0x10000
        mov edx, pci32_entry
        mov al, 0
.end:   popfd
        retf
.function:
        mov al, 0x81            ; function not implemented
        popfd
        retf

pci32_entry:
        pushfd
        pushad
        mov al, SERVICE_PCI32
.out:   out TRAP_PORT, al
        popad
        popfd
        retf

apm32_entry:
        pushfd
        pushad
        mov al, SERVICE_APM32
.out:   out TRAP_PORT, al
        popad
        popfd
        retf
        bits 16

; VBE's window function: a far call instead of INT 10h AX=4F05h.
vbe_window:
        mov ax, 0x4f05
        int 0x10
        retf

; Far calls from option ROMs. Arguments lie above the return address; the frame's FLAGS are the first of them.
pmm_entry:
        pushad
        push ds
        push es
        cld
        mov al, SERVICE_PMM
        call trap
        pop es
        pop ds
        popad
        retf

pnp_entry:
        mov ax, 0x82            ; function not supported
        retf

pnp_entry_32:
        db 0xb8, 0x82, 0, 0, 0  ; mov eax, 82h in a 32-bit segment
        retf

; ---------------------------------------------------------------------------------------------------------------------
; Services reached by INT. The fixed entries below jump here.
video:  pushad
        push ds
        push es
        cld
        mov al, SERVICE_VIDEO
        call trap
        jmp leave_interrupt

disk:   pushad
        push ds
        push es
        cld
        mov al, SERVICE_DISK
        call trap
        jmp leave_interrupt

floppy: pushad
        push ds
        push es
        cld
        mov al, SERVICE_FLOPPY
        call trap
        jmp leave_interrupt

serial: pushad
        push ds
        push es
        cld
        mov al, SERVICE_SERIAL
        call trap
        jmp leave_interrupt

system: cmp ah, 0x4f            ; the keyboard intercept: leave the scan code alone
        je .carry
        pushad
        push ds
        push es
        cld
        mov al, SERVICE_SYSTEM
        call trap
        jmp leave_interrupt
.carry: push bp
        mov bp, sp
        or byte [bp+6], 1
        pop bp
        iret

key:    pushad
        push ds
        push es
        cld
        mov al, SERVICE_KEY
        call trap
        jmp leave_interrupt

printer:
        pushad
        push ds
        push es
        cld
        mov al, SERVICE_PRINTER
        call trap
        jmp leave_interrupt

time:   pushad
        push ds
        push es
        cld
        mov al, SERVICE_TIME
        call trap
        jmp leave_interrupt

floppy_ready:
        push ax
        push ds
        push 0x40
        pop ds
        or byte [0x3e], 0x80
        mov al, 0x20
        out 0x20, al
        pop ds
        pop ax
        iret

; System configuration (INT 15h AH=C0h): model FCh, submodel 0, revision 0.
configuration:
        dw 8
        db 0xfc, 0, 0
        db 0x74                 ; second 8259, real-time clock, INT 15h AH=4Fh, EBDA
        db 0x40, 0, 0, 0        ; INT 16h AH=09h

; ---------------------------------------------------------------------------------------------------------------------
; The places that IBM made fixed.
        times 0xe05b-($-$$) db 0
        jmp power_on

        times 0xe2c3-($-$$) db 0
        iret                    ; NMI

        times 0xe3fe-($-$$) db 0
        jmp disk

; Fixed disk parameters of type 1, which no one has any more.
        times 0xe401-($-$$) db 0

        times 0xe6f2-($-$$) db 0
        jmp boot_restart

        times 0xe6f5-($-$$) db 0
        dw 8
        db 0xfc, 0, 0, 0x74, 0x40, 0, 0, 0

; Divisors of INT 14h AH=00h, 110 to 9600 baud.
        times 0xe729-($-$$) db 0
        dw 1047, 768, 384, 192, 96, 48, 24, 12

        times 0xe739-($-$$) db 0
        jmp serial

        times 0xe82e-($-$$) db 0
        jmp key

        times 0xe987-($-$$) db 0
        jmp keyboard

        times 0xec59-($-$$) db 0
        jmp floppy

        times 0xef57-($-$$) db 0
        jmp floppy_ready

; Diskette parameters for 1.44 MB: step rate, motor time, bytes a sector, sectors, gaps, fill byte, settle times.
        times 0xefc7-($-$$) db 0
diskette_table:
        db 0xaf, 0x02, 0x25, 0x02, 0x12, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

        times 0xefd2-($-$$) db 0
        jmp printer

        times 0xf045-($-$$) db 0
        iret

        times 0xf065-($-$$) db 0
        jmp video

; CRTC parameters of the first display adapters (INT 1Dh): 40 and 80 columns, graphics, monochrome.
        times 0xf0a4-($-$$) db 0
video_parameters:
        db 0x38, 0x28, 0x2d, 0x0a, 0x1f, 0x06, 0x19, 0x1c, 0x02, 0x07, 0x06, 0x07, 0, 0, 0, 0
        db 0x71, 0x50, 0x5a, 0x0a, 0x1f, 0x06, 0x19, 0x1c, 0x02, 0x07, 0x06, 0x07, 0, 0, 0, 0
        db 0x38, 0x28, 0x2d, 0x0a, 0x7f, 0x06, 0x64, 0x70, 0x02, 0x01, 0x06, 0x07, 0, 0, 0, 0
        db 0x61, 0x50, 0x52, 0x0f, 0x19, 0x06, 0x19, 0x19, 0x02, 0x0d, 0x0b, 0x0c, 0, 0, 0, 0
        dw 0x0800, 0x1000, 0x4000, 0x4000
        db 40, 80, 40, 80, 40, 80, 0, 0
        db 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29

; INT 12h and INT 11h: memory below EBDA, equipment.
        times 0xf841-($-$$) db 0
memory_size:
        push ds
        push 0x40
        pop ds
        mov ax, [0x13]
        pop ds
        iret

        times 0xf84d-($-$$) db 0
equipment:
        push ds
        push 0x40
        pop ds
        mov ax, [0x10]
        pop ds
        iret

        times 0xf859-($-$$) db 0
        jmp system

; The lower half of the 8 by 8 font; POST fills it in.
        times 0xfa6e-($-$$) db 0
font_8x8:

        times 0xfe6e-($-$$) db 0
        jmp time

        times 0xfea5-($-$$) db 0
        jmp timer

        times 0xff53-($-$$) db 0
dummy:  iret

        times 0xff54-($-$$) db 0
        iret                    ; print screen: there is no printer worth it

        times 0xfff0-($-$$) db 0
        jmp 0xf000:power_on
        times 0xfff5-($-$$) db 0
        db "06/23/99"
        times 0xfffe-($-$$) db 0
        db 0xfc, 0              ; PC/AT; checksum
