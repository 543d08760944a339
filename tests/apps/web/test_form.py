"""The script for phone fields, in a real browser, and the page that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.browser import CHROMIUM, Page, browser_page
from testkit.served import RunningService

NOTE = "document.querySelector('.ringfence-note')"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/form/", "text/html; charset=utf-8"),
        ("/form/form.css", "text/css; charset=utf-8"),
        ("/form/form.js", "text/javascript; charset=utf-8"),
        ("/form/ringfence.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_page_is_there_for_everybody_and_loads_nothing_from_elsewhere(
    served: RunningService, path: str, media_type: str
) -> None:
    answer = served.get(path)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_page_is_found_without_its_slash(served: RunningService) -> None:
    sent_on = served.get("/form", headers={"Host": "elsewhere.example"}, allow_redirects=False)

    assert (sent_on.status_code, sent_on.headers["Location"]) == (308, "form/")
    assert served.get("/form").url == f"{served.url}/form/"


def test_pages_of_others_may_load_the_script_and_nothing_else(served: RunningService) -> None:
    assert served.get("/form/ringfence.js").headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert served.get("/form/form.js").headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.fixture(scope="module")
def page(served: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Give the page of the service in a browser, with a token of the role form."""
    with browser_page(tmp_path_factory.mktemp("browser")) as page:
        page.open(f"{served.url}/form/#token={served.tokens['form']}")
        yield page


def type_number(page: Page, number: str, country: str = "US") -> None:
    page.run(f"(phone.value = '', country.value = '{country}', phone.focus())")
    page.type(number)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_typo_is_said_and_its_correction_taken_over_with_the_keyboard(page: Page, tmp_path: Path) -> None:
    type_number(page, "212 736 50000")
    page.wait_for(f"{NOTE}.textContent.includes('Did you mean +12127365000?')")

    assert page.run("phone.getAttribute('aria-invalid')") == "true"
    assert page.run(f"phone.getAttribute('aria-describedby') === {NOTE}.id")
    assert page.run(f"[{NOTE}.getAttribute('role'), {NOTE}.getAttribute('aria-live')].join()") == "status,polite"
    page.picture(tmp_path / "form.png")
    assert (tmp_path / "form.png").stat().st_size > 10_000

    page.press("Tab", 9)
    assert page.run("document.activeElement.textContent") == "Use it"
    page.run("document.activeElement.click()")
    page.wait_for(f"{NOTE}.dataset.tone === 'good'")
    assert page.run("phone.value") == "+12127365000"
    assert page.run("phone.getAttribute('aria-invalid')") is None
    assert page.complaints == []
