"""Many feeds made one: bytes and rows in, journal records or refusals out."""
