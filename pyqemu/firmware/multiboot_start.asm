; Last step into a multiboot kernel (Multiboot 0.6.96, 3.2): complete the memory map, enter protected mode, jump.
;
; It runs at 0:START in real mode. Whoever loads it has entered ``information`` and ``entry``. The memory map is asked
; of the BIOS that runs, because only that knows what it took for itself.

        bits 16
        org 0x7e00

MBI_MMAP_LENGTH equ 44
MBI_MMAP_ADDR   equ 48
ENTRY_SIZE      equ 24          ; the multiboot entry: its size (20), then what E820 returns
MAX_ENTRIES     equ 32

start:  jmp begin
        align 4
information: dd 0               ; physical address of the multiboot information, below 1 MiB
entry:       dd 0               ; 32-bit entry point

begin:  cli
        cld
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7c00
        mov eax, [information]
        shr eax, 4
        mov fs, ax              ; the information is 16-byte aligned
        mov eax, [fs:MBI_MMAP_ADDR]
        sub eax, [information]
        mov di, ax
        mov ax, fs
        mov es, ax
        xor ebx, ebx
        mov bp, MAX_ENTRIES
.map:   mov dword [es:di], 20
        add di, 4
        mov eax, 0xe820
        mov edx, 0x534d4150     ; "SMAP"
        mov ecx, 20
        int 0x15
        jc .mapped
        cmp eax, 0x534d4150
        jne .mapped
        add di, 20
        add dword [fs:MBI_MMAP_LENGTH], ENTRY_SIZE
        dec bp
        jz .mapped
        test ebx, ebx
        jnz .map
.mapped:
        in al, 0x92             ; A20 on
        or al, 2
        and al, 0xfe
        out 0x92, al
        cli
        lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp 0x08:protected

        bits 32
protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov ebx, [information]
        mov ecx, [entry]
        mov eax, 0x2badb002
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        jmp ecx

        align 8
gdt:    dd 0, 0
        dd 0x0000ffff, 0x00cf9a00       ; flat 32-bit code
        dd 0x0000ffff, 0x00cf9200       ; flat data
gdt_pointer:
        dw 23
        dd gdt
