"""Stable hashes of ids: the same on every machine and in every run."""

from functools import lru_cache
from hashlib import blake2b
from zlib import crc32


def hash32(text: str) -> int:
    """A 32-bit hash: tells the orders of one customer apart (a collision among 500 has odds of 3 in 100,000)."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest())


@lru_cache(maxsize=4096)
def hash_name(name: str | None) -> int:
    """A 16-bit hash of a name that many customers share (a region, a dealer, one of the staff); 0 where there is none.

    It tells the few names of one customer apart: two differ with odds of 65,534 in 65,535.
    """
    return 1 + hash32(name) % 0xFFFF if name else 0


def short_id(*parts: str) -> str:
    """A 16-digit hex id made of parts; no two different lists of parts read the same."""
    joined = "\x1f".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(joined.encode(), digest_size=8).hexdigest()


def mark_of(customer_id: str) -> str:
    """What is kept of an id that is forgotten: a hash, by which the id can be known again but not be told."""
    return blake2b(customer_id.encode(), digest_size=12, person=b"forgotten").hexdigest()


def partition_of(customer_id: str, partitions: int) -> int:
    """Which of the journal's partitions a customer belongs to, in either runtime."""
    return crc32(customer_id.encode()) % partitions
