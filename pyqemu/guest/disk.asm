; Disks by INT 13h: what drives there are, partitions, the FAT volume's files with checksums, a write test.

        bits 16

; Given by the image builder: WRITE_SECTOR (free for the write test), README_CRC and DATA_CRC (the files' checksums).

; -- one sector ----------------------------------------------------------------------------------------

; Read or write sector eax of drive dl at bx; carry set: failed, status in disk_status.
write_sector:
        mov byte [disk_command], 3
        jmp transfer
read_sector:
        mov byte [disk_command], 2
transfer:
        pushad
        mov [disk_packet+8], eax
        mov [disk_packet+4], bx
        test dl, 0x80
        jz .geometry
        push bx
        mov ah, 0x41
        mov bx, 0x55aa
        int 0x13
        pop bx
        jc .geometry
        test cl, 1
        jz .geometry
        mov ah, [disk_command]
        or ah, 0x40             ; 42h reads, 43h writes
        mov al, 0               ; no verification
        mov si, disk_packet
        int 0x13
        jmp .done
.geometry:
        call drive_geometry     ; bx: cylinders, cx: heads, si: sectors
        jc .done
        mov eax, [disk_packet+8]
        xor edx, edx
        movzx esi, si
        div esi
        inc dl
        push dx                 ; sector
        xor edx, edx
        movzx ecx, cx
        div ecx
        mov dh, dl              ; head
        pop cx
        mov ch, al              ; cylinder
        shl ah, 6
        or cl, ah
        mov bp, sp
        mov dl, [bp+20]         ; edx of pushad
        mov bx, [disk_packet+4]
        mov ah, [disk_command]
        mov al, 1
        int 0x13
.done:  mov [disk_status], ah
        popad
        ret

; Geometry of drive dl by AH=08h: bx cylinders, cx heads, si sectors per track; carry set: no such drive.
drive_geometry:
        push ax
        push dx
        push di
        push es
        mov ah, 8
        int 0x13
        jc .done
        mov al, ch
        mov ah, cl
        shr ah, 6
        inc ax
        mov bx, ax
        and cx, 0x3f
        mov si, cx
        movzx cx, dh
        inc cx
        clc
.done:  pop es
        pop di
        pop dx
        pop ax
        ret

; eax: CRC-32 (IEEE 802.3) continued from eax over cx bytes at si. Start with -1; the complement is the checksum.
crc32:  push cx
        push si
.byte:  xor al, [si]
        inc si
        mov ch, 8
.bit:   shr eax, 1
        jnc .next
        xor eax, 0xedb88320
.next:  dec ch
        jnz .bit
        dec cl
        jnz .byte
        pop si
        pop cx
        ret

; CRC-32 of 512 bytes at si to eax.
crc_sector:
        push cx
        mov eax, -1
        mov cx, 0               ; 256 bytes
        call crc32
        push si
        add si, 256
        call crc32
        pop si
        pop cx
        not eax
        ret

; -- what there is -------------------------------------------------------------------------------------

; Size, geometry and extensions of drive dl.
show_drive:
        pushad
        mov byte [edd_version], 0
        push dx
        mov ah, 0x41
        mov bx, 0x55aa
        int 0x13
        pop dx
        jc .plain
        mov [edd_version], ah
        mov si, SECTOR2
        mov word [si], 0x1a
        push dx
        mov ah, 0x48
        int 0x13
        pop dx
        jc .plain
        mov eax, [SECTOR2+16]   ; number of sectors
        jmp .size
.plain: call drive_geometry
        jc .none
        movzx eax, bx
        movzx ecx, cx
        mul ecx
        movzx ecx, si
        mul ecx
.size:  push eax
        shr eax, 1
        mov cl, 1
        call print_size
        pop eax
        call print
        db ", ", 0
        call print_decimal
        call print
        db " sectors", 0
        call drive_geometry
        jc .done
        call print
        db ", geometry ", 0
        movzx eax, bx
        call print_decimal
        mov al, '/'
        call putc
        movzx eax, cx
        call print_decimal
        mov al, '/'
        call putc
        movzx eax, si
        call print_decimal
        mov al, [edd_version]
        test al, al
        jz .done
        call print
        db ", EDD ", 0
        cmp al, 0x30
        jb .old
        call print
        db "3", 0
        jmp .done
.old:   call print
        db "1", 0
.done:  popad
        ret
.none:  call print
        db "does not answer", 0
        popad
        ret

show_disks:
        mov dl, 0x80
.next:  mov al, dl
        sub al, 0x80
        cmp al, [BIOS_DRIVES]
        jae show_volume
        call print
        db 0x1b, "  Disk ", 0
        mov al, dl
        call print_hex2
        call print
        db "h  ", 0x17, 0
        call show_drive
        call newline
        call show_partitions
        inc dl
        jmp .next

show_partitions:
        pushad
        xor eax, eax
        mov bx, SECTOR
        call read_sector
        jc disk_error
        mov si, SECTOR
        call crc_sector
        call print
        db "            first sector: crc32 ", 0
        call print_hex8
        call newline
        cmp word [SECTOR+510], 0xaa55
        jne .done
        mov di, SECTOR+446
        mov cx, 1
.next:  cmp byte [di+4], 0
        je .skip
        call print
        db "            partition ", 0
        movzx eax, cx
        call print_decimal
        call print
        db ": type ", 0
        mov al, [di+4]
        call print_hex2
        call print
        db ", sectors ", 0
        mov eax, [di+8]
        call print_decimal
        mov al, '-'
        call putc
        mov eax, [di+8]
        add eax, [di+12]
        dec eax
        call print_decimal
        call newline
.skip:  add di, 16
        inc cx
        cmp cx, 4
        jbe .next
.done:  popad
        ret

; Tell the status and end the routine that did pushad.
disk_error:
        call print
        db "            ", 0x1c, "failed", 0x17, " with status ", 0
        mov al, [disk_status]
        call print_hex2
        call newline
        popad
        ret

; -- the FAT12 volume in the first partition of the disk we came from --------------------------------------

show_volume:
        pushad
        mov dl, [boot_drive]
        xor eax, eax
        mov bx, SECTOR
        call read_sector
        jc disk_error
        cmp byte [SECTOR+446+4], 1      ; FAT12
        jne .done
        mov eax, [SECTOR+446+8]
        mov ebp, eax                    ; first sector of the partition
        call read_sector
        jc disk_error
        movzx eax, word [SECTOR+14]     ; reserved sectors
        add eax, ebp
        mov [fat_start], eax
        movzx eax, byte [SECTOR+16]     ; FATs
        movzx ecx, word [SECTOR+22]     ; sectors per FAT
        imul eax, ecx
        add eax, [fat_start]
        mov [root_start], eax
        movzx ecx, word [SECTOR+17]     ; entries of the root directory
        shr ecx, 4
        add eax, ecx
        mov [data_start], eax
        mov al, [SECTOR+13]
        mov [cluster_size], al
        call read_fat
        jc disk_error
        mov eax, [root_start]
        mov bx, SECTOR2
        call read_sector
        jc disk_error
        mov si, SECTOR2
.entry: cmp byte [si], 0
        je .done
        cmp byte [si], 0xe5             ; deleted
        je .next
        test byte [si+11], 0x18         ; directory, label or part of a long name
        jnz .next
        call show_file
        jc disk_error
.next:  add si, 32
        cmp si, SECTOR2+512
        jb .entry
.done:  popad
        ret

; The FAT's first six sectors.
read_fat:
        mov eax, [fat_start]
        mov bx, FAT
.next:  call read_sector
        jc .done
        inc eax
        add bx, 512
        cmp bx, FAT + 6*512
        jb .next
        clc
.done:  ret

; Name, size and checksum of the file whose entry is at si.
show_file:
        pushad
        call print
        db "            ", 0
        mov cx, 11
        push si
.name:  lodsb
        cmp al, ' '             ; names are padded with spaces
        je .pad
        call putc
.pad:   cmp cx, 4
        jne .same
        mov al, '.'
        call putc
.same:  loop .name
        pop si
        mov al, 24
        call print_tab
        mov eax, [si+28]
        mov cl, 7
        call print_decimal_width
        call print
        db " bytes, crc32 ", 0
        call file_crc
        jc .failed
        call print_hex8
        call print
        db "  ", 0
        cmp eax, README_CRC
        je .good
        cmp eax, DATA_CRC
        je .good
        stc
.good:  call print_result
        call newline
        popad
        clc
        ret
.failed:
        popad
        stc
        ret

; CRC-32 of the contents of the file whose entry is at si, to eax.
file_crc:
        push ebx
        push ecx
        push esi
        push edi
        mov edi, [si+28]                ; bytes left
        movzx ecx, word [si+26]         ; cluster
        mov dword [file_sum], -1
.cluster:
        movzx eax, cx
        sub eax, 2
        movzx ebx, byte [cluster_size]
        imul eax, ebx
        add eax, [data_start]
.sector:
        test edi, edi
        jz .end
        push ebx
        mov bx, SECTOR
        call read_sector
        pop ebx
        jc .done
        push eax
        push ecx
        mov si, SECTOR
        mov eax, [file_sum]
.sum:   mov ecx, 128
        cmp edi, ecx
        jae .part
        mov ecx, edi
.part:  call crc32
        add si, cx
        sub edi, ecx
        jz .summed
        cmp si, SECTOR+512
        jb .sum
.summed:
        mov [file_sum], eax
        pop ecx
        pop eax
        inc eax
        dec bx
        jnz .sector
        mov bx, cx                      ; next cluster: 12 bits at 1.5 times the number
        shr bx, 1
        add bx, cx
        mov bx, [FAT+bx]
        test cl, 1
        jz .even
        shr bx, 4
.even:  and bx, 0xfff
        mov cx, bx
        jmp .cluster
.end:   mov eax, [file_sum]
        not eax
        clc
.done:  pop edi
        pop esi
        pop ecx
        pop ebx
        ret

; -- write test ----------------------------------------------------------------------------------------

; The sector holds a title, at 20 the number of runs, pseudo-random words, and at 508 the CRC-32 of what is before.
write_test:
        pushad
        mov dl, [boot_drive]
        mov eax, WRITE_SECTOR
        mov bx, SECTOR
        call read_sector
        jc disk_error
        mov si, .title
        mov di, SECTOR
        mov cx, 20
        repe cmpsb
        mov ebp, 0
        jne .first
        mov ebp, [SECTOR+20]
.first: inc ebp
        mov si, .title
        mov di, SECTOR
        mov cx, 20
        rep movsb
        mov eax, ebp
        stosd
.fill:  imul eax, eax, 1664525
        add eax, 1013904223
        stosd
        cmp di, SECTOR+508
        jb .fill
        mov si, SECTOR
        mov eax, -1
        mov cx, 254
        call crc32
        add si, cx
        call crc32
        not eax
        stosd
        mov edi, eax
        mov eax, WRITE_SECTOR
        mov bx, SECTOR
        call write_sector
        jc disk_error
        mov bx, SECTOR2
        call read_sector
        jc disk_error
        call print
        db "  sector ", 0
        call print_decimal
        call print
        db ", run ", 0
        mov eax, ebp
        call print_decimal
        call print
        db ", crc32 ", 0
        mov eax, edi
        call print_hex8
        call print
        db ": written and read back ", 0
        mov si, SECTOR
        mov di, SECTOR2
        mov cx, 512
        repe cmpsb
        clc
        je .same
        stc
.same:  call print_result
        popad
        ret
.title: db "pyqemu write test", 13, 10, 0

        align 4, db 0
disk_packet:
        dw 16, 1                ; one sector
        dw 0, 0                 ; offset, segment
        dd 0, 0                 ; sector
fat_start:    dd 0
root_start:   dd 0
data_start:   dd 0
file_sum:     dd 0
cluster_size: db 0
disk_command: db 0
disk_status:  db 0
edd_version:  db 0
