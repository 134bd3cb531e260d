import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streamproc.adapters.sources import Item, SourceError, sorted_items
from tests.adapters.sources.kit import HEADER, NOW, ROWS, purchases, read, reopen, source

TEXT = (HEADER + "".join(ROWS)).encode()
LONG = HEADER.encode() + b"".join(
    f"c{number},2020-01-{number // 400 + 1:02d},purchase,{number * 7919 % 1009}.00,r{number}\n".encode()
    for number in range(10_000)
)


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def test_packed_files_give_what_plain_ones_give(tmp_path: Path) -> None:
    plain = read(source(tmp_path / "a.csv", TEXT))
    two_members = gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])
    two_frames = zstd(TEXT[:50]) + zstd(TEXT[50:])
    for name, content in (
        ("a.csv.gz", gzip.compress(TEXT)),
        ("b.csv.gz", two_members),
        ("a.csv.zst", zstd(TEXT)),
        ("b.csv.zst", two_frames),
        ("misnamed.csv", gzip.compress(TEXT)),
    ):
        items = read(source(tmp_path / name, content))
        assert [event.event_id for event in purchases(items)] == [event.event_id for event in purchases(plain)]
        assert [item.position.offset for item in items] == [item.position.offset for item in plain]


def test_the_content_tells_the_format_where_the_name_does_not(tmp_path: Path) -> None:
    line = b'{"event_id":"e","customer_id":"c","occurred_at":"2020-01-01","order_id":"o"}\n'
    for name, content, kind in (
        ("export", TEXT, "csv"),
        ("export.txt.gz", gzip.compress(TEXT), "csv"),
        ("events", b"\n " + line, "jsonl"),
        ("events.json", line, "jsonl"),
    ):
        assert source(tmp_path / name, content).format == kind


def test_a_json_feed_says_so(tmp_path: Path) -> None:
    assert source(tmp_path / "a.jsonl", b"").description == ["JSON Lines: our field names"]
    assert len(source(tmp_path / "a.csv", TEXT).description) == 8


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("run_bytes", [1000, 1 << 30])
def test_of_a_file_cut_off_all_that_is_readable_comes_first(
    tmp_path: Path, pack: Callable[[bytes], bytes], run_bytes: int
) -> None:
    packed = pack(LONG)
    opened = source(tmp_path / "a.csv", packed[: len(packed) * 3 // 4])
    taken: list[Item] = []
    with pytest.raises(SourceError, match="cut off"):
        taken.extend(sorted_items([opened], NOW, run_bytes=run_bytes))  # what came before the error is kept
    assert 5000 < len(taken) < 10_000
    whole = LONG.split(b"\n")[1 : len(taken) + 1]
    assert [item.raw for item in taken] == whole


def test_a_damaged_file_is_said_to_be(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LONG))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = bytes(50)
    with pytest.raises(SourceError, match="damaged"):
        read(source(tmp_path / "a.csv.gz", bytes(packed)))
    frame = zstd(LONG)
    with pytest.raises(SourceError, match="damaged"):
        source(tmp_path / "a.csv.zst", frame[:6] + bytes(50) + frame[56:])


def test_a_head_that_cannot_be_unpacked_is_an_error_at_once(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "export"):
        with pytest.raises(SourceError, match="cut off"):
            source(tmp_path / name, gzip.compress(TEXT)[:12])


def test_one_damaged_file_does_not_keep_the_others_back(tmp_path: Path) -> None:
    whole = source(tmp_path / "whole.csv", TEXT)
    packed = gzip.compress(LONG)
    cut = source(tmp_path / "cut.csv.gz", packed[: len(packed) // 2])
    taken: list[Item] = []
    with pytest.raises(SourceError, match=r"cut\.csv\.gz"):
        taken.extend(sorted_items([whole, cut], NOW))
    names = [item.position.source for item in taken]
    assert names.count("whole.csv") == 4
    assert names.count("cut.csv.gz") > 1000


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Path, "there is no file"),
        (lambda path: path.mkdir(), "one by one"),
        (lambda path: path.write_bytes(b"[1, 2]"), "jq"),
        (lambda path: path.write_bytes(b"\0\1\2"), "not a text"),
        (lambda path: path.write_bytes(b""), "empty"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    make(tmp_path / "events")
    with pytest.raises(SourceError, match=says):
        reopen(tmp_path / "events")
