"""Many feeds made one: decode, map, check, key by customer. Pure: bytes and rows in, journal records or refusals out."""
