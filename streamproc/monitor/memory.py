"""A partition's states in memory: for reading a journal again, and where a changelog keeps what this forgets."""

from heapq import heappop, heappush


class MemoryStates:
    """States in a dict, due times in a heap with stale entries left in it: a partition's `States` in memory."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def get(self, customer_id: str) -> bytes | None:
        """The customer's state, None for one never put."""
        return self.bodies.get(customer_id)

    def put(self, customer_id: str, body: bytes, due: int | None) -> None:
        """Keeps a state; `due` None: nothing will happen by itself."""
        self.bodies[customer_id] = body
        if due is None:
            self._due.pop(customer_id, None)
        elif self._due.get(customer_id) != due:
            self._due[customer_id] = due
            heappush(self._heap, (due, customer_id))

    def drop(self, customer_id: str) -> None:
        """Keeps nothing of the customer."""
        self.bodies.pop(customer_id, None)
        self._due.pop(customer_id, None)

    def due(self, at: int) -> list[str]:
        """The customers due at or before `at` (µs)."""
        found = []
        while self._heap and self._heap[0][0] <= at:
            due, customer_id = heappop(self._heap)
            if self._due.get(customer_id) == due:
                del self._due[customer_id]
                found.append(customer_id)
        return found

    def overdue(self, at: int) -> int:
        """How many customers are due at or before `at` (µs); it looks at all of them."""
        return sum(due <= at for due in self._due.values())

    def next_due(self) -> int | None:
        """The earliest due time (µs)."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None
