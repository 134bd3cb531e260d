"""Parquet files as rows of text, read by the same rules as any table. Needs the extra `parquet`."""

import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import msgspec

from streamproc.adapters.sources.errors import SourceError

_BATCH = 4096


class ParquetTable:
    """One Parquet file: its column names, and its rows as JSON arrays of texts."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError if pyarrow is not installed or the file is not Parquet."""
        try:
            import pyarrow as pa  # noqa: PLC0415  an optional extra
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError:
            raise SourceError(f"{path} is a Parquet file: {sys.executable} -m pip install pyarrow") from None
        self._pa = pa
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{path} cannot be read as Parquet: {str(error)[:200]}") from error
        self.header: list[str] = list(self._file.schema_arrow.names)
        self.count: int = self._file.metadata.num_rows

    def rows(self) -> Iterator[bytes]:
        """The rows, each as a JSON array of its cells. Raises EOFError if the file is damaged further on."""
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                columns = [self._texts(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    yield msgspec.json.encode(cells)
        except (self._pa.ArrowException, OSError) as error:
            raise EOFError(str(error)) from error

    def _texts(self, column: Any) -> list[str]:  # noqa: ANN401  pyarrow has no types
        if self._pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            column = column.cast(self._pa.timestamp("us", tz=column.type.tz), safe=False)
        return [_text(value) for value in column.to_pylist()]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _text(value: object) -> str:
    """A value as a CSV would have it; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
