"""The rules a clean line keeps, written from the description of the feeds, not from the code."""

import json
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]

_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")


def text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= 256


def moment(value: object) -> bool:
    return isinstance(value, str) and _TIME.match(value) is not None and "1970" <= value < "2900"


def number(least: float, most: float) -> Check:
    return lambda value: isinstance(value, int | float) and type(value) is not bool and least <= value <= most


def money(value: object) -> bool:
    return number(-1e9, 1e9)(value) and round(float(str(value)) * 100) == round(float(str(value)) * 100, 6)


def whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def one_of(*words: str) -> Check:
    return lambda value: value in words


def flag(value: object) -> bool:
    return type(value) is bool


CAUSES = (
    "quality",
    "innovation",
    "service",
    "market_control",
    "staff_departure",
    "competitor",
    "short_term_conduct",
    "price",
    "inconvenience",
)
FIRM_FACTS = (
    "currency_rate",
    "staff_left",
    "dealer_region",
    "list_price",
    "product",
    "holiday",
    "working_hours",
    "marketing",
    "outage",
)

ENVELOPE: dict[str, Check] = {
    "event_id": text,
    "customer_id": text,
    "occurred_at": moment,
    "schema_version": whole(1, 1),
}
ABOUT: dict[str, Check] = {
    "customer_kind": one_of("consumer", "business", "dealer"),
    "strategic": number(0, 1),
    "fixed_service_cost": number(0, 1e6),
}
NEEDED: dict[str, dict[str, Check]] = {
    "purchases": ENVELOPE | {"order_id": text, "amount": money, "currency": one_of("EUR", "USD")},
    "complaints": ENVELOPE
    | {
        "complaint_id": text,
        "status": one_of("opened", "acknowledged", "resolved", "reopened", "withdrawn"),
        "owner": text,
    },
    "contacts": ENVELOPE
    | {
        "contact_id": text,
        "direction": one_of("in", "out"),
        "channel": text,
        "purpose": one_of("support", "sales", "retention", "survey", "inquiry", "cancellation"),
        "result": one_of("resolved", "unresolved", "no_answer", "saved", "terminated"),
    },
    "facts": {name: ENVELOPE[name] for name in ("event_id", "occurred_at", "schema_version")},
    "truth": {
        "customer_id": text,
        "left_at": moment,
        "cause": one_of(*CAUSES, "natural"),
        "last_purchase_at": moment,
        "silent_unhappy": flag,
        "won_back_at": lambda value: value is None or moment(value),
        "left_evidence": flag,
    },
}
MAY: dict[str, dict[str, Check]] = {
    "purchases": ABOUT
    | {
        "quantity": whole(1, 10_000),
        "cost": number(0, 1e9),
        "list_amount": number(0, 1e9),
        "reward_amount": number(0, 1e9),
        "category": text,
        "channel": text,
        "deliberation_s": whole(0, 10**7),
        "region": text,
        "dealer_id": text,
        "contract_until": moment,
        "revision": whole(1, 1),
        "cancelled": flag,
    },
    "complaints": {
        "category": one_of(*CAUSES),
        "severity": whole(1, 5),
        "channel": text,
        "valid": flag,
        "resolution_score": whole(1, 5),
        "text": text,
    },
    "contacts": {
        "perceived": number(0, 10),
        "expected": number(0, 10),
        "wait_s": whole(0, 10**6),
        "competitor": flag,
        "referral": flag,
        "staff_id": text,
        "text": text,
    },
    "facts": {
        "customer_id": text,
        "alias_of": text,
        "owner": text,
        "do_not_contact": flag,
        "fact": one_of(*FIRM_FACTS),
        "subject": text,
        "value": number(-1e15, 1e15),
        "from": text,
        "to": text,
        "days": text,
        "region": text,
        "change": lambda value: text(value) or number(-1, 1)(value),
        "successor": text,
        "mailings": whole(1, 10**6),
        "cost_per_mailing": number(0, 10),
        "response_rate": number(0, 1),
        "channel": text,
        "until": moment,
        "planned": flag,
        "day": text,
    },
    "truth": {},
}


def broken(stream: str, line: bytes) -> list[str]:
    """The names of the rules that a line breaks; none for a clean one."""
    try:
        event = json.loads(line.decode(), parse_constant=_refuse)
    except ValueError:
        return ["json"]
    if not isinstance(event, dict):
        return ["object"]
    needed, may = NEEDED[stream], NEEDED[stream] | MAY[stream]
    wrong = [f"{name} is missing" for name in needed if name not in event]
    wrong += [name for name, value in event.items() if name not in may or not may[name](value)]
    if stream == "facts" and ("customer_id" in event) == ("fact" in event):
        wrong.append("a fact is about one customer, or about everybody")
    return wrong


def _refuse(word: str) -> None:
    raise ValueError(word)
