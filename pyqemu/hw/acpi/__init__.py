"""ACPI power management hardware."""
