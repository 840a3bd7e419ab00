"""IDE: the channels, hard disks, CD-ROM drives, and the controllers on PCI and ISA."""
