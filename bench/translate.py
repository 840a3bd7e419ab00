"""What translation costs: ``python bench/translate.py [ELF FILE]``.

Translates guest code that no block has been made from before: with all its instructions seen before, which is the usual
case once a guest is up, and from nothing. Figures are microseconds of processor time for one guest instruction, and
tell where the time goes. Guests are the toy target of the tests, in blocks of six instructions, and x86-64, with the
text of the given program (without one: of the C library).
"""

from __future__ import annotations

import ctypes.util
import gc
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests" / "tcg")]

from toy import MMIO, Toy, assemble  # noqa: E402

from pyqemu.tcg.stencil_engine import StencilEngine  # noqa: E402
from pyqemu.tcg.translate import Block, Fields  # noqa: E402

ROUNDS = 5
BLOCKS = 2000
TEXT = 1 << 18  # bytes of x86 code
Source = tuple[int, bytes, bytes]  # address, bytes up to the end of the page, bytes behind it


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of processor time of the quickest of several rounds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def row(label: str, seconds: float, count: int, whole: float) -> None:
    print(f"  {label:34} {seconds / count * 1e6:7.2f} us  {seconds / whole:5.0%}")


def report(name: str, engine: StencilEngine, flags: int, sources: list[Source]) -> None:
    """Print the cost of all blocks, whole and by part."""
    translator = engine.translator
    decode = translator.target.decoder(flags).decode

    def translate() -> list[tuple[Block, list[Fields]]]:
        return [translator.block(at, at, flags, code, lambda more=more: more) for at, code, more in sources]  # type: ignore[misc]

    def place(made: Iterable[tuple[Block, list[Fields]]]) -> None:
        engine.flush()
        for block, fields in made:
            engine.place(block, fields)

    def decode_all() -> None:
        for (_, code, more), (block, _) in zip(sources, made, strict=True):
            at = 0
            for variant in block.variants:
                if variant.shape.length:
                    decode(code + more, at)
                at += variant.shape.length

    def translate_again() -> None:
        for at, code, more in sources:
            translator.block(at, at, flags, code, lambda more=more: more)  # type: ignore[misc]

    start = time.process_time()
    made = translate()
    place(made)
    cold = time.process_time() - start
    decode_all()
    count = sum(block.count for block, _ in made)
    decoding, translating, placing = best(decode_all), best(translate_again), best(lambda: place(made))
    whole = translating + placing
    shapes = len({variant.shape for block, _ in made for variant in block.variants})
    print(f"{name}: {len(made)} blocks, {count / len(made):.1f} instructions each; {shapes} shapes")
    row("all, every instruction known", whole, count, whole)
    row("decode", decoding, count, whole)
    row("choose variants", translating - decoding, count, whole)
    row("copy and patch", placing, count, whole)
    row("all, from nothing", cold, count, whole)
    if shapes > 100:
        print(f"  {'a new shape':34} {(cold - whole) / shapes * 1e6:7.0f} us")
    size = sum(block.size for block, _ in made)
    print(f"  {'native code':34} {size / count:7.1f} bytes, {size / len(made):.0f} for a block")


# --- toy --------------------------------------------------------------------------------------------------------------


def toy_sources() -> list[Source]:
    """Blocks of six instructions with a branch in the end."""
    rng = random.Random(1)
    sources, at = [], 0x1_0000
    for _ in range(BLOCKS):
        body: list[Any] = [("addf", 1, 2, 3), ("ld64", 4, 5, 8 * rng.randrange(32)), ("addi", 5, 5, rng.randrange(64)),
                           ("xor", 1, 1, 4), ("st32", 1, 6, 4 * rng.randrange(32))]  # fmt: skip
        rng.shuffle(body)
        code = assemble([*body, ("bnz", 1, 0, rng.randrange(-64, 64) * 4)], at)
        sources.append((at, code, b""))
        at += len(code)
    return sources


def bench_finding(toy: Toy, sources: list[Source]) -> None:
    """The same through the engine's front door: with software TLB, block cache and the watch over code pages."""
    engine, cpu = toy.engine, toy.cpu
    starts = [at for at, code, _ in sources if at + len(code) < 0x8_0000]
    for at, code, _ in sources[: len(starts)]:
        toy.memory.write(at, code)

    def find() -> list[Block]:
        engine.flush()
        blocks = []
        for start in starts:
            cpu.pc = start
            blocks.append(engine.find())
        return blocks

    count = sum(block.count for block in find())
    print(f"  {'all, with book-keeping':34} {best(find) / count * 1e6:7.2f} us")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    find()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"  {'Python objects of a block':34} {(after - before) / len(starts):7.0f} bytes")


