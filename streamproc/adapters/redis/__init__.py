"""The feed in Redis: lines as they came, and each warning as it stands."""
