"""A partition's states in memory: for reading a journal again, and where a changelog keeps what this forgets."""

from heapq import heappop, heappush


class MemoryStates:
    """States in a dict; who is due when, by instant, with stale entries left in: a partition's `States` in memory.

    Due times are few, for they are midnights: so an entry costs a place in a list, and all share one integer.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self._due: dict[str, int] = {}
        self._at: dict[int, tuple[int, list[str]]] = {}  # by instant: the same integer, and who was put there
        self._instants: list[int] = []  # a heap

    def get(self, customer_id: str) -> bytes | None:
        """The customer's state, None for one never put."""
        return self.bodies.get(customer_id)

    def put(self, customer_id: str, body: bytes, due: int | None) -> None:
        """Keeps a state; `due` None: nothing will happen by itself."""
        self.bodies[customer_id] = body
        if due is None:
            self._due.pop(customer_id, None)
        elif self._due.get(customer_id) != due:
            if due not in self._at:
                self._at[due] = (due, [])
                heappush(self._instants, due)
            self._due[customer_id], there = self._at[due]
            there.append(customer_id)

    def drop(self, customer_id: str) -> None:
        """Keeps nothing of the customer."""
        self.bodies.pop(customer_id, None)
        self._due.pop(customer_id, None)

    def due(self, at: int) -> list[str]:
        """The customers due at or before `at` (µs)."""
        found = []
        while self._instants and self._instants[0] <= at:
            instant = heappop(self._instants)
            for customer_id in self._at.pop(instant)[1]:
                if self._due.get(customer_id) == instant:
                    del self._due[customer_id]
                    found.append(customer_id)
        return found

    def overdue(self, at: int) -> int:
        """How many customers are due at or before `at` (µs); it looks at all of them."""
        return sum(due <= at for due in self._due.values())

    def next_due(self) -> int | None:
        """The earliest due time (µs)."""
        while self._instants:
            instant = self._instants[0]
            there = self._at[instant][1]
            while there and self._due.get(there[-1]) != instant:
                there.pop()
            if there:
                return instant
            del self._at[heappop(self._instants)]
        return None
