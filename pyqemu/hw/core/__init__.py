"""What all buses share."""
