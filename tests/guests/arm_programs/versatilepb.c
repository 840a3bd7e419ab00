/* Uses the devices of a Versatile PB and tells of it on the first UART. What is told does not depend on time. */

enum {
    RAM = 0, SYSTEM = 0x10000000, SIC = 0x10003000, MMC = 0x10005000, KEYBOARD = 0x10006000,
    MOUSE = 0x10007000,
    ETHERNET = 0x10010000, LCD = 0x10120000, VIC = 0x10140000, TIMER = 0x101e2000, GPIO = 0x101e4000, RTC = 0x101e8000,
    UART = 0x101f1000, UART1 = 0x101f2000, PCI_CONFIG = 0x42000000, FLASH = 0x34000000,
};

#include "board.h"

static volatile u32 ticks, last_handler;

static void on_timer(void)
{
    R32(TIMER + 0x0c) = 1;
    ticks++;
}

static void on_alarm(void)
{
    R32(RTC + 0x1c) = 1;
    alarms++;
}

static void on_other(void)
{
    last_handler = R32(VIC);
    R32(VIC + 0x1c) = ~0u; /* software's own */
}

void handled(u32 number)
{
    seen[number]++;
    if (number == 6) {
        ((void (*)(void))R32(VIC + 0x30))();
        R32(VIC + 0x30) = 0;
    } else if (number == 7) {
        last_handler = R32(VIC + 4);
        R32(VIC + 0x1c) = ~0u;
    }
}

static void test_vic(void)
{
    R32(VIC + 0x34) = (u32)on_other;
    R32(VIC + 0x100) = (u32)on_timer;
    R32(VIC + 0x200) = 0x20 | 4;
    R32(VIC + 0x104) = (u32)on_alarm;
    R32(VIC + 0x204) = 0x20 | 10;
    R32(VIC + 0x10) = 1 << 4 | 1 << 10 | 1 << 20 | 1 << 21;
    R32(VIC + 0x0c) = 1 << 21;
    interrupts(0);
    R32(VIC + 0x18) = 1 << 20;
    while (!last_handler) { /* it may take some instructions */
    }
    tell("software's IRQ", last_handler);
    last_handler = 0;
    R32(VIC + 0x18) = 1 << 21;
    while (!last_handler) {
    }
    tell("software's FIQ", last_handler);
    tell("FIQs", seen[7]);
}

static void test_timer(void)
{
    R32(TIMER) = 1000; /* microseconds */
    R32(TIMER + 8) = 0x80 | 0x40 | 0x20 | 0x02;
    while (ticks < 5) {
    }
    R32(TIMER + 8) = 0;
    R32(TIMER + 0x0c) = 1; /* it may have ticked once more */
    say("five ticks of the timer\r\n");
    tell("load", R32(TIMER));
    tell("control", R32(TIMER + 8));
    tell("raw status", R32(TIMER + 0x10));
}

static void test_network(void)
{
    int i;

    R16(ETHERNET + 14) = 1;
    say("network: ");
    for (i = 0; i < 6; i++) {
        hex(R8(ETHERNET + 4 + i));
        put(i < 5 ? ':' : '\r');
    }
    put('\n');
    R16(ETHERNET + 14) = 3;
    tell("revision", R16(ETHERNET + 10));
    R16(ETHERNET + 14) = 2;
    R16(ETHERNET) = 1 << 5;
    tell("page", R8(ETHERNET + 3));
    tell("interrupts of the card", R8(ETHERNET + 12));
    R8(ETHERNET + 13) = 8;
    tell("secondary controller", R32(SIC + 4));
    R32(SIC + 0x20) = 1 << 25;
    tell("primary controller", R32(VIC + 8) & ~0x410);
}

static void test_pci(void)
{
    u32 slot;

    for (slot = 0; slot < 32; slot++) {
        if (R32(PCI_CONFIG + (slot << 11)) != ~0u) {
            say("slot ");
            hex(slot);
            tell("", R32(PCI_CONFIG + (slot << 11)));
        }
    }
}

int main(void)
{
    u32 value;

    say("\r\nVersatile PB\r\n");
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 0" : "=r"(value));
    tell("processor", value);
    tell("board", R32(SYSTEM));
    R32(UART1) = 'x'; /* another line */
    test_exceptions();
    test_vic();
    test_timer();
    test_rtc();
    test_input();
    test_card();
    test_network();
    test_pci();
    test_flash();
    test_mmu();
    say("that is all\r\n");
    R32(SYSTEM + 0x20) = 0xa05f;
    R32(SYSTEM + 0x40) = 0x107;
    return 0;
}
