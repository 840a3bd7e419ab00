; Screen (INT 10h) and serial port (COM1) output: everything is shown on both.
;
; Characters are those of code page 437; codes 0x10 to 0x1f choose the foreground colour 0 to 15. On the serial line
; colours become ANSI sequences and the box-drawing characters UTF-8.

        bits 16

; The character in al; 10 ends a line, 13 goes to its beginning.
putc:   pushad
        cmp al, 0x20
        jae .plain
        cmp al, 0x10
        jae .colour
        cmp al, 10
        je .newline
        call screen_control
        call serial_put
        mov byte [column], 0
        jmp .done
.newline:
        mov al, 13
        call screen_control
        call serial_put
        mov al, 10
        call screen_control
        call serial_put
        mov byte [column], 0
        jmp .done
.colour:
        and al, 15
        or al, [background]
        mov [attribute], al
        call serial_colour
        jmp .done
.plain: inc byte [column]
        push ax
        mov bl, [attribute]
        mov bh, 0
        mov cx, 1
        mov ah, 9               ; character with attribute, cursor stays
        int 0x10
        pop ax
        push ax
        call screen_control     ; the same again moves the cursor
        pop ax
        call serial_char
.done:  popad
        ret

screen_control:
        push ax
        mov bx, 7
        mov ah, 0x0e
        int 0x10
        pop ax
        ret

newline:
        push ax
        mov al, 10
        call putc
        pop ax
        ret

; The zero-terminated string that follows the call.
print:  mov [print_si], si
        pop si
        call puts
        push si
        mov si, [print_si]
        ret

; The zero-terminated string at si; si ends behind it.
puts:   push ax
.next:  lodsb
        test al, al
        jz .done
        call putc
        jmp .next
.done:  pop ax
        ret

; Spaces up to column al.
print_tab:
        push ax
.next:  cmp [column], al
        jae .done
        push ax
        mov al, ' '
        call putc
        pop ax
        jmp .next
.done:  pop ax
        ret

; eax or al in hexadecimal.
print_hex8:
        push cx
        mov cx, 8
        jmp print_hex
print_hex2:
        push eax
        push cx
        shl eax, 24
        mov cx, 2
        call print_hex_digits
        pop cx
        pop eax
        ret
print_hex:
        call print_hex_digits
        pop cx
        ret

; cx digits from the top of eax; eax is turned by as many.
print_hex_digits:
        rol eax, 4
        push ax
        and al, 15
        add al, '0'
        cmp al, '9'
        jbe .digit
        add al, 'a'-'0'-10
.digit: call putc
        pop ax
        loop print_hex_digits
        ret

; eax in decimal; cl is the least width (print_decimal: 1).
print_decimal:
        push cx
        mov cl, 1
        call print_decimal_width
        pop cx
        ret
print_decimal_width:
        pushad
        mov ebx, 10
        xor si, si              ; digits so far
.divide:
        xor edx, edx
        div ebx
        push dx
        inc si
        test eax, eax
        jnz .divide
.pad:   movzx ax, cl
        cmp ax, si
        jbe .digits
        mov al, ' '
        call putc
        dec cl
        jmp .pad
.digits:
        pop ax
        add al, '0'
        call putc
        dec si
        jnz .digits
        popad
        ret

; A size: eax KiB, as KiB or MiB; the number is cl wide.
print_size:
        push eax
        cmp eax, 10*1024
        jb .kib
        shr eax, 10
        call print_decimal_width
        call print
        db " MiB", 0
        pop eax
        ret
.kib:   call print_decimal_width
        call print
        db " KiB", 0
        pop eax
        ret

; A result: carry clear "ok" in green, carry set "WRONG" in red.
print_result:
        jc .wrong
        call print
        db 0x1a, "ok", 0x17, 0
        ret
.wrong: call print
        db 0x1c, "WRONG", 0x17, 0
        ret

; -- serial port ---------------------------------------------------------------------------------------

; Set COM1 to 115200 8N1 with FIFO, if it is there, and receive by interrupt 4.
serial_start:
        mov dx, COM1+7          ; the scratch register tells whether there is a UART
        mov al, 0x5a
        out dx, al
        in al, dx
        cmp al, 0x5a
        jne .absent
        mov si, .settings
