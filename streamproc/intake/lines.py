"""Lines of one order, exported a row each, made one purchase (`orders = "sum"` in a mapping)."""

from hashlib import blake2b

import msgspec

from streamproc.core.events import Purchase

Line = tuple[str, str, int]
"""What the lines of one order share: customer, order id (a return's is apart) and instant."""

_SUMMED = ("amount", "quantity", "cost", "list_amount", "reward_amount")


def line_of(purchase: Purchase) -> Line:
    """The order that a line belongs to."""
    return purchase.customer_id, purchase.order_id, purchase.at


def first_line(purchase: Purchase) -> Purchase:
    """An order of one line, named by the order: the id stays when the same order is read again."""
    named = blake2b(msgspec.json.encode(line_of(purchase)), digest_size=16).hexdigest()
    return msgspec.structs.replace(purchase, event_id=f"{named}-1", lines=purchase.lines or 1)


def add_line(order: Purchase, line: Purchase) -> Purchase:
    """The order with one more line: money, pieces and lines add up.

    Money that one line does not tell is not known of the order. All else is as the first line has it.
    """
    sums: dict[str, float | None] = {}
    for field in _SUMMED:
        one, other = getattr(order, field), getattr(line, field)
        sums[field] = None if one is None or other is None else one + other
    return msgspec.structs.replace(order, lines=(order.lines or 0) + (line.lines or 1), **sums)
