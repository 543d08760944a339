"""``plan show``: a plan for a person, as text, JSON, a table and a page."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ringfence.sandbox.server import Sandbox

from .conftest import Cli

NUMBER, TYPED, FULL = "+1 415 555 0132", "(415) 555-0177", "+14155550177"
SCRIPT = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("http://evil.example")'
MAPPING = """
crm: hubspot
objects:
  contacts:
    phones: {phone: {normalize: true}, mobilephone: {}}
    opt_out: {field: rf_do_not_call}
    region: {field: country, default: US}
"""
VOID = frozenset(("meta", "br"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60) as running:
        yield running


@pytest.fixture
def people(sandbox: Sandbox) -> dict[str, str]:
    """Ids of people whose records say something worth reviewing, by what that is."""
    portal = sandbox.hubspot
    ids = iter(portal.contacts)
    found = {name: next(ids) for name in ("source", "reached", "typed", "script", "formula")}
    portal.update_as_user(found["source"], phone=NUMBER, mobilephone="", rf_do_not_call="true")
    portal.update_as_user(found["reached"], phone=NUMBER, mobilephone="", rf_do_not_call="false")
    portal.update_as_user(found["typed"], phone=TYPED, mobilephone="", country="US")
    portal.update_as_user(found["script"], phone=SCRIPT, mobilephone="")
    portal.update_as_user(found["formula"], phone=FORMULA, mobilephone="")
    return found


@pytest.fixture
def plan(cli: Cli, people: dict[str, str], settings: dict[str, str]) -> Path:
    Path("mapping.yaml").write_text(MAPPING, encoding="utf-8")
    planned = cli("sync", "hubspot", "--dry-run", "--out", "plan.json", "--mapping", "mapping.yaml", "--json")
    assert planned.code == 0
    return Path("plan.json")


def rows_of(path: str) -> dict[str, dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


class Balance(HTMLParser):
    """Sees to it that every element is closed where it must be, and keeps what the page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.fetched += [str(named[name]) for name in ("src", "srcset", "data", "onclick") if name in named]
        if tag == "a":
            self.links.append(str(named["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()


def parse(path: str) -> Balance:
    parser = Balance()
    parser.feed(Path(path).read_text(encoding="utf-8"))
    parser.close()
    assert not parser.open
    return parser


def test_every_flag_and_every_rewritten_phone_is_told(cli: Cli, plan: Path, people: dict[str, str]) -> None:
    document = cli("plan", "show", str(plan), "--json").document
    shown = cli("plan", "show", str(plan)).out

    assert document["totals"]["flags_raised"] == len(document["flags"]) > 0
    assert document["totals"]["phones_rewritten"] == len(document["phones"]) > 0
    reached = next(row for row in document["flags"] if row["id"] == people["reached"])
    assert reached["link"] == f"https://app.hubspot.com/contacts/{_portal(document)}/record/0-1/{people['reached']}"
    assert (reached["field"], reached["new"]) == ("rf_do_not_call", True)
    assert reached["why"] == "another record with this number opted out"
    assert next(row for row in document["phones"] if row["id"] == people["typed"])["new"] == "+1415***0177"

    assert all(row["id"] in shown for row in [*document["flags"], *document["phones"]])
    titles = ["Flags that would go up", "Phone fields that would be", "Numbers called invalid", "The rest", "costs"]
    assert titles == sorted(titles, key=shown.index)


def _portal(document: dict[str, Any]) -> str:
    return str(document["org"]).partition(":")[2]


def test_no_object_runs_into_the_id_behind_it(cli: Cli, plan: Path, people: dict[str, str]) -> None:
    shown = cli("plan", "show", str(plan)).out

    assert f"contacts {people['reached']}" in shown
    assert "contacts" + people["reached"] not in shown


def test_the_counts_are_those_of_the_dry_run(cli: Cli, plan: Path) -> None:
    document = cli("plan", "show", str(plan), "--json").document
    kept = json.loads(plan.read_text("utf-8"))

    assert document["totals"]["changes"] == sum(len(batch["changes"]) for batch in kept["batches"])
    assert document["costs"] == kept["costs"]
    assert sum(group["slots"] for group in document["invalid"]) == document["totals"]["slots_invalid"]
    assert document["applicable"]
    assert document["command"] == "ringfence sync hubspot --apply plan.json --mapping FILE"


def test_numbers_are_masked_in_all_forms_unless_revealed(cli: Cli, plan: Path) -> None:
    hidden = [cli("plan", "show", str(plan), "--csv", "a.csv", "--html", "a.html").out, cli_json(cli, plan)]
    shown = [cli("plan", "show", str(plan), "--csv", "b.csv", "--html", "b.html", "--reveal").out]
    shown.append(cli_json(cli, plan, "--reveal"))

    for text in (*hidden, *(Path(name).read_text("utf-8") for name in ("a.csv", "a.html"))):
        assert TYPED not in text
        assert FULL not in text
    for text in (*shown, *(Path(name).read_text("utf-8") for name in ("b.csv", "b.html"))):
        assert TYPED in text
        assert FULL in text
    assert Path("b.html").stat().st_mode & 0o777 == 0o600


def cli_json(cli: Cli, plan: Path, *more: str) -> str:
    return cli("plan", "show", str(plan), "--json", *more).out


def test_the_table_has_a_row_for_each_change_and_no_formula(cli: Cli, plan: Path, people: dict[str, str]) -> None:
    document = cli("plan", "show", str(plan), "--csv", "plan.csv", "--reveal", "--json").document

    rows = rows_of("plan.csv")

    assert document["csv"] == "plan.csv"
    assert len(rows) <= document["totals"]["changes"] == len(Path("plan.csv").read_text("utf-8").splitlines()) - 1
    assert rows[people["formula"]]["phone_content"] == f"'{FORMULA}"
    assert rows[people["typed"]]["phone_rewritten_to"] == FULL
    assert rows[people["typed"]]["link"].endswith(people["typed"])
    assert rows[people["script"]]["phone_status_to"] == "invalid"
    assert not [cell for row in rows.values() for cell in row.values() if cell.startswith(("=", "@", "-="))]


def test_the_page_is_whole_safe_and_alone(cli: Cli, plan: Path, people: dict[str, str]) -> None:
    assert cli("plan", "show", str(plan), "--html", "plan.html", "--reveal").code == 0

    page = parse("plan.html")
    text = Path("plan.html").read_text(encoding="utf-8")

    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert not page.fetched
    assert any(link.endswith(f"/record/0-1/{people['reached']}") for link in page.links)
    assert all(link.startswith(("https://app.hubspot.com/", "#")) for link in page.links)
    assert page.tags.count("caption") == page.tags.count("table")
    assert "<script" not in text


def test_a_content_that_is_html_stands_on_the_page_as_text(cli: Cli, sandbox: Sandbox, plan: Path) -> None:
    for id_ in sandbox.hubspot.contacts:
        sandbox.hubspot.update_as_user(id_, phone=SCRIPT, mobilephone="", rf_do_not_call="false")
    cli("sync", "hubspot", "--dry-run", "--out", "other.json", "--accept-mass-change")

    assert cli("plan", "show", "other.json", "--html", "plan.html").code == 0

    assert "script" not in parse("plan.html").tags
    assert "&lt;script&gt;" in Path("plan.html").read_text("utf-8")
    assert plan.exists()


def test_files_that_are_there_are_kept_unless_forced(cli: Cli, plan: Path) -> None:
    Path("mine.csv").write_text("mine", encoding="utf-8")

    assert cli("plan", "show", str(plan), "--csv", "mine.csv").code == 2
    assert cli("plan", "show", str(plan), "--html", str(plan)).code == 2
    assert Path("mine.csv").read_text("utf-8") == "mine"

    assert cli("plan", "show", str(plan), "--csv", "mine.csv", "--force").code == 0
    assert len(rows_of("mine.csv")) > 1


def test_what_is_no_plan_of_this_store_is_refused(cli: Cli, plan: Path) -> None:
    plan.chmod(0o600)
    plan.write_bytes(plan.read_bytes().replace(b'"invalid"', b'"valid"', 1))

    assert "was changed" in cli("plan", "show", str(plan)).err
    assert cli("plan", "show", "missing.json").code == 2
    assert cli("plan", "show", str(plan), "--json").document["exit_code"] == 2


def test_a_limit_shortens_the_lists_and_says_so(cli: Cli, plan: Path) -> None:
    document = cli("plan", "show", str(plan), "--limit", "1", "--json").document

    assert (len(document["flags"]), len(document["phones"])) == (1, 1)
    left = document["totals"]["phones_rewritten"] - 1
    assert f"and {left:,} more" in cli("plan", "show", str(plan), "--limit", "1").out
    assert cli("plan", "show", str(plan), "--limit", "-1").code == 2


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_the_page_without_scrolling_sideways(cli: Cli, plan: Path, tmp_path: Path, width: int) -> None:
    cli("plan", "show", str(plan), "--html", "plan.html")
    # A frame can be as narrow as a phone; a headless window cannot.
    frame = f"<iframe id=f src='plan.html' width={width} height=900 style='border:0'></iframe>"
    tell = "f.onload = () => { const page = f.contentDocument.documentElement;"
    tell += " document.title = page.scrollWidth <= page.clientWidth ? 'it fits' : 'it is ' + page.scrollWidth }"
    Path("frame.html").write_text(f"<!DOCTYPE html>{frame}<script>{tell}</script>", encoding="utf-8")
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    switches += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    switches += ["--allow-file-access-from-files", "--dump-dom", f"--user-data-dir={tmp_path / 'browser'}"]

    shown = subprocess.run(
        ["chromium", *switches, Path("frame.html").resolve().as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout

    assert "<title>it fits</title>" in shown
