from collections import Counter
from pathlib import Path

from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.core.time import DAY
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal
from streamproc.simulate import Dirt, Shop, is_poison, simulate

NOW = 25_000 * DAY


def test_of_a_spoiled_shop_every_poison_is_refused_byte_for_byte_and_none_else(tmp_path: Path) -> None:
    shop = Shop(customers=600, days=400, seed=3, dirt=Dirt(duplicates=0.05, disorder=0.1, poison=0.05))
    lines: dict[str, list[bytes]] = {}
    poisons: Counter[bytes] = Counter()
    for event in simulate(shop):
        if event.stream != "truth":
            lines.setdefault(event.stream, []).append(event.line)
            poisons.update([event.line] if is_poison(event) else [])
    for stream, written in lines.items():
        (tmp_path / f"{stream}.jsonl").write_bytes(b"\n".join(written))
    sources = open_sources(sorted(tmp_path.iterdir()), Rates(shop.currency))
    items = list(sorted_items(sources, NOW))
    refused = [item for item in items if isinstance(item.outcome, Refusal)]
    assert len(poisons) > 100
    assert Counter(item.raw for item in refused) == poisons
    assert {"not_json", "not_utf8", "missing_field", "id_too_long", "in_future"} <= {
        item.outcome.reason for item in refused if isinstance(item.outcome, Refusal)
    }
    assert len(items) == sum(map(len, lines.values()))
    times = [item.outcome.at for item in items if not isinstance(item.outcome, Refusal)]
    assert times == sorted(times)
