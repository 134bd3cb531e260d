from pathlib import Path

import httpx
import pytest

from streamproc.adapters.web.paths import customer_page
from streamproc.words import LANGUAGES, words_in
from tests.adapters.web.kit import DAYS, HOSTILE, Site, purchase, read_history, when
from tests.browser import Browser
from tests.ground.source import ROOT

PHONE, DESK = 375, 1100
CONNECTED = "document.getElementById('live').classList.contains('online')"


def show(browser: Browser, width: int, *, dark: bool = False) -> None:
    browser._call(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width == PHONE
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser._call("Emulation.setEmulatedMedia", features=[scheme])


def picture(browser: Browser, name: str) -> None:
    folder = ROOT / "build" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    browser.screenshot(folder / f"{name}.png")


def shown(browser: Browser) -> list[str]:
    return list(browser.evaluate("[...document.querySelectorAll('.warnings > li')].map(item => item.id)"))


def still_open(site: Site) -> set[str]:
    return {w["id"] for w in site.client.get("/api/warnings", params={"open": "true"}).json()["warnings"]}


def test_the_list_says_who_how_likely_what_is_at_stake_and_why(site: Site, browser: Browser) -> None:
    show(browser, DESK)
    browser.open(site.url)
    [warning] = site.client.get("/api/warnings", params={"customer": HOSTILE, "open": "true"}).json()["warnings"]
    card = browser.evaluate(f"document.getElementById('{warning['id']}').innerText")
    assert HOSTILE in card
    for part in ("likely not to buy again by", "Expected loss: €", "Why", "Severity:", "raised", "from the past"):
        assert part in card
    assert any(e["event_id"] in card for reason in warning["reasons"] for e in reason["evidence"])
    assert browser.errors == []
    picture(browser, "list")


def test_a_hostile_name_is_text_and_leads_to_its_own_page(site: Site, browser: Browser) -> None:
    browser.open(site.url)
    href = browser.evaluate(f"[...document.querySelectorAll('a')].find(a => a.innerText === {HOSTILE!r}).href")
    assert href == site.url.rstrip("/") + customer_page(HOSTILE)
    browser.open(href)
    assert HOSTILE in browser.evaluate("document.querySelector('h1').innerText")
    assert browser.evaluate("document.images.length") == 0
    assert "broken in" not in browser.evaluate("document.title").removeprefix(HOSTILE)
    assert browser.errors == []


def test_a_customer_s_page_shows_risk_reasons_value_and_history(site: Site, browser: Browser) -> None:
    show(browser, DESK)
    browser.open(site.url.rstrip("/") + customer_page(HOSTILE))
    text = browser.text()
    for part in ("Risk over time", "Lifetime value", "History", "Open complaints", "Purchases by day", "k-1"):
        assert part in text
    assert browser.evaluate("document.querySelectorAll('.chart .line').length") >= 1
    assert browser.evaluate("document.querySelectorAll('.chart .raised').length") >= 1
    drawn = browser.evaluate("document.querySelector('.chart').getBoundingClientRect().height")
    assert drawn > 100
    assert browser.evaluate("document.querySelectorAll('.pushes .bar rect').length") > 5
    picture(browser, "customer")


def test_a_warning_appears_on_the_open_page_when_an_event_arrives(site: Site, browser: Browser) -> None:
    browser.open(site.url)
    browser.wait_until(CONNECTED)
    before = set(shown(browser))
    assert before == still_open(site)
    for day in range(DAYS, DAYS + 22, 3):
        assert site.post(purchase("newcomer", day)).status_code == 202
    new = still_open(site) - before
    assert new
    browser.wait_until(f"document.getElementById('{min(new)}')")
    browser.wait_until(f"document.querySelectorAll('.warnings > li').length === {len(still_open(site))}")
    assert set(shown(browser)) == still_open(site)
    assert browser.errors == []


def test_what_did_not_change_keeps_its_place_and_focus(site: Site, browser: Browser) -> None:
    browser.open(site.url)
    browser.wait_until(CONNECTED)
    browser.evaluate("document.querySelector('.warnings a').focus()")
    browser.evaluate("void (window.kept = document.activeElement)")
    before = browser.evaluate("document.querySelector('[data-live=figures]').innerText")
    for day in range(DAYS + 22, DAYS + 26):
        site.post(purchase("newcomer", day))
    browser.wait_until(f"document.querySelector('[data-live=figures]').innerText !== {before!r}", seconds=30)
    assert browser.evaluate("window.kept.isConnected && document.activeElement === window.kept")


def test_the_page_tells_when_it_is_cut_off_and_finds_back(browser: Browser, tmp_path: Path) -> None:
    with Site(tmp_path / "first") as site:
        address = site.url.removeprefix("http://").rstrip("/")
        browser.open(site.url)
        browser.wait_until(CONNECTED)
    browser.wait_until("document.querySelector('.off').checkVisibility()")
    with Site(tmp_path / "first", listen=address):
        browser.wait_until(CONNECTED, seconds=30)


def test_without_any_script_the_list_is_all_there(site: Site, browser: Browser) -> None:
    page = site.client.get("/").text
    for warning in still_open(site):
        assert f'id="{warning}"' in page
    assert "<img" not in page
    browser._call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(site.url)
    browser._call("Emulation.setScriptExecutionDisabled", value=False)
    assert "Open warnings" in browser.text()


@pytest.mark.parametrize("path", ["/", customer_page(HOSTILE), customer_page("nobody"), "/login"])
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_without_scrolling_sideways(site: Site, browser: Browser, path: str, *, dark: bool) -> None:
    show(browser, PHONE, dark=dark)
    browser.open(site.url.rstrip("/") + path)
    assert browser.evaluate("document.documentElement.scrollWidth") == PHONE
    name = {"/": "list", "/login": "login"}.get(path, "unknown" if "nobody" in path else "customer")
    picture(browser, f"{name}-phone{'-dark' if dark else ''}")
    show(browser, DESK)


LUMINANCE = """(() => {
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const numbers = text => text.match(/[\\d.]+/g).map(Number);
    const ground = node => {
        for (; node; node = node.parentElement) {
            const colour = numbers(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const node of document.querySelectorAll('body *')) {
        if (![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !node.checkVisibility()) continue;
        const style = getComputedStyle(node);
        const ink = node.namespaceURI.includes('svg') ? style.fill : style.color;
        const [a, b] = [light(numbers(ink)), light(ground(node))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) low.push(node.className + ' ' + ratio.toFixed(2));
    }
    return low;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_contrast_enough(site: Site, browser: Browser, *, dark: bool) -> None:
    show(browser, DESK, dark=dark)
    for path in ("/", customer_page(HOSTILE), "/login"):
        browser.open(site.url.rstrip("/") + path)
        assert browser.evaluate(LUMINANCE) == []
    show(browser, DESK)


def test_the_page_is_built_of_landmarks_and_labels(site: Site, browser: Browser) -> None:
    for path in ("/", customer_page(HOSTILE), "/login"):
        browser.open(site.url.rstrip("/") + path)
        assert browser.evaluate("document.documentElement.lang") == "en"
        assert browser.evaluate("['body > header', 'main', 'body > footer', 'nav[aria-label]', 'h1']"
                                ".every(s => document.querySelectorAll(s).length === 1)")  # fmt: skip
        assert browser.evaluate("[...document.querySelectorAll('input')].every(i => i.labels.length === 1)")
        assert browser.evaluate(
            "[...document.querySelectorAll('[aria-labelledby]')]"
            ".every(n => document.getElementById(n.getAttribute('aria-labelledby')))"
        )
        assert browser.evaluate("new Set([...document.querySelectorAll('[id]')].map(n => n.id)).size") == (
            browser.evaluate("document.querySelectorAll('[id]').length")
        )


def test_the_page_speaks_chinese_when_asked_and_remembers(site: Site, browser: Browser) -> None:
    browser.open(f"{site.url}?lang=zh-CN")
    assert browser.evaluate("document.documentElement.lang") == "zh-CN"
    text = browser.text()
    for part in ("即将流失的客户", "未结预警", "预期损失", "严重程度"):
        assert part in text
    for part in ("Open warnings", "Why", "odds", "raises"):
        assert part not in text
    browser.open(site.url.rstrip("/") + customer_page(HOSTILE))
    assert "风险走势" in browser.text()
    assert browser.errors == []
    picture(browser, "customer-zh")
    browser.open(f"{site.url}?lang=en")
    assert "Open warnings" in browser.text()


def test_a_browser_s_own_language_is_spoken(site: Site) -> None:
    answer = site.client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh-CN"' in answer.text
    assert answer.headers["content-language"] == "zh-CN"


def test_the_style_and_the_script_are_the_page_s_only_resources(site: Site, browser: Browser) -> None:
    browser.open(site.url)
    loaded = browser.evaluate("performance.getEntriesByType('resource').map(r => new URL(r.name).pathname)")
    assert set(loaded) - {"/stream"} <= {"/static/style.css", "/static/live.js", "/static/icon.svg"}


def test_nobody_s_page_says_so(site: Site) -> None:
    answer = site.client.get(customer_page("nobody"), headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "Nothing is known of this customer" in answer.text


def test_an_empty_folder_has_a_page(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        assert "No warning is open." in httpx.get(site.url).text


def test_open_alerts_stand_above_the_warnings_the_gravest_first(site: Site, browser: Browser) -> None:
    show(browser, DESK)
    browser.open(site.url)
    alerts = list(browser.evaluate("[...document.querySelectorAll('.alerts li')].map(item => item.innerText)"))
    assert any("promise broken, to resolve complaint k-1" in alert and HOSTILE in alert for alert in alerts)
    assert browser.errors == []
    browser.open(f"{site.url}?lang=zh-CN")
    chinese = browser.evaluate("document.querySelector('.alerts').innerText")
    assert "承诺未兑现" in chinese
    picture(browser, "alerts")
    browser.open(f"{site.url}?lang=en")


def test_who_was_lost_stands_below_the_warnings_by_cause(site: Site) -> None:
    losses = site.client.get("/api/summary").json()["losses"]
    assert losses
    for language in LANGUAGES:
        words = words_in(language)
        page = site.client.get("/", params={"lang": language}).text
        assert words.say("Lost in the last two years, by likely cause") in page
        total = sum(loss["customers"] for loss in losses if loss["cause"] == "unknown")
        assert f"{words.say('cause not known')}</th>" in page
        assert f'<td class="number">{total}</td></tr>' in page


OUT_SINCE = 225
HIT = [f"hit-{n}" for n in range(8)]


def test_an_incident_is_one_line_with_a_list_and_its_customers_have_no_cards(tmp_path: Path, browser: Browser) -> None:
    bought = [
        purchase(name, day + n / 24, channel="web") for n, name in enumerate(HIT) for day in range(0, OUT_SINCE, 5)
    ]
    outage: dict[str, object] = {"stream": "facts", "fact": "outage", "event_id": "down", "subject": "web", "value": 96}
    outage["occurred_at"] = when(OUT_SINCE)
    read_history(tmp_path, [*bought, outage])
    with Site(tmp_path) as site:
        told = site.client.get("/api/alerts", params={"open": "true"}).json()["alerts"]
        [incident] = [alert for alert in told if alert["kind"] == "incident"]
        assert (incident["names"]["event"], sorted(incident["customers"])) == ("down", HIT)
        warnings = site.client.get("/api/warnings", params={"open": "true"}).json()["warnings"]
        members = {w["id"] for w in warnings if w["incident"] == incident["subject"]}
        assert len(members) == len(HIT)
        show(browser, DESK)
        browser.open(f"{site.url}?lang=en")
        assert set(shown(browser)) == {w["id"] for w in warnings} - members
        line = browser.evaluate("document.querySelector('.alerts li').innerText")
        assert f"Incident {incident['subject']}: 8 customers about to leave for one cause" in line
        browser.evaluate("document.querySelector('.alerts details summary').click()")
        links = browser.evaluate("[...document.querySelectorAll('.alerts details a')].map(a => a.innerText)")
        assert sorted(links) == HIT
        picture(browser, "incident")
        browser.open(site.url.rstrip("/") + customer_page(HIT[0]) + "?lang=en")
        assert f"part of incident {incident['subject']}" in browser.text()
        assert browser.errors == []
