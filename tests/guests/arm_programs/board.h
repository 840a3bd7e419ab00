/* What programs for Arm's boards share: they use PrimeCells, and tell of it on the first UART. What is told does not
 * depend on time. A program defines where devices are (RAM, UART, RTC, KEYBOARD,
 * MOUSE, MMC, FLASH) before it includes this, or NO_PRIMECELLS if it has none besides a UART.
 */

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#define R32(address) (*(volatile u32 *)(address))
#define R16(address) (*(volatile u16 *)(address))
#define R8(address) (*(volatile u8 *)(address))

static void put(char c)
{
    while (R32(UART + 0x18) & 0x20) {
    }
    R32(UART) = c;
}

static void say(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void hex(u32 value)
{
    int shift;

    for (shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[value >> shift & 15]);
    }
}

static void tell(const char *name, u32 value)
{
    say(name);
    say(": ");
    hex(value);
    say("\r\n");
}

static volatile u32 seen[8], alarms;

static void interrupts(u32 mask)
{
    u32 state;

    __asm__ volatile("mrs %0, cpsr" : "=r"(state));
    __asm__ volatile("msr cpsr_c, %0" : : "r"((state & ~0xc0) | mask));
}

static void test_exceptions(void)
{
    __asm__ volatile("svc 0x42" : : : "lr", "memory");
    __asm__ volatile(".word 0xe7f000f0" : : : "lr", "memory");
    tell("calls", seen[2]);
    tell("undefined instructions", seen[1]);
}

#ifndef NO_PRIMECELLS
/* The alarm's interrupt is to count `alarms`. */
static void test_rtc(void)
{
    u32 now = R32(RTC), at = now;

    tell("day", now / 86400);
    R32(RTC + 0x10) = 1;
    while (!alarms) {
        if (R32(RTC) > at || at == now) { /* the host may stand still beyond a moment that was ahead */
            at = R32(RTC) + 1;
            R32(RTC + 0x04) = at;
        }
    }
    tell("after the alarm", R32(RTC) > now);
}

static void port(const char *name, u32 base, u8 command, int answers)
{
    say(name);
    R32(base + 8) = command;
    while (answers--) {
        while (!(R32(base + 4) & 0x10)) {
        }
        put(' ');
        hex(R32(base + 8));
    }
    say("\r\n");
}

static void test_input(void)
{
    R32(KEYBOARD) = 0x04;
    R32(MOUSE) = 0x04;
    port("keyboard, reset:", KEYBOARD, 0xff, 2);
    port("keyboard, identify:", KEYBOARD, 0xf2, 3);
    port("keyboard, echo:", KEYBOARD, 0xee, 1);
    port("mouse, reset:", MOUSE, 0xff, 3);
    port("mouse, identify:", MOUSE, 0xf2, 2);
}

/* --- the memory card */

static u32 command(u32 number, u32 argument, u32 flags)
{
    R32(MMC + 0x38) = 0x7ff;
    R32(MMC + 0x08) = argument;
    R32(MMC + 0x0c) = 0x400 | flags | number;
    while (!(R32(MMC + 0x34) & 0xc5)) {
    }
    return R32(MMC + 0x14);
}

static void test_card(void)
{
    u32 sum = 0, count = 0, address;

    R32(MMC) = 0x86;
    command(0, 0, 0);
    do {
        command(55, 0, 0x40);
    } while (!(command(41, 0x00ff8000, 0x40) >> 31));
    command(2, 0, 0xc0);
    tell("card's serial number", R32(MMC + 0x1c));
    address = command(3, 0, 0x40) & 0xffff0000;
    command(9, address, 0xc0);
    tell("card's data", R32(MMC + 0x18));
    command(7, address, 0x40);
    command(16, 512, 0x40);
    R32(MMC + 0x24) = 0xffffff;
    R32(MMC + 0x28) = 1024;
    R32(MMC + 0x2c) = 9 << 4 | 2 | 1;
    command(18, 512 * 3, 0x40);
    while (count < 1024) {
        if (R32(MMC + 0x34) & 1 << 21) {
            sum = (sum << 1 | sum >> 31) ^ R32(MMC + 0x80);
            count += 4;
        }
    }
    command(12, 0, 0x40);
    tell("sum of two blocks", sum);
}

static void test_flash(void)
{
    R32(FLASH) = 0x00900090;
    tell("maker of the flash", R32(FLASH));
    R32(FLASH) = 0x00ff00ff;
    R32(FLASH + 0x40000) = 0x00200020;
    R32(FLASH + 0x40000) = 0x00d000d0;
    while (!(R32(FLASH + 0x40000) & 0x80)) {
    }
    R32(FLASH + 0x40000) = 0x00400040;
    R32(FLASH + 0x40000) = 0x12345678;
    while (!(R32(FLASH + 0x40000) & 0x80)) {
    }
    R32(FLASH + 0x40000) = 0x00ff00ff;
    tell("flash", R32(FLASH + 0x40000));
}

#endif

/* --- the memory management unit: all as it is, but for one megabyte that is not there */

#if __ARM_ARCH >= 7
#define SECTION 0xc02
#else
#define SECTION 0xc12
#endif
static u32 table[4096] __attribute__((aligned(0x4000)));
void call_nowhere(u32 address);

static void test_mmu(void)
{
    u32 i, control, value;

    for (i = 0; i < 4096; i++) {
        table[i] = i << 20 | SECTION;
    }
    table[0x700] = 0;
    table[0x701] = RAM + 0x100000 + SECTION; /* another view of the second megabyte */
    R32(RAM + 0x100040) = 0x600df00d;
    __asm__ volatile("mcr p15, 0, %0, c2, c0, 0" : : "r"(table));
    __asm__ volatile("mcr p15, 0, %0, c3, c0, 0" : : "r"(1));
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0" : : "r"(0));
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0" : : "r"(control | 1));
    tell("by another address", R32(0x70100040));
    tell("control", control | 1);
    (void)R32(0x70012344);
    __asm__ volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(value));
    tell("data aborts", seen[4]);
    tell("status", value);
    __asm__ volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(value));
    tell("address", value);
    call_nowhere(0x70000100);
    __asm__ volatile("mrc p15, 0, %0, c5, c0, 1" : "=r"(value));
    tell("prefetch aborts", seen[3]);
    tell("status", value);
}
