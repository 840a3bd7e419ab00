"""Host bridges: where PCI meets the CPU."""
