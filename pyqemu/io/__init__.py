"""What moves bytes between the program and the host: descriptors that clients hand over, channels."""
