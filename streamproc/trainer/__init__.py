"""Learns from matured examples and makes snapshots; the only room that knows river."""
