"""The monitor: one journal partition in, looks and warnings out. A pure function of what it reads."""
