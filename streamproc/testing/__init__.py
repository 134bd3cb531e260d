"""For tests, ours and other people's: events in a line, what must hold of every `States`."""
