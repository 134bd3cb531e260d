"""What the tests of the sources share: files made on the spot, read as the runtimes read them."""

from pathlib import Path

from streamproc.adapters.sources import FileSource, Item, open_source, sorted_items
from streamproc.core.events import Purchase
from streamproc.core.time import DAY
from streamproc.intake.intake import Settings
from streamproc.intake.mapping import Mapping, load_mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal

NOW = 20_000 * DAY

HEADER = "customer_id,ts,kind,amount,ref\n"
ROWS = [
    "a,2020-01-03,purchase,3.00,r3\n",
    "b,2020-01-01,purchase,1.00,r1\n",
    "a,2020-01-02,return,2.00,r2\n",
    "b,2020-01-01,purchase,1.00,r1\n",
]


def mapping(toml: str) -> Mapping:
    loaded = load_mapping(toml)
    assert isinstance(loaded, Mapping), loaded
    return loaded


def source(path: Path, content: str | bytes, toml: str = "") -> FileSource:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reopen(path, toml)


def reopen(path: Path, toml: str = "") -> FileSource:
    return open_source(path, Rates("EUR"), mapping=mapping(toml), settings=Settings(in_order=True))


def read(*sources: FileSource, run_bytes: int = 1 << 20) -> list[Item]:
    return list(sorted_items(sources, NOW, run_bytes=run_bytes))


def purchases(items: list[Item]) -> list[Purchase]:
    return [item.outcome for item in items if isinstance(item.outcome, Purchase)]


def refusals(items: list[Item]) -> list[Refusal]:
    return [item.outcome for item in items if isinstance(item.outcome, Refusal)]
