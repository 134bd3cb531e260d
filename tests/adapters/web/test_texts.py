import re
import tomllib
from pathlib import Path

import pytest

from streamproc.adapters import web
from streamproc.adapters.web.texts import choose, labels_in
from streamproc.words import LANGUAGES, Language

FOLDER = Path(web.__file__).parent


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ([], "", "en"),
        (["zh-CN"], "en", "zh-CN"),
        (["xx", "zh-CN"], "", "zh-CN"),
        ([None], "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ([None], "fr, en;q=0.5, zh;q=0.7", "zh-CN"),
        ([None], "zh;q=0, en", "en"),
        ([None], "fr;q=much, ,;q=1", "en"),
        ([None], "zh-Hant-TW", "zh-CN"),
    ],
)
def test_a_reader_gets_the_language_asked_for_or_read_best(
    asked: list[str | None], accepted: str, language: Language
) -> None:
    assert choose(asked, accepted, "en") == language


def test_a_reader_of_neither_language_gets_the_default() -> None:
    assert choose([], "fr", "zh-CN") == "zh-CN"


def test_every_language_has_the_same_labels_with_the_same_gaps() -> None:
    english = labels_in("en")
    for language in LANGUAGES:
        labels = labels_in(language)
        assert labels.keys() == english.keys()
        for key, text in labels.items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key
            assert text.strip()


def test_every_label_is_used_and_every_one_used_is_there() -> None:
    sources = [*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"labels\.(?!format)(\w+)", text)) | set(re.findall(r'labels\["(\w+)"\]', text))
    assert used == set(tomllib.loads((FOLDER / "labels" / "en.toml").read_text(encoding="utf-8")))


def test_no_template_trusts_a_value_or_carries_a_script() -> None:
    for path in FOLDER.glob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert not re.search(r"<script(?! src=\"/static/)|\son\w+=|\sstyle=|https?:", text), path.name
