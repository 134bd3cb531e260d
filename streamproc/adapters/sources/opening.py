"""A file as a stream of unpacked bytes: plain, gzip or zstd, told by its first bytes."""

import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO

import zstandard

from streamproc.adapters.sources.errors import SourceError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 16

BROKEN = (EOFError, OSError, zlib.error, zstandard.ZstdError)
"""What reading a damaged, cut off or vanished file raises."""


class Opened:
    """An open file: `stream` of unpacked bytes, `read_bytes()` of the packed file so far, `size` in all."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError if there is no such regular file, or it may not be read."""
        if path.exists() and not path.is_file():
            hint = "give its files one by one" if path.is_dir() else 'read a pipe with "-"'
            raise SourceError(f"{path} is not a regular file: {hint}")
        try:
            self._file: BinaryIO = path.open("rb")
            self.size = path.stat().st_size
        except FileNotFoundError:
            raise SourceError(f"there is no file {path}: check the name and the folder it is relative to") from None
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error
        self.stream = unpacked(self._file)

    def read_bytes(self) -> int:
        """How far into the packed file the reading is."""
        return self._file.tell()

    def close(self) -> None:
        """Close both streams."""
        self.stream.close()
        self._file.close()


def unpacked(file: BinaryIO) -> BinaryIO:
    """The bytes behind a packed stream, or the stream itself. It must be seekable."""
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]  # near enough
    if magic == _ZSTD:
        return io.BufferedReader(_Zstd(file), _CHUNK)
    return file


def why_broken(error: BaseException) -> str:
    """What an error of `BROKEN` means to the one who gave the file."""
    if isinstance(error, EOFError):
        return "the file ends too early: it was cut off, copy it again"
    if isinstance(error, zlib.error | zstandard.ZstdError | gzip.BadGzipFile):
        return "the packed file is damaged, copy it again"
    return f"reading failed: {error}"


class _Zstd(io.RawIOBase):
    """Unpacks zstd frames one after another; unlike zstandard's reader it tells a cut off last one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._fresh = True  # no byte of the running frame was read yet
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # by BufferedReader
        while not self._ready:
            packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame, self._fresh = zstandard.ZstdDecompressor().decompressobj(), True
            packed = packed or self._file.read(_CHUNK)
            if not packed:
                if self._fresh:
                    return 0
                raise EOFError("zstd frame cut off")
            self._ready = self._frame.decompress(packed)
            self._fresh = False
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
