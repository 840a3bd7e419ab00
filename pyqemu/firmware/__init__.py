"""What a board needs to boot without anything from outside: BIOS, tables, and loaders of kernels."""
