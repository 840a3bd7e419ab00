"""The ISA bus and what is soldered to it."""
