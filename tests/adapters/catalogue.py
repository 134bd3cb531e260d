"""Whether what a process tells is what the catalogue says, and what promtool takes for good style."""

import re
import subprocess

from prometheus_client.parser import text_string_to_metric_families

from streamproc.adapters.metrics.catalogue import CATALOGUE, Teller
from tests.servers.process import needed

OURS = "streamproc_"


def held_to_the_catalogue(text: str, teller: Teller) -> set[str]:
    """The names of our metrics told, each with the catalogue's kind, meaning and labels, and no other."""
    names = set()
    for family in text_string_to_metric_families(text):
        if not family.name.startswith(OURS) or family.name.endswith("_created"):
            continue
        name = next((n for n in (family.name, f"{family.name}_total") if n in CATALOGUE), "")
        assert name, f"{family.name} is not in the catalogue"
        about = CATALOGUE[name]
        names.add(name)
        assert teller in about.tellers, name
        # As text, an info is a gauge that is 1.
        kind = "gauge" if about.kind == "info" else about.kind
        assert (family.type, family.documentation) == (kind, about.meaning), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(about.labels), sample
    promtool = subprocess.run(
        [needed("promtool", "prometheus"), "check", "metrics"], input=text, check=False, capture_output=True, text=True
    )
    complaints = [line for line in promtool.stderr.splitlines() if re.match(OURS, line)]
    assert complaints == []
    return names
