"""The embedded runtime: journal, states and feed in one SQLite file, one process, one transaction a batch."""
