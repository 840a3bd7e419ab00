"""The x86 and x86-64 target."""
