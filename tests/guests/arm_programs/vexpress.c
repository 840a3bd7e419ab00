/* Uses the devices of a Versatile Express and tells of it on the first UART. What is told does not depend on time. */

#ifdef A15
#define SMALL(number) (0x1c000000 + (number) * 0x10000)
enum {
    RAM = 0x80000000, SYSTEM = 0x1c010000, ETHERNET = 0x1a000000, FLASH = 0x0c000000, SRAM = 0x14000000,
    GICD = 0x2c001000, GICC = 0x2c002000,
};
#else
#define SMALL(number) (0x10000000 + (number) * 0x1000)
enum {
    RAM = 0x60000000, SYSTEM = 0x10000000, ETHERNET = 0x4e000000, FLASH = 0x44000000, SRAM = 0x48000000,
    GICD = 0x1e001000, GICC = 0x1e000100, PRIVATE = 0x1e000000,
};
#endif
enum {
    MMC = SMALL(5), KEYBOARD = SMALL(6), MOUSE = SMALL(7), UART = SMALL(9), TIMER = SMALL(17), VIRTIO = SMALL(19),
    RTC = SMALL(23), SOFTWARE = 5, PRIVATE_TIMER = 29, TIMER_INTERRUPT = 34, RTC_INTERRUPT = 36, LAN_INTERRUPT = 47,
};

#include "board.h"

static volatile u32 ticks, private_ticks, software, lan;

void handled(u32 number)
{
    u32 interrupt;

    seen[number]++;
    if (number != 6) {
        return;
    }
    interrupt = R32(GICC + 12);
    switch (interrupt & 0x3ff) {
    case SOFTWARE:
        software = interrupt;
        break;
#ifndef A15
    case PRIVATE_TIMER:
        R32(PRIVATE + 0x60c) = 1;
        private_ticks++;
        break;
#endif
    case TIMER_INTERRUPT:
        R32(TIMER + 0x0c) = 1;
        ticks++;
        break;
    case RTC_INTERRUPT:
        R32(RTC + 0x1c) = 1;
        alarms++;
        break;
    case LAN_INTERRUPT:
        lan = R32(ETHERNET + 0x58);
        R32(ETHERNET + 0x58) = lan;
        break;
    }
    R32(GICC + 16) = interrupt;
}

static void enable(u32 number)
{
    R8(GICD + 0x800 + number) = 1;
    R32(GICD + 0x100 + number / 32 * 4) = 1 << number % 32;
}

static void test_gic(void)
{
    tell("lines of the interrupt controller", R32(GICD + 4) & 0x1f);
    R32(GICD) = 1;
    R32(GICC + 4) = 0xf0;
    R32(GICC) = 1;
    enable(TIMER_INTERRUPT);
    enable(RTC_INTERRUPT);
    enable(LAN_INTERRUPT);
    R32(GICD + 0x100) = 1 << PRIVATE_TIMER | 1 << SOFTWARE;
    R32(ETHERNET + 0x54) = 0x111;
    interrupts(0);
    R32(GICD + 0xf00) = 2 << 24 | SOFTWARE;
    while (!software) {
    }
    tell("software's interrupt", software);
}

static void test_timers(void)
{
    R32(TIMER) = 1000;
    R32(TIMER + 8) = 0x80 | 0x40 | 0x20 | 0x02;
    while (ticks < 5) {
    }
    R32(TIMER + 8) = 0;
    say("five ticks of the timer\r\n");
#ifndef A15
    R32(PRIVATE + 0x600) = 100000;
    R32(PRIVATE + 0x608) = 7;
    while (private_ticks < 3) {
    }
    R32(PRIVATE + 0x608) = 0;
    say("three of the processor's own\r\n");
    tell("configuration of the snoop control unit", R32(PRIVATE + 4));
    tell("cache controller", R32(PRIVATE + 0xa000));
#endif
}

static u32 configuration(u32 function, u32 site, u32 device)
{
    R32(SYSTEM + 0xa8) = 0;
    R32(SYSTEM + 0xa4) = 1u << 31 | function << 20 | site << 16 | device;
    while (!(R32(SYSTEM + 0xa8) & 1)) {
    }
    return R32(SYSTEM + 0xa8) & 2 ? ~0u : R32(SYSTEM + 0xa0);
}

static void test_system(void)
{
    tell("board", R32(SYSTEM));
    tell("processors' board", R32(SYSTEM + 0x84));
    tell("card", R32(SYSTEM + 0x48));
    tell("clock of the motherboard", configuration(1, 0, 1));
    tell("clock of the daughterboard", configuration(1, 1, 0));
    tell("voltage of the daughterboard", configuration(2, 1, 0));
    tell("what is not there", configuration(1, 1, 99));
    R32(SYSTEM + 0x30) = 0x1234;
    R32(SYSTEM + 0x34) = 0x0030;
    tell("flags", R32(SYSTEM + 0x30));
}

static u32 mac(u32 number)
{
    R32(ETHERNET + 0xa4) = 0xc0000000 | number;
    return R32(ETHERNET + 0xa8);
}

static void test_network(void)
{
    tell("network", R32(ETHERNET + 0x50) >> 16);
    tell("address", mac(3));
    tell("", mac(2));
    R32(ETHERNET + 0x5c) = 1u << 31; /* software's own interrupt */
    while (!lan) {
    }
    R32(ETHERNET + 0x5c) = 0;
    tell("interrupt", lan & 1u << 31);
}

int main(void)
{
    u32 value, slot;

    say("\r\nVersatile Express\r\n");
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 0" : "=r"(value));
    tell("processor", value >> 4 & 0xfff);
    __asm__ volatile("mrc p15, 4, %0, c15, c0, 0" : "=r"(value));
    tell("private memory", value);
    test_system();
    test_exceptions();
    test_gic();
    test_timers();
    test_rtc();
    test_input();
    test_card();
    test_network();
    for (slot = 0; slot < 4; slot++) {
        tell("virtio", R32(VIRTIO + slot * 0x200 + 8));
    }
    R32(SRAM + 0x1ffffc) = 0x12345678;
    tell("static memory", R32(SRAM + 0x1ffffc));
    test_flash();
    test_mmu();
    say("that is all\r\n");
    R32(SYSTEM + 0xa4) = 0xc0800000;
    for (;;) {
    }
}
