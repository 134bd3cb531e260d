"""Writes the dashboards' JSON: `python -m deploy.grafana.write`."""

from collections.abc import Iterator
from pathlib import Path

from deploy.grafana.boards import written
from deploy.grafana.model import MODEL
from deploy.grafana.pipeline import PIPELINE
from deploy.grafana.retention import RETENTION
from streamproc.words import Language

FOLDER = Path(__file__).with_name("dashboards")
BOARDS = (RETENTION, PIPELINE, MODEL)
LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")


def files() -> Iterator[tuple[Path, str]]:
    """Each dashboard's file, and what belongs into it: a folder a language; no two names are the same all the same."""
    for language in LANGUAGES:
        for board in BOARDS:
            name = board.name if language == "en" else f"{board.name}-zh"
            yield FOLDER / language / f"{name}.json", written(board, BOARDS, language)


if __name__ == "__main__":
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
