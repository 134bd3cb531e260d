"""Customers' ids in addresses: percent-encoded whole, so that any character may be in them."""

from urllib.parse import quote, unquote

from starlette.requests import Request


def customer_page(customer_id: str) -> str:
    """The path of a customer's page."""
    return f"/customers/{quote(customer_id, safe='')}"


def customer_of(request: Request) -> str:
    """The id in the request's path."""
    encoded: str = request.path_params["customer_id"]
    return unquote(encoded)
