"""Where events are read from: files in any order, and streams as they come."""

from streamproc.adapters.sources.errors import SourceError
from streamproc.adapters.sources.files import FileSource, Item, open_source, open_sources
from streamproc.adapters.sources.items import sorted_items
from streamproc.adapters.sources.streams import Pipe, StreamSource

__all__ = ["FileSource", "Item", "Pipe", "SourceError", "StreamSource", "open_source", "open_sources", "sorted_items"]
