"""Serial and parallel ports."""
