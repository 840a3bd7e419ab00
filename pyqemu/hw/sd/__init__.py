"""SD cards, and what reads them."""
