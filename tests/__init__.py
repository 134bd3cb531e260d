"""The tests: one folder a room, `ground` for the repository itself, `bench` for the measurements."""
