"""``info jit``: what the translator has made."""

from __future__ import annotations

from pyqemu.tcg.cpu import Cpu


def jit_text(cpu: Cpu) -> str:
    """Counts and averages of the blocks that are there now."""
    engine = cpu.engine
    if engine is None:
        return "this CPU translates nothing"
    blocks = list(engine.cache)
    count = len(blocks)
    guest, host = sum(block.length for block in blocks), sum(block.size for block in blocks)
    longest = max((block.length for block in blocks), default=0)
    crossing = sum(1 for block in blocks if block.second)
    ratio = host / guest if guest else 0.0
    return "\n".join(
        [
            "Translation buffer state:",
            f"gen code size       {host}",
            f"TB count            {count}",
            f"TB avg target size  {guest // count if count else 0} max={longest} bytes",
            f"TB avg host size    {host // count if count else 0} bytes (expansion ratio: {ratio:.1f})",
            f"cross page TB count {crossing} ({100 * crossing // count if count else 0}%)",
            "",
            "Statistics:",
            f"TB invalidate count {engine.cache.statistics()['invalidated']}",
        ]
    )
