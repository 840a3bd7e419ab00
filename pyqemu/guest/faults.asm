; Exceptions on purpose, in 32-bit protected mode: each must come with the right vector, error code and address.

        bits 16

PAGE_DIRECTORY equ 0x20000
PAGE_TABLE     equ 0x21000
HOLE           equ 0x50000      ; a page that is not present
READ_ONLY      equ 0x51000      ; a page that cannot be written
TEST_SIZE      equ 32

exception_test:
        call print
        db "  32-bit protected mode, exceptions on purpose:", 0
        call enter_protected

        bits 32
        call make_pages
        mov esi, fault_tests
.next:  mov dword [fault_vector], -1
        mov dword [fault_error], -1
        mov eax, [esi+8]
        mov [fault_resume], eax
        push esi
        call dword [esi]
        pop esi
        call check_fault
        add esi, TEST_SIZE
        cmp esi, fault_tests.end
        jb .next
        call leave_protected

        bits 16
        mov si, fault_tests
.show:  call newline
        call print
        db "    ", 0
        push si
        mov si, [si+28]
        call puts
        pop si
        mov al, 34
        call print_tab
        cmp byte [si+24], 1
        cmc
        call print_result
        add si, TEST_SIZE
        cmp si, fault_tests.end
        jb .show
        ret

        bits 32

; Whether what was noted is what the test at esi expects: 1 or 0 to its result.
check_fault:
        mov dword [esi+24], 1
        mov eax, [fault_vector]
        cmp eax, [esi+12]
        jne .ok
        mov eax, [fault_error]
        cmp eax, [esi+16]
        jne .ok
        mov eax, [fault_eip]
        cmp eax, [esi+4]
        jne .ok
        mov eax, [esi+20]
        test eax, eax
        jz .good
        cmp eax, [fault_address]
        jne .ok
.good:  mov dword [esi+24], 0
.ok:    ret

; 4 MiB mapped onto themselves but for two pages.
make_pages:
        mov edi, PAGE_DIRECTORY
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov dword [PAGE_DIRECTORY], PAGE_TABLE + 3
        mov edi, PAGE_TABLE
        mov eax, 3              ; present, writable
.next:  stosd
        add eax, 0x1000
        cmp eax, 0x400000
        jb .next
        mov dword [PAGE_TABLE + HOLE/1024], 0
        mov dword [PAGE_TABLE + READ_ONLY/1024], READ_ONLY + 1
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        ret

paging_on:
        mov eax, cr0
        or eax, 0x80010000      ; paging; supervisor heeds read-only
        mov cr0, eax
        jmp .flush
.flush: ret

paging_off:
        mov eax, cr0
        and eax, 0x7ffeffff
        mov cr0, eax
        jmp .flush
.flush: ret

try_divide:
        xor edx, edx
        xor ecx, ecx
        mov eax, 1
.fault: div ecx
.after: ret

try_step:
        pushfd
        or dword [esp], 0x100
        popfd
        nop
.after: ret

try_breakpoint:
        int3
.after: ret

try_overflow:
        mov al, 0x7f
        add al, 1
        into
.after: ret

try_bound:
        mov eax, 5
.fault: bound eax, [.limits]
.after: ret
        align 4
.limits: dd 0, 4

try_undefined:
.fault: ud2
.after: ret

try_absent:
        mov ax, ABSENT
.fault: mov es, ax
.after: ret

try_stack:
        mov ax, ABSENT
.fault: mov ss, ax
.after: ret

try_protection:
        mov ax, 0xfff8
.fault: mov es, ax
.after: ret

try_page_read:
        call paging_on
.fault: mov eax, [HOLE + 0x123]
.after: jmp paging_off

try_page_write:
        call paging_on
.fault: mov [HOLE + 0x456], eax
.after: jmp paging_off

try_read_only:
        call paging_on
.fault: inc dword [READ_ONLY + 0x789]
.after: jmp paging_off

        bits 16

; Routine, address that must be reported, where to go on, vector, error code, address in CR2 (0: any), result, name.
        align 4, db 0
fault_tests:
        dd try_divide, try_divide.fault, try_divide.after, 0, 0, 0, 0, .divide
        dd try_step, try_step.after, try_step.after, 1, 0, 0, 0, .step
        dd try_breakpoint, try_breakpoint.after, try_breakpoint.after, 3, 0, 0, 0, .breakpoint
        dd try_overflow, try_overflow.after, try_overflow.after, 4, 0, 0, 0, .overflow
        dd try_bound, try_bound.fault, try_bound.after, 5, 0, 0, 0, .bound
        dd try_undefined, try_undefined.fault, try_undefined.after, 6, 0, 0, 0, .undefined
        dd try_absent, try_absent.fault, try_absent.after, 11, ABSENT, 0, 0, .absent
        dd try_stack, try_stack.fault, try_stack.after, 12, ABSENT, 0, 0, .stack
        dd try_protection, try_protection.fault, try_protection.after, 13, 0xfff8, 0, 0, .protection
        dd try_page_read, try_page_read.fault, try_page_read.after, 14, 0, HOLE + 0x123, 0, .page_read
        dd try_page_write, try_page_write.fault, try_page_write.after, 14, 2, HOLE + 0x456, 0, .page_write
        dd try_read_only, try_read_only.fault, try_read_only.after, 14, 3, READ_ONLY + 0x789, 0, .read_only
.end:
.divide:     db "#DE divide error", 0
.step:       db "#DB single step", 0
.breakpoint: db "#BP breakpoint", 0
.overflow:   db "#OF overflow", 0
.bound:      db "#BR bound range", 0
.undefined:  db "#UD undefined opcode", 0
.absent:     db "#NP segment not present", 0
.stack:      db "#SS stack segment", 0
.protection: db "#GP general protection", 0
.page_read:  db "#PF read of a missing page", 0
.page_write: db "#PF write to a missing page", 0
.read_only:  db "#PF write to a read-only page", 0
