"""The emulated architectures, one package each."""
