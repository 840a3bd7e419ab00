"""The I2C bus (UM10204, *I2C-bus specification and user manual*), its hosts and what hangs on it."""
