"""Processors with what is around them on the same chip."""
