"""Accelerators: what runs the vCPUs of a machine."""
