"""The Arm architecture in its 32-bit states, and what the 64-bit state shares with them."""
