"""Which column of a table is which of our fields: what the mapping says, then what the usual names tell."""

from collections.abc import Sequence

import msgspec

from streamproc.intake.mapping import Mapping, MappingProblem

_USUAL = {
    "customer_id": "customerid customer cust custid custno custnum customerno customernumber customernum "
    "customerkey customercode clientid client clientno clientnumber buyerid buyer userid user memberid "
    "member accountid account",
    "occurred_at": "occurredat ts timestamp datetime eventtime eventtimestamp time date invoicedate "
    "orderdate purchasedate transactiondate orderedat createdat orderpurchasetimestamp eventdate day",
    "event_id": "eventid",
    "kind": "kind type event eventtype eventkind",
    "amount": "amount total totalamount totalprice value revenue sales price net netamount orderamount ordertotal",
    "unit_price": "unitprice priceperunit",
    "quantity": "quantity qty pieces units items",
    "lines": "nlines lines linecount",
    "order_id": "orderid orderno ordernumber ref reference invoice invoiceno invoiceid invoicenumber "
    "transactionid receiptid receipt",
    "revision": "revision",
    "cancelled": "cancelled canceled iscancelled",
    "status": "status",
    "currency": "currency currencycode",
    "cost": "cost cogs",
    "list_amount": "listamount amountbeforediscount grossamount",
    "reward_amount": "rewardamount",
    "category": "category",
    "channel": "channel",
    "deliberation_s": "deliberations",
    "region": "region country",
    "dealer_id": "dealerid",
    "contract_until": "contractuntil contractend",
    "complaint_id": "complaintid",
    "severity": "severity",
    "valid": "valid",
    "owner": "owner",
    "resolution_score": "resolutionscore",
    "contact_id": "contactid",
    "direction": "direction",
    "purpose": "purpose",
    "result": "result",
    "perceived": "perceived",
    "expected": "expected",
    "wait_s": "waits",
    "competitor": "competitor",
    "referral": "referral",
    "staff_id": "staffid",
    "text": "text",
    "customer_kind": "customerkind",
    "strategic": "strategic",
    "fixed_service_cost": "fixedservicecost",
    "alias_of": "aliasof",
    "do_not_contact": "donotcontact",
}
"""Our field → the names it usually has, the likeliest first; letters and digits only, lower case."""

_NEEDED = {"customer_id": "Customer", "occurred_at": "Date"}
_CORRECTING = ("revision", "cancelled", "status")


def infer_mapping(header: Sequence[str], said: Mapping | None = None) -> Mapping | MappingProblem:
    """The mapping of a table with this header: what `said` states, the rest by the usual column names.

    A column fills one field, a field is filled by one column; of several candidates the likeliest name wins.
    Without a customer and a time there is no mapping, and the problem shows the TOML that mends it.
    """
    said = said or Mapping()
    problems = [
        f'the table has no column "{column}" ({field})'
        for field, column in said.columns.items()
        if column not in header
    ]
    twice = sorted({name for name in header if name in said.columns.values() and header.count(name) > 1})
    problems += [f'the table has more than one column "{name}"' for name in twice]
    if problems:
        return MappingProblem((*problems, f"its columns: {_names(header)}"))
    columns = dict(said.columns)
    taken = set(columns.values()) | set(said.ignore)
    by_name: dict[str, str] = {}
    for name in header:
        by_name.setdefault(_plain(name), name)
    for field, usual in _USUAL.items():
        if field in columns or field in said.constants:
            continue
        found = next((by_name[word] for word in usual.split() if word in by_name and by_name[word] not in taken), None)
        if found is not None:
            columns[field] = found
            taken.add(found)
    missing = [field for field in _NEEDED if field not in columns and field not in said.constants]
    if missing:
        return _missing(missing, header)
    orders = said.orders or ("whole" if any(field in columns for field in _CORRECTING) else "rows")
    return msgspec.structs.replace(said, columns=columns, orders=orders)


def describe(mapping: Mapping, header: Sequence[str]) -> list[str]:
    """How each column is read, a line each, then what holds for all, for people to check."""
    of_column = {column: field for field, column in mapping.columns.items()}
    lines = [f"{name or '(no name)'} → {_reading(of_column[name], mapping)}" for name in header if name in of_column]
    ignored = [name for name in header if name not in of_column]
    lines += [f"always: {field} = {value}" for field, value in mapping.constants.items()]
    if "kind" not in of_column.values() and "kind" not in mapping.constants:
        lines.append("no kind column: every row is a purchase (a return if its amount is below zero)")
    said = mapping.columns.keys() | mapping.constants.keys()
    if not {"amount", "unit_price"} & said:
        lines.append("no amount column: purchases are counted, money is not known")
    if "kind" in said:
        lines += [f"no {field} column: {how}" for field, how in _UNSAID.items() if field not in said]
    lines += [f'kind "{word}" → {kind}' for word, kind in mapping.kinds.items()]
    if mapping.skip:
        lines.append(f"skipped kinds: {', '.join(mapping.skip)}")
    if ignored:
        lines.append(f"ignored: {_names(ignored)}")
    return lines


_UNSAID = {
    "complaint_id": "each row of a complaint is a complaint of its own",
    "status": "complaints are opened",
    "direction": "contacts come from the customer (in)",
}


def _reading(field: str, mapping: Mapping) -> str:
    if field == "occurred_at":
        layout = mapping.time_format or "RFC 3339 or epoch"
        return f"occurred_at ({layout}; without a zone: {mapping.time_zone})"
    if field == "order_id":
        return f"order_id ({_ORDERS[mapping.orders or 'rows']})"
    if field == "amount" and mapping.columns[field].lower() == "price":
        return 'amount (of the whole row; if it is the price of one piece: [columns] unit_price = "..." )'
    if field == "unit_price":
        return "unit_price (amount = unit_price x quantity)"
    return field


_ORDERS = {
    "rows": 'each row an order of its own; orders = "whole" or "sum" in a mapping says otherwise',
    "whole": "one order an id; a higher revision or a cancellation replaces it",
    "sum": "rows of one customer, id and instant are added up",
}


def _missing(missing: list[str], header: Sequence[str]) -> MappingProblem:
    snippet = "\n".join(["[columns]", *(f'{field} = "{_NEEDED[field]}"' for field in missing)])
    return MappingProblem(
        (
            *(f"no column looks like {field}" for field in missing),
            f"the table's columns: {_names(header)}",
            f"say which it is in a mapping file (--map mapping.toml):\n{snippet}",
        )
    )


def _names(names: Sequence[str], most: int = 40) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
