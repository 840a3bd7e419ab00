/* Uses the devices of a Raspberry Pi 2 and tells of it on the first UART. What is told does not depend on time. */

enum {
    RAM = 0, IC = 0x3f00b200, DMA = 0x3f007000, MAILBOX = 0x3f00b880, UART = 0x3f201000, AUX = 0x3f215000,
    EMMC = 0x3f300000, CONTROL = 0x40000000,
};

#define NO_PRIMECELLS
#include "board.h"

static volatile u32 ticks, copied, mail, last_source;

static void timer(u32 on)
{
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 0" : : "r"(20000));
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 1" : : "r"(on));
}

void handled(u32 number)
{
    seen[number]++;
    if (number != 6) {
        return;
    }
    last_source = R32(CONTROL + 0x60);
    if (last_source & 8) {
        ticks++;
        timer(ticks < 3);
    }
    if (last_source & 0x10) {
        mail = R32(CONTROL + 0xc0);
        R32(CONTROL + 0xc0) = ~0u;
    }
    if (last_source & 0x100 && R32(IC + 4) & 1 << 16) {
        copied = R32(DMA);
        R32(DMA) = 6;
    }
}

static void test_timer(void)
{
    u32 value;

    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(value));
    tell("frequency", value);
    R32(CONTROL + 0x40) = 8;
    timer(1);
    while (ticks < 3) {
    }
    say("three ticks of the timer\r\n");
    R32(CONTROL + 0x50) = 1;
    R32(CONTROL + 0x80) = 0x1234;
    while (!mail) {
    }
    tell("a mailbox of the processor", mail);
}

static void test_dma(void)
{
    static u32 block[8] __attribute__((aligned(32))), from[4] = {1, 2, 3, 0xdeadbeef}, to[4];

    block[0] = 0x111;
    block[1] = 0xc0000000 + (u32)from;
    block[2] = 0xc0000000 + (u32)to;
    block[3] = sizeof from;
    R32(IC + 0x10) = 1 << 16;
    R32(DMA + 4) = 0xc0000000 + (u32)block;
    R32(DMA) = 1;
    while (!copied) {
    }
    tell("copied", ((volatile u32 *)to)[3]);
    tell("state of the channel", copied & 0xff);
}

static u32 buffer[16] __attribute__((aligned(16)));

static u32 property(u32 tag, u32 first, u32 second, u32 answer)
{
    volatile u32 *words = buffer;

    words[0] = sizeof buffer;
    words[1] = 0;
    words[2] = tag;
    words[3] = 8;
    words[4] = 0;
    words[5] = first;
    words[6] = second;
    words[7] = 0;
    while (R32(MAILBOX + 0x38) >> 31) {
    }
    R32(MAILBOX + 0x20) = 0xc0000000 + (u32)buffer + 8;
    while (R32(MAILBOX + 0x18) >> 30 & 1) {
    }
    R32(MAILBOX);
    return words[answer];
}

static void test_properties(void)
{
    tell("revision of the board", property(0x00010002, 0, 0, 5));
    tell("memory", property(0x00010005, 0, 0, 6));
    tell("memory of the graphics core", property(0x00010006, 0, 0, 5));
    property(0x00048003, 320, 200, 5);
    property(0x00048004, 320, 200, 5);
    property(0x00048005, 32, 0, 5);
    tell("pitch", property(0x00040008, 0, 0, 5));
    tell("picture", property(0x00040001, 16, 0, 5));
    tell("its size", property(0x00040001, 16, 0, 6));
    tell("answer", buffer[1]);
}

int main(void)
{
    u32 value;

    say("\r\nRaspberry Pi 2\r\n");
    __asm__ volatile("mrc p15, 0, %0, c0, c0, 5" : "=r"(value));
    tell("processor", value);
    __asm__ volatile("mrc p15, 4, %0, c15, c0, 0" : "=r"(value));
    tell("private memory", value);
    test_exceptions();
    interrupts(0);
    test_timer();
    test_dma();
    test_properties();
    tell("card's host", R32(EMMC + 0x40) & 0xffff);
    R32(AUX + 4) = 1;
    tell("second UART", R32(AUX + 0x54));
    test_mmu();
    say("that is all\r\n");
    __asm__ volatile("mov r0, #0x18; mov r1, #0x26; orr r1, r1, #0x20000; svc 0x123456" : : : "r0", "r1", "lr");
    for (;;) {
    }
}
