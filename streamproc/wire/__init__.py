"""Bytes and records: the schemas of everything that crosses an edge. A bad record is a value, never an exception."""
