"""Non-volatile memories, and the firmware configuration interface."""