.next:  lodsw
        test ax, ax
        jz .present
        movzx dx, al
        add dx, COM1
        mov al, ah
        out dx, al
        jmp .next
.present:
        mov byte [serial_there], 1
        cli
        mov word [0x0c*4], serial_interrupt
        mov word [0x0c*4+2], 0
        in al, 0x21             ; let interrupt 4 pass the first interrupt controller
        and al, 0xef
        out 0x21, al
        sti
        mov dx, COM1+1
        mov al, 1               ; interrupt when data is there
        out dx, al
.absent:
        ret
; register, value
.settings:
        db 1, 0, 3, 0x80, 0, 1, 1, 0x00, 3, 3, 2, 0xc7, 4, 0x0b, 0, 0

serial_interrupt:
        push ax
        push bx
        push dx
        push ds
        xor ax, ax
        mov ds, ax
.next:  mov dx, COM1+5
        in al, dx
        test al, 1
        jz .done
        mov dx, COM1
        in al, dx
        mov bx, [serial_tail]
        mov [serial_ring+bx], al
        inc bx
        and bx, 63
        cmp bx, [serial_head]
        je .next                ; full: the character is lost
        mov [serial_tail], bx
        jmp .next
.done:  mov al, 0x20
        out 0x20, al
        pop ds
        pop dx
        pop bx
        pop ax
        iret

; Send al; give up when the UART does not get ready.
serial_put:
        push ax
        push cx
        push dx
        cmp byte [serial_there], 0
        je .done
        mov ah, al
        mov dx, COM1+5
        xor cx, cx
.wait:  in al, dx
        test al, 0x20
        jnz .ready
        loop .wait
        jmp .done
.ready: mov al, ah
        mov dx, COM1
        out dx, al
.done:  pop dx
        pop cx
        pop ax
        ret

; Send the character al; those above 127 as three bytes of UTF-8.
serial_char:
        cmp al, 0x80
        jb serial_put
        mov si, .table
.next:  cmp byte [si], 0
        je .unknown
        cmp al, [si]
        je .found
        add si, 3
        jmp .next
.found: mov al, 0xe2
        call serial_put
        mov al, [si+1]
        call serial_put
        mov al, [si+2]
        jmp serial_put
.unknown:
        mov al, '?'
        jmp serial_put
; code page 437, second and third byte of UTF-8 (the first is e2)
.table: db 0xc9, 0x95, 0x94, 0xcd, 0x95, 0x90, 0xbb, 0x95, 0x97, 0xba, 0x95, 0x91, 0xc8, 0x95, 0x9a
        db 0xbc, 0x95, 0x9d, 0xc4, 0x94, 0x80, 0xb3, 0x94, 0x82, 0xdb, 0x96, 0x88, 0xb0, 0x96, 0x91, 0

; Send the ANSI sequence for attribute al: ESC [ 0 ; 1 if bright ; 30 + colour [; 40 + background] m.
serial_colour:
        mov dl, al
        mov si, .reset
        call .send
        mov al, dl
        and al, 15
        cmp al, 7               ; grey is what terminals show by themselves
        je .ground
        cmp al, 0
        je .ground
        test al, 8
        jz .dark
        mov si, .bright
        call .send
.dark:  mov si, .front
        call .send
        mov al, dl
        call .digit
.ground:
        test dl, 0x70
        jz .end
        test dl, 0x0f           ; colour 0 marks what lies outside of a box
        jz .end
        mov si, .back
        call .send
        mov al, dl
        shr al, 4
        call .digit
.end:   mov al, 'm'
        jmp serial_put
.send:  lodsb
        test al, al
        jz .sent
        call serial_put
        jmp .send
.sent:  ret
.digit: and al, 7               ; the PC counts blue 1, green 2, red 4; ANSI red 1, green 2, blue 4
        movzx bx, al
        mov al, [.colours+bx]
        jmp serial_put
.reset:   db 27, "[0", 0
.bright:  db ";1", 0
.front:   db ";3", 0
.back:    db ";4", 0
.colours: db "04261537"

print_si:     dw 0
serial_head:  dw 0
serial_tail:  dw 0
attribute:    db 7
background:   db 0
column:       db 0
serial_there: db 0
serial_ring:  times 64 db 0
