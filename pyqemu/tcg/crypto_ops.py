"""Rows of AES rounds and products without carries, where the host has instructions for them.

They are Arm's: AESE and AESD combine the key first and do not mix columns. What the host has mixes, or combines the
key last; a mixing alone is a round that undoes the rest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyqemu.tcg import crypto_lanes
from pyqemu.tcg.ieee_ops import host_has
from pyqemu.tcg.ops import Op, operands

PAIR = "<2 x i64>"


def _call(out: str, name: str, *sources: str) -> str:
    return f"%{out} = call {PAIR} @llvm.x86.aesni.{name}({', '.join(f'{PAIR} {source}' for source in sources)})\n"


def _row(name: str, text: str, body: str, called: dict[str, int], function: Callable[..., int]) -> Op:
    sources = [word[0] for word in text.split()[1:]]
    load = "".join(f"%{letter}v = bitcast i128 %{letter} to {PAIR}\n" for letter in sources)
    declare = tuple(f"declare {PAIR} @llvm.x86.aesni.{each}({', '.join([PAIR] * n)})\n" for each, n in called.items())
    python = f"v_{name}({', '.join(f'{{{letter}}}' for letter in sources)})"
    return Op("v_" + name, operands(text), load + body + f"%d = bitcast {PAIR} %r to i128", python, declare=declare,
              scope={"v_" + name: function})  # fmt: skip


def crypto_table() -> Iterator[Op]:
    """All these rows."""
    if host_has("aes"):
        zero = "zeroinitializer"
        for name, round_, function in (("aese", "aesenclast", crypto_lanes.encrypt),
                                       ("aesd", "aesdeclast", crypto_lanes.decrypt)):  # fmt: skip
            body = f"%x = xor {PAIR} %av, %bv\n" + _call("r", round_, "%x", zero)
            yield _row(name, "d128 a128 b128", body, {round_: 2}, function)
        body = _call("x", "aesdeclast", "%av", zero) + _call("r", "aesenc", "%x", zero)
        yield _row("aesmc", "d128 a128", body, {"aesdeclast": 2, "aesenc": 2}, crypto_lanes.mix)
        yield _row("aesimc", "d128 a128", _call("r", "aesimc", "%av"), {"aesimc": 1}, crypto_lanes.unmix)
    if host_has("pclmulqdq"):
        text = "".join(f"%{v}v = insertelement {PAIR} zeroinitializer, i64 %{v}, i32 0\n" for v in "ab")
        text += f"%r = call {PAIR} @llvm.x86.pclmulqdq({PAIR} %av, {PAIR} %bv, i8 0)\n%d = bitcast {PAIR} %r to i128"
        yield Op("v_pmull64", operands("d128 a64 b64"), text, "v_pmull64({a}, {b})",
                 declare=(f"declare {PAIR} @llvm.x86.pclmulqdq({PAIR}, {PAIR}, i8)\n",),
                 scope={"v_pmull64": crypto_lanes.carryless})  # fmt: skip