def bench_exits(toy: Toy) -> None:
    """What it costs to leave native code and come back."""
    cpu, engine = toy.cpu, toy.engine
    cpu.calls = [lambda argument: None]
    cpu.observe = False
    cpu[6], cpu.masked = MMIO, True
    count, base = 20_000, 0.0
    loops: dict[str, list[Any]] = {
        "empty loop iteration": [], "helper call": [("call", 2, 1, 0)], "device load": [("ld32", 2, 6, 0)],
        "round trip to the main loop": [("sync",)],
    }  # fmt: skip
    print("leaving native code")
    for label, body in loops.items():
        engine.flush()
        lines = [("li64", 1, 0, count), "loop", *body, ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",)]
        toy.memory.write(0x2000, assemble(lines, 0x2000))

        def run() -> None:
            toy.device.log.clear()
            toy.run(0x2000)

        run()
        seconds = best(run, 3) / count
        print(f"  {label:34} {(seconds - base) * 1e6:7.3f} us")
        base = base or seconds
    cpu.pc = 0x2000

    def miss() -> None:
        for _ in range(count):
            engine.enter_jump_cache(engine.find())

    print(f"  {'finding a block for the jump cache':34} {best(miss, 3) / count * 1e6:7.3f} us")


# --- x86 --------------------------------------------------------------------------------------------------------------


ENDS = ("j", "ret", "call", "loop", "hlt", "syscall", "int", "ud")  # of mnemonics, nearly all that end a block


def x86_sources(path: str, decode: Callable[[bytes, int], tuple[Any, int, int]]) -> list[Source]:
    """The text of an ELF file from its beginning on, cut where blocks would end."""
    from elftools.elf.elffile import ELFFile

    with open(path, "rb") as file:
        section: Any = ELFFile(file).get_section_by_name(".text")
        base, text = section["sh_addr"], section.data()[:TEXT]
    sources, start, at = [], 0, 0
    while at < len(text) - 32:
        shape = decode(text, at)[0]
        at += shape.length
        if shape.mnemonic.startswith(ENDS) or (base + at) >> 12 != (base + start) >> 12:
            page = ((base + start) | 0xFFF) + 1 - base
            sources.append((base + start, text[start:page], text[page : page + 16]))
            start = at
    return sources


def bench_x86(path: str) -> None:
    from pyqemu.memory import AddressSpace, MemoryRegion
    from pyqemu.targets.x86 import layout
    from pyqemu.targets.x86.state import X86Cpu

    root = MemoryRegion.container("system", 1 << 40)
    root.add(0, MemoryRegion.ram("ram", 1 << 20))
    ports = AddressSpace("ports", MemoryRegion.container("ports", 1 << 16))
    engine = StencilEngine()
    cpu = X86Cpu("max", memory=AddressSpace("memory", root), io=ports, engine=engine)
    flags = 3 | layout.HF_CS32 | layout.HF_SS32 | layout.HF_CS64 | layout.HF_PE | layout.HF_LMA | layout.HF_OSFXSR
    flags |= layout.HF_CS_FLAT | layout.HF_SS_FLAT | layout.HF_DS_FLAT | layout.HF_ES_FLAT
    report(f"x86-64, {path}", engine, flags, x86_sources(path, cpu.decoder(flags).decode))


def c_library() -> str | None:
    """The path of the C library of this process."""
    name = ctypes.util.find_library("c") or ""
    with open("/proc/self/maps") as file:
        return next((line.split()[-1] for line in file if line.rstrip().endswith(name)), None)


def main(arguments: list[str]) -> None:
    toy = Toy(code_size=256 << 20)
    assert isinstance(toy.engine, StencilEngine)
    sources = toy_sources()
    report("toy", toy.engine, 0, sources)
    bench_finding(toy, sources)
    bench_exits(toy)
    path = arguments[0] if arguments else c_library()
    if path is not None:
        bench_x86(path)


if __name__ == "__main__":
    main(sys.argv[1:])
