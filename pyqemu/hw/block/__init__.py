"""Storage controllers that are neither IDE nor SCSI."""
