"""Where the reports' templates are, and how they are read: all text in them is escaped, nothing unknown is empty."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """The templates of this package."""
    return Environment(
        loader=PackageLoader("streamproc.adapters.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
