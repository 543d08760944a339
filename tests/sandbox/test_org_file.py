"""The org file: the documented example, what it changes, and errors that say where and what was meant."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from ringfence.core.errors import FileError
from ringfence.sandbox.org_file import parse_org, read_org
from ringfence.sandbox.org_schema import org_model
from ringfence.sandbox.plugin import installed_services
from ringfence.sandbox.server import Sandbox
from ringfence.sandbox.traits import OrgError, Traits

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "org.example.yaml"
SERVICES = {name: service.traits for name, service in installed_services().items()}


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of a section, and those of the models below it."""
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


@pytest.mark.parametrize("name", SERVICES)
def test_the_example_sets_every_trait_of_a_service(name: str) -> None:
    example = read_org(EXAMPLE)

    assert example.section(name).model_fields_set == set(SERVICES[name].model_fields)


def test_the_page_names_every_trait() -> None:
    page = (DOCS / "sandbox.md").read_text(encoding="utf-8")
    names = {key for model in SERVICES.values() for key in keys_of(model)}

    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_a_sandbox_takes_the_example() -> None:
    sandbox = Sandbox(contacts=5, org=read_org(EXAMPLE))

    organization = next(iter(sandbox.salesforce.rows("Organization").values()))
    assert (organization["IsSandbox"], organization["OrganizationType"]) == (False, "Unlimited Edition")
    assert sandbox.hubspot.account_type == "STANDARD"


def test_without_a_file_the_accounts_are_as_most_are() -> None:
    sandbox = Sandbox(contacts=5, lookups=True)

    assert sandbox.org == org_model()()
    assert [sandbox.services[name].state.traits for name in SERVICES] == [model() for model in SERVICES.values()]  # type: ignore[attr-defined]  # each stand-in keeps its own kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("salesfroce: {}", "salesfroce: unknown key 'salesfroce' (did you mean 'salesforce'?)"),
        (
            "salesforce: {producton: true}",
            "salesforce.producton: unknown key 'producton' (did you mean 'production'?)",
        ),
        ("salesforce: {edition: Gold}", "salesforce.edition: Input should be 'Developer Edition'"),
        ("- a list", "not a table of keys"),
        ("a: [", "not YAML"),
        ("", "empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_was_meant(text: str, expected: str) -> None:
    with pytest.raises(OrgError) as caught:
        parse_org(text, "my.yaml")

    assert expected in str(caught.value)
    assert "my.yaml" in str(caught.value)


def test_an_unreadable_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_org(tmp_path / "none.yaml")

    (tmp_path / "latin.yaml").write_bytes(b"salesforce: \xff")
    with pytest.raises(OrgError, match="UTF-8"):
        read_org(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-m", "ringfence.sandbox"), (str(Path(sys.executable).with_name("ringfence")), "sandbox")],
)
def test_a_wrong_file_is_refused_as_wrong_usage(command: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    path.write_text("twillio: {}", encoding="utf-8")

    line = [*command, "--contacts", "1", "--org", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)

    assert done.returncode == 2
    assert "did you mean 'twilio'?" in " ".join(done.stderr.split())


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(("chosen", "hidden"), [("{}", set()), ("{Contact: [Title]}", {"Title"})])
def test_hidden_fields_are_those_of_the_file_alone(bare: bool, chosen: str, hidden: set[str]) -> None:
    org = Sandbox(contacts=1, bare=bare, org=parse_org(f"salesforce: {{hidden_fields: {chosen}}}", "t")).salesforce

    seen = org.access("Contact").visible

    assert {name for name in ("DoNotCall", "Title") if name.lower() not in seen} == hidden


@pytest.mark.parametrize("chosen", ["{Contact: [DoNotCal]}", "{Contct: [DoNotCall]}", "{Contact: [Id]}"])
def test_fields_that_cannot_be_hidden_are_named(chosen: str) -> None:
    with pytest.raises(OrgError, match=r"salesforce\.hidden_fields"):
        Sandbox(contacts=1, org=parse_org(f"salesforce: {{hidden_fields: {chosen}}}", "t"))


def test_traits_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SERVICES["hubspot"]().production = True  # type: ignore[attr-defined]  # what must not be possible


def test_every_stand_in_has_traits_of_its_own() -> None:
    assert all(model is not Traits and issubclass(model, Traits) for model in SERVICES.values())
