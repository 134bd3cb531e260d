"""A report's file: what comes from outside stays text, and nothing but its own scripts may run."""

from hashlib import sha256
from pathlib import Path

from streamproc.adapters.report import charts
from streamproc.adapters.report.charts import Link, Mark
from streamproc.adapters.report.document import DASH, Document, Section, Table, html
from tests.browser import Browser
from tests.ground.source import PACKAGE

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\"><!--"
RELEASED = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"


def hostile() -> Document:
    drawn = (
        charts.bars(HOSTILE, [HOSTILE], {HOSTILE: [1]}),
        charts.lines(HOSTILE, [HOSTILE], {HOSTILE: [1, None]}),
        charts.rows(HOSTILE, [HOSTILE], {HOSTILE: [2]}),
        charts.flow(HOSTILE, [Link(HOSTILE, "to", 1)]),
    )
    section = Section(HOSTILE, HOSTILE, drawn, Table((HOSTILE, HOSTILE), [(HOSTILE, HOSTILE)]))
    return Document("en", HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], [section], HOSTILE, HOSTILE)


def test_what_comes_from_outside_stays_text(tmp_path: Path, browser: Browser) -> None:
    file = tmp_path / "hostile.html"
    file.write_text(html(hostile()), encoding="utf-8")
    browser.open(file.as_uri())
    browser.wait_until("document.querySelectorAll('[data-chart] svg').length === 4")
    assert browser.evaluate("document.title") == HOSTILE
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert browser.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert browser.errors == []


def test_a_script_or_a_request_of_somebody_elses_is_refused(tmp_path: Path, browser: Browser) -> None:
    file = tmp_path / "strict.html"
    file.write_text(html(hostile()), encoding="utf-8")
    browser.open(file.as_uri())
    browser.evaluate(
        "{const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)}"
    )
    assert browser.evaluate("window.ran === undefined")
    refused = "fetch('data:text/plain,x').then(() => false, () => true)"
    assert browser.evaluate(refused)


def test_where_nothing_is_told_stands_that_and_no_empty_chart() -> None:
    empty = charts.lines("waits", ["May"], {"minutes": [None]}), charts.flow("moved", [])
    curve = charts.curves("who", ("x", "y"), {}, ("the field", [Mark("80 %", 20, 80)]))
    told = charts.bars("bought", ["May"], {"orders": [0]})
    dashes = Table(("month", "minutes"), [("May", DASH)])
    sections = [
        Section("a", "", (*empty, curve), dashes),
        Section("b", "", (told, *empty), dashes),
        Section("c", "", empty, Table(("month", "minutes"), [("May", "3")])),
    ]
    page = html(Document("en", "", "", [], sections, "", "nothing here"))
    assert [page.count(text) for text in ("data-chart=", "<table>", "nothing here")] == [1, 2, 1]
    assert "waits" not in page


def test_the_library_is_the_released_file_and_has_its_licence() -> None:
    folder = PACKAGE / "adapters" / "report" / "echarts"
    assert sha256((folder / "echarts.min.js").read_bytes()).hexdigest() == RELEASED
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    assert (folder / "NOTICE").is_file()
