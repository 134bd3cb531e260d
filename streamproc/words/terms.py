"""The term for each code: what people read where machines read the code."""

Kind = str
Terms = dict[Kind, dict[str, str]]

TERMS: Terms = {}
"""English terms by kind and code; the kind is the message's context, so that one word may be translated in two ways."""


def _t(kind: Kind, code: str, english: str) -> None:
    TERMS.setdefault(kind, {})[code] = english


_t("stage", "potential", "potential customer")
_t("stage", "target", "target customer")
_t("stage", "first_time", "first-time buyer")
_t("stage", "repeat", "repeat buyer")
_t("stage", "loyal", "loyal customer")
_t("stage", "lost", "lost")
_t("stage", "permanently_lost", "permanently lost")

_t("change", "won_back", "won back")

_t("phase", "cultivation", "cultivation")
_t("phase", "growth", "growth")
_t("phase", "return", "return")
_t("phase", "retention", "retention")
_t("phase", "termination", "termination")

_t("grade", "A", "grade A")
_t("grade", "B", "grade B")
_t("grade", "C", "grade C")
_t("grade", "D", "grade D")

_t("tier", "platinum", "platinum")
_t("tier", "gold", "gold")
_t("tier", "iron", "iron")
_t("tier", "lead", "lead")

_t("segment", "large_premium", "large premium")
_t("segment", "average", "average")
_t("segment", "small_premium", "small premium")
_t("segment", "small_ordinary", "small ordinary")
_t("segment", "bleeding", "bleeding")

_t("severity", "unrated", "unrated")
_t("severity", "low", "low")
_t("severity", "medium", "medium")
_t("severity", "high", "high")
_t("severity", "critical", "critical")

_t("outcome", "no_purchase_yet", "no purchase yet")
_t("outcome", "already_lost", "already lost")
_t("outcome", "feed_stale", "feed stale")
_t("outcome", "episode_open", "warning open")
_t("outcome", "below_threshold", "below the threshold")
_t("outcome", "minimum_evidence", "too little evidence")
_t("outcome", "hysteresis", "risk not low since the last warning")
_t("outcome", "cooldown", "cooldown")
_t("outcome", "recent_contact", "contacted lately")
_t("outcome", "do_not_contact", "do not contact")
_t("outcome", "model_not_trusted", "model not trusted yet")
_t("outcome", "bleeding_segment", "bleeding segment")
_t("outcome", "would_warn", "warning")

_t("disposition", "raised", "raised")

_t("state", "raised", "raised")
_t("state", "escalated", "escalated")
_t("state", "recovered", "recovered")
_t("state", "lost", "lost")
_t("state", "withdrawn", "withdrawn")
_t("state", "verdict", "verdict")

_t("verdict", "right", "right")
_t("verdict", "wrong", "wrong")

_t("why", "risk", "the risk rose")
_t("why", "severity", "more is at stake")
_t("why", "bought", "the customer bought")
_t("why", "risk_fell", "the risk fell")
_t("why", "silence", "silent for so long that they count as lost")
_t("why", "terminated", "the customer ended the relationship")
_t("why", "corrected", "it rested on facts that were corrected")
_t("why", "alias", "the id turned out to be an alias")

_t("group", "level", "general level")
_t("group", "silence", "silence")
_t("group", "frequency", "frequency")
_t("group", "newness", "time as a customer")
_t("group", "trend", "trend of the gaps")
_t("group", "rhythm", "rhythm")
_t("group", "money", "spending")
_t("group", "basket", "basket")
_t("group", "returns", "returns")
_t("group", "complaints", "complaints")
_t("group", "contacts", "contacts")
_t("group", "discounts", "discounts")

_t("speaks", "prior", "buying pattern alone")
_t("speaks", "blend", "buying pattern, few outcomes learned from")
_t("speaks", "learned", "learned from outcomes")

_t("complaint status", "opened", "opened")
_t("complaint status", "acknowledged", "acknowledged")
_t("complaint status", "resolved", "resolved")
_t("complaint status", "reopened", "reopened")
_t("complaint status", "withdrawn", "withdrawn")

_t("cause", "quality", "unstable quality")
_t("cause", "innovation", "no innovation")
_t("cause", "service", "poor service")
_t("cause", "market_control", "market control lost")
_t("cause", "staff_departure", "staff leaves")
_t("cause", "competitor", "lured by a competitor")
_t("cause", "short_term_conduct", "short-term conduct")
_t("cause", "price", "price too high")
_t("cause", "inconvenience", "inconvenient")

_t("direction", "in", "from the customer")
_t("direction", "out", "to the customer")

_t("purpose", "support", "support")
_t("purpose", "sales", "sales")
_t("purpose", "retention", "retention")
_t("purpose", "survey", "survey")
_t("purpose", "inquiry", "inquiry")
_t("purpose", "cancellation", "cancellation")

_t("result", "resolved", "resolved")
_t("result", "unresolved", "unresolved")
_t("result", "no_answer", "no answer")
_t("result", "saved", "saved")
_t("result", "terminated", "terminated")

_t("customer kind", "consumer", "consumer")
_t("customer kind", "business", "business")
_t("customer kind", "dealer", "dealer")

_t("stream", "purchases", "purchase")
_t("stream", "returns", "return")
_t("stream", "complaints", "complaint")
_t("stream", "contacts", "contact")

_t("clock", "event", "event time")
_t("clock", "wall", "wall clock")

_t("feed", "purchases", "purchases")
_t("feed", "complaints", "complaints")
_t("feed", "contacts", "contacts")

