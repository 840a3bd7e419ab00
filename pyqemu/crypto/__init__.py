"""Secrets, certificates and TLS, on top of Python's ``ssl``. It opens no connections."""
