"""Market control as seen from the desk: dealers selling across regions (窜货), and prices that are apart."""

from streamproc.core.alerts import AlertKind, Finding, subject_of
from streamproc.core.dealing import Dealing, gaps, strays

KINDS: tuple[AlertKind, ...] = ("cross_region", "price_gap")


def findings(dealing: Dealing) -> list[Finding]:
    """What is out of order at the end of a day, over the months kept."""
    found = [
        Finding(
            kind="cross_region",
            subject=subject_of(stray.dealer),
            severity="high",
            figures={"count": float(stray.outside), "orders": float(stray.orders)},
            names={"region": stray.region},
        )
        for stray in strays(dealing)
    ]
    return found + [
        Finding(
            kind="price_gap",
            subject=subject_of(gap.category),
            severity="medium",
            figures={"low": round(gap.low, 4), "high": round(gap.high, 4)},
            names={"cheap": gap.cheap, "dear": gap.dear},
        )
        for gap in gaps(dealing)
    ]
