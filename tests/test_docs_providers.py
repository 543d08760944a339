"""The pages on lookup providers know every provider that is registered, and say of each what its profile says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry
import pytest
from pydantic import SecretStr

from ringfence.apps.registry import group_of, lookup_plugins
from ringfence.core.errors import UnreachableError
from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import LookupPlugin, OrderingLookup
from ringfence.core.ports.services import Services
from testkit.clock import SetClock
from testkit.keys import write_private_key

DOCS = Path(__file__).resolve().parents[1] / "docs"
SECTION = re.compile(r"^### 2\.\d+ [^\n]+ \(`([a-z0-9-]+)`\)\n(.*?)(?=^###? )", re.MULTILINE | re.DOTALL)
POINTS = ["Order", "Set", "Told", "Where", "Price", "Pace", "Beware", "Free check"]
HEADINGS = "| provider | tells | cannot tell | countries | numbers a call | answers | price | credentials |"


def variable(plugin: LookupPlugin, field: str) -> str:
    return f"RINGFENCE_{group_of(plugin.name).upper()}__{field.upper()}"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_private_key(tmp_path_factory.mktemp("keys"))


def filled(plugin: LookupPlugin, key_file: Path) -> dict[str, Any]:
    """Return a value for each setting of a provider that could be a credential."""
    kinds: dict[Any, Any] = {SecretStr | None: "x", str | None: "x", Path | None: key_file}
    # A credential has no shape that we know; what must look like something, such as a currency, is none.
    fields = [(name, field.annotation) for name, field in plugin.settings.model_fields.items() if not field.metadata]
    return {name: kinds[kind] for name, kind in fields if kind in kinds}


def credentials(plugin: LookupPlugin, key_file: Path) -> list[str]:
    """Return the settings without which a provider is not set up."""
    values = filled(plugin, key_file)

    def is_set_up(without: str = "") -> bool:
        given = {name: value for name, value in values.items() if name != without}
        return plugin.configured(plugin.settings(**given))

    assert is_set_up()
    return [name for name in values if not is_set_up(without=name)]


def row(plugin: LookupPlugin, key_file: Path) -> str:
    """Return the line of the table that a provider's profile makes."""
    profile = plugin.profile
    lookup = plugin.connect(plugin.settings(**filled(plugin, key_file)), Services(SetClock()))
    lookup.close()
    tells, tells_not = (
        ", ".join(axis.value.replace("_", " ") for axis in Axis if (axis in profile.tells) is told)
        for told in (True, False)
    )

    when = "at once"
    if isinstance(lookup, OrderingLookup):
        when = "at once, or later to an order" if lookup.waits_s else "later, by file"
    cells = [
        f"`{plugin.name}`",
        tells,
        tells_not,
        ", ".join(profile.countries) or "all",
        f"{profile.batch:,}",
        when,
        f"`{variable(plugin, 'price')}`, {'not published' if profile.price is None else f'{profile.price:g}'}",
        ", ".join(f"`{name.upper()}`" for name in credentials(plugin, key_file)) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def test_the_table_says_what_the_profiles_say(key_file: Path) -> None:
    page = (DOCS / "providers.md").read_text(encoding="utf-8")
    _, _, table = page.partition(f"{HEADINGS}\n|---|---|---|---|---|---|---|---|\n")

    documented = table.partition("\n\n")[0].splitlines()

    assert documented == [row(plugin, key_file) for plugin in lookup_plugins().values()]


def sections() -> Iterator[tuple[str, str]]:
    """Yield the name of each provider that has a section of its own, and the section."""
    yield from SECTION.findall((DOCS / "vendors" / "lookups.md").read_text(encoding="utf-8"))


def test_every_provider_has_one_section() -> None:
    assert sorted(name for name, _ in sections()) == sorted(lookup_plugins())


@pytest.mark.parametrize("name", sorted(lookup_plugins()))
def test_a_section_says_what_a_customer_has_to_know(name: str, key_file: Path) -> None:
    plugin, text = lookup_plugins()[name], dict(sections())[name]
    known = {variable(plugin, field) for field in plugin.settings.model_fields}
    needed = {variable(plugin, field) for field in ("price", *credentials(plugin, key_file))}
    price = plugin.profile.price

    assert re.findall(r"^- \*\*([\w ]+):\*\*", text, re.MULTILINE) == POINTS
    named = set(re.findall(r"RINGFENCE_\w+__\w+", text))
    assert needed <= named <= known
    assert price is None or f"`{variable(plugin, 'price')}`, {price:g}" in text
    assert all(pycountry.countries.get(alpha_2=country).name in text for country in plugin.profile.countries)


@pytest.mark.parametrize("name", sorted(lookup_plugins()))
def test_a_section_says_whether_the_credentials_can_be_tried(name: str, key_file: Path) -> None:
    (said,) = re.findall(r"^- \*\*Free check:\*\* (yes|none)", dict(sections())[name], re.MULTILINE)

    assert said == ("yes" if has_free_check(lookup_plugins()[name], key_file) else "none")


def has_free_check(plugin: LookupPlugin, key_file: Path) -> bool:
    """Return whether a check sends something: it fails where nobody listens, and a sentence comes where it does not."""
    address = {"base_url": "http://127.0.0.1:9"} if "base_url" in plugin.settings.model_fields else {}
    lookup = plugin.connect(plugin.settings(**filled(plugin, key_file) | address), Services(SetClock()))
    try:
        return lookup.check() is None
    except UnreachableError:
        return True
    finally:
        lookup.close()
