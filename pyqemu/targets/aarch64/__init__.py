"""The AArch64 target: the 64-bit state of ARMv8-A (ARM DDI 0487A.f)."""
