"""Names for events whose feed gives none: what they say, and which of its equals they are.

id = 128-bit hash of the content + "-" + occurrence number within the source. The same export read twice, or a
longer one after a shorter, gives the same ids, so the journal knows what it has.
"""

from hashlib import blake2b

import msgspec

_encode = msgspec.json.Encoder().encode


def hash_of_bytes(body: bytes) -> str:
    """The content hash of a JSON event: of its bytes without surrounding blanks."""
    return blake2b(body.strip(), digest_size=16).hexdigest()


class RowHasher:
    """Content hashes of the rows of one table.

    Hashed are the header's names and the parsed cells, each as a JSON array, so that neither quoting nor the
    delimiter matters and no two different rows look alike.
    """

    def __init__(self, header: list[str]) -> None:
        self._start = blake2b(_encode(header), digest_size=16)

    def __call__(self, row: list[str]) -> str:
        """The hash of one row, as 32 hex digits."""
        state = self._start.copy()
        state.update(_encode(row))
        return state.hexdigest()


class Occurrences:
    """Counts how often each content was seen, per instant.

    Equal contents have equal times. So in a sorted source only the counts of the running instant are needed;
    an unsorted one keeps those of the last instants, `most` contents in all. An equal row that comes later
    than that counts as the first again, and the journal takes it for a repeat.
    """

    def __init__(self, most: int = 200_000, *, in_order: bool = False) -> None:
        self._most = most
        self._in_order = in_order
        self._seen: dict[int, dict[str, int]] = {}
        self._size = 0

    def number(self, at: int, content: str) -> int:
        """1 for the first event of this content, 2 for the second, and so on."""
        counts = self._seen.get(at)
        if counts is None:
            self._make_room()
            counts = self._seen[at] = {}
        count = counts[content] = counts.get(content, 0) + 1
        self._size += count == 1
        return count

    def _make_room(self) -> None:
        if self._in_order:
            self._seen.clear()
            return
        while self._size >= self._most:
            oldest = next(iter(self._seen))
            self._size -= len(self._seen.pop(oldest))