_t("alert", "feed_silent", "feed silent")
_t("alert", "feed_odd", "feed odd")
_t("alert", "complaint_surge", "complaints surge")
_t("alert", "churn_rate", "churn rate")
_t("alert", "churn_grave", "grave churn")
_t("alert", "base_shrinking", "base shrinking")
_t("alert", "concentration_rising", "concentration rising")

_t("alert state", "raised", "open")
_t("alert state", "worse", "worse")
_t("alert state", "ended", "over")

_t("tally", "category", "category")
_t("tally", "kind", "kind")
_t("tally", "nature", "nature")
_t("tally", "product", "product")
_t("tally", "channel", "channel")
_t("tally", "region", "region")

_t("complaint kind", "first", "first complaint")
_t("complaint kind", "repeated", "repeated")
_t("complaint kind", "reopened", "reopened")

_t("complaint nature", "valid", "valid")
_t("complaint nature", "invalid", "not valid")

_t("refusal", "not_utf8", "not UTF-8 text")
_t("refusal", "not_json", "not JSON")
_t("refusal", "not_object", "not a JSON object")
_t("refusal", "bad_row", "broken row")
_t("refusal", "too_large", "too large")
_t("refusal", "missing_field", "field missing")
_t("refusal", "wrong_type", "wrong type")
_t("refusal", "bad_value", "no such value")
_t("refusal", "out_of_range", "out of range")
_t("refusal", "not_finite", "not a finite number")
_t("refusal", "id_too_long", "id too long")
_t("refusal", "unknown_kind", "unknown kind of event")
_t("refusal", "bad_time", "not a time")
_t("refusal", "too_old", "too old to be judged")
_t("refusal", "in_future", "in the future")
_t("refusal", "no_rate", "no currency rate")
_t("refusal", "apply_failed", "could not be applied")
_t("refusal", "look_failed", "look failed")
_t("refusal", "alias_of_itself", "alias of itself")

# What intake says of records and columns, see `told`: the text itself, with its values in braces.
_t("told", "epoch_large", "not an epoch number: too large")
_t("told", "no_time_of_format", "not a time (format {format})")
_t("told", "no_time", "not a time (RFC 3339 or epoch; else set time_format in a mapping)")
_t("told", "epoch_small", "a number below 1e8 (1973) is not taken for an epoch stamp")
_t("told", "or_a_key", "or an Idempotency-Key")
_t("told", "before_1970", "before 1970")
_t("told", "ahead", "more than 5 min ahead of the clock")
_t("told", "currency_letters", "a currency code has three letters")
_t("told", "rate_above_0", "a rate is above 0")
_t("told", "currencies", "more than {n} currencies")
_t("told", "no_rate", "no rate {currency} to {reporting} at or before {time}")
_t("told", "minor_units", "more than 1e15 minor units")
_t("told", "not_plain", "not a plain decimal; a mapping can set decimal_comma and thousands")
_t("told", "cells", "{n} cells where the header has {width}")
_t("told", "array", "the array cannot be split into events")
_t("told", "bytes", "more than {n} bytes")
_t("told", "beside_fact", "beside `fact`: the same fact, or fact, facts, firm_fact")
_t("told", "which_fact", "which fact it is")
_t("told", "no_word", "no stream, kind, type or fact, and no id field that only one stream has")
_t("told", "or_a_word", "or a word that names the stream")
_t("told", "detail_values", "texts of at most 256 characters, numbers, true, false, null")
_t("told", "detail_members", "at most {n} members, names of at most {bytes}")
_t("told", "nul", "a NUL character in an id")
_t("told", "object", "a JSON object is expected")
_t("told", "no_such_word", "no such word")
_t("told", "no_number", "{value} is no JSON number")
_t("told", "below_0", "below 0")
_t("told", "own_alias", "a customer is no alias of itself")
_t("told", "set_encoding", "set encoding in a mapping")
_t("told", "not_text", "not {encoding} text")
_t("told", "open_quote", "a quote is not closed")
_t("told", "no_csv", "not a CSV record: {problem}")
_t("told", "tombstone", "no value: a tombstone")
_t("told", "no_event", "no event was kept: what failed was a look")
_t("told", "expected_got", "Expected `{wanted}`, got `{found}`")
_t("told", "expected", "Expected `{wanted}`")
_t("told", "json_lines", "JSON Lines: our field names")
_t("told", "always", "always: {field} = {value}")
_t("told", "no_kind", "no kind column: every row is a purchase (a return if its amount is below zero)")
_t("told", "no_amount", "no amount column: purchases are counted, money is not known")
_t("told", "no_complaint_id", "no complaint_id column: each row of a complaint is a complaint of its own")
_t("told", "no_status", "no status column: complaints are opened")
_t("told", "no_direction", "no direction column: contacts come from the customer (in)")
_t("told", "skipped", "skipped kinds: {kinds}")
_t("told", "ignored", "ignored: {names}")
_t("told", "time_column", "{name} → occurred_at ({layout}; without a zone: {zone})")
_t(
    "told",
    "rows",
    '{name} → order_id (each row an order of its own; orders = "whole" or "sum" in a mapping says otherwise)',
)
_t("told", "whole", "{name} → order_id (one order an id; a higher revision or a cancellation replaces it)")
_t("told", "sum", "{name} → order_id (rows of one customer, id and instant are added up)")
_t(
    "told",
    "price",
    '{name} → amount (of the whole row; if it is the price of one piece: [columns] unit_price = "..." )',
)
