"""What becomes of the rows: verdicts, opt-outs, batches, and files that must not be harmed."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from ringfence.connectors.spreadsheet import screening
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screener import CellVerdict
from ringfence.connectors.spreadsheet.screening import Summary, screen_file
from ringfence.connectors.spreadsheet.target import default_target, staged
from ringfence.core.errors import FileError, UsageError
from ringfence.core.numbers.regions import read_region

Screen = Callable[..., tuple[bytes, Summary]]
Parse = Callable[..., list[list[str]]]


class Forgetful:
    """Finds every cell invalid and keeps nothing."""

    def screen(self, cells, times):
        return [CellVerdict("invalid", "not_a_number: none", None, "unknown", datetime(2026, 1, 1, tzinfo=UTC))] * len(
            cells
        )


NAMES = ["status", "reason", "e164", "line_type", "screened_value", "last_screened", "callable"]


def test_a_row_gets_seven_values_under_the_names_of_the_contract(screen: Screen, parse: Parse) -> None:
    data, _ = screen(b"id,Work Phone\n7,020 7946 0018\n", ScreenOptions(region="GB"))
    header, row = parse(data.decode())

    assert header[2:] == [f"rf_work_phone_{name}" for name in NAMES]
    assert row[2:] == [
        "valid", "allocated: well formed but not confirmed to be live", "+442079460018", "landline", "020 7946 0018",
        "2026-03-04T05:06:07Z", "yes",
    ]  # fmt: skip


def test_an_empty_phone_cell_gets_no_verdict(screen: Screen, parse: Parse) -> None:
    data, summary = screen(b"id,phone\n1,\n2, \n3\n4,+442079460000\n")

    assert [row[2:] for row in parse(data.decode())[1:4]] == [[""] * 7] * 3
    assert (summary.columns[0].empty, summary.columns[0].statuses) == (3, {"valid": 1})


def test_the_country_of_the_row_comes_before_the_region_of_the_file(screen: Screen, parse: Parse) -> None:
    text = b"phone,country\n020 7946 0018,UK\n(202) 555-0143,\n(202) 555-0143,Atlantis\n"
    data, _ = screen(text, ScreenOptions(region="US", country="country"))

    assert [row[4] for row in parse(data.decode())[1:]] == ["+442079460018", "+12025550143", ""]


def test_two_phone_columns_and_two_of_one_name_keep_apart(screen: Screen, parse: Parse) -> None:
    data, summary = screen(b"Phone,Mobile,phone \n+442079460001,+447700900123,+442079460003\n")
    header, row = parse(data.decode())
    cells = dict(zip(header, row, strict=True))

    assert cells["rf_phone_e164"] == "+442079460001"
    assert cells["rf_mobile_e164"] == "+447700900123"
    assert cells["rf_phone_2_e164"] == "+442079460003"
    assert [column.name for column in summary.columns] == ["Phone", "Mobile", "phone"]


def test_screening_the_result_again_updates_it_in_place(screen: Screen, parse: Parse) -> None:
    first, _ = screen(b'id,phone,note\n1,+442079460001,"a,b"\n2,,x\n')
    changed = first.replace(b'1,+442079460001,"a,b"', b'1,12,"a,b"').replace(b"\n2,,x", b"\n2,+442079460002,x")
    second, _ = screen(changed)
    header, one, two = parse(second.decode())

    assert header == parse(first.decode())[0]
    assert (one[3], one[5], one[7]) == ("invalid", "", "12")
    assert (two[3], two[5]) == ("valid", "+442079460002")

    emptied, _ = screen(second.replace(b"2,+442079460002,x", b"2,,x"))

    assert parse(emptied.decode())[2] == ["2", "", "x", *[""] * 7]
    assert b'"a,b"' in second


def test_cells_that_begin_like_formulas_are_left_as_they_are(screen: Screen) -> None:
    text = b"name,phone\n=1+1,+442079460001\n@x,=HYPERLINK(1)\n-5,-\n"
    data, _ = screen(text)
    for before, after in zip(text.splitlines(), data.splitlines(), strict=True):
        assert after.startswith(before + b",")

    assert b"=1+1,+442079460001,valid,allocated: well formed but not confirmed to be live,+442079460001," in data


def test_an_opt_out_silences_the_number_in_every_row_and_is_never_asked_about(
    screen: Screen, screener: Any, parse: Parse
) -> None:
    text = (
        b"id,phone,mobile,do not call\n"
        b"1,(202) 555-0143,,\n"
        b"2,+1 202 555 0143,202-555-0144 / 202-555-0145,yes\n"
        b"3,+12025550145 (home),+12025550146,no\n"
        b"4,12,,2024-05-06\n"
        b"5,202.555.0143 x12,,perhaps\n"
    )
    data, summary = screen(text, ScreenOptions(region="US"))
    header, *rows = parse(data.decode())
    phone, mobile = header.index("rf_phone_status"), header.index("rf_mobile_status")

    assert [row[phone] for row in rows] == ["do_not_contact"] * 5
    assert [row[mobile] for row in rows] == ["", "do_not_contact", "valid", "", ""]
    assert [row[header.index("rf_phone_callable")] for row in rows] == ["no"] * 5
    assert rows[0][phone + 1].startswith("opted_out: another record")
    assert rows[1][phone + 1].startswith("opted_out: the opt-out flag of this record")
    assert rows[0][phone + 2] == "+12025550143"
    assert rows[0][phone + 5] == "2026-03-04T05:07:07Z"
    assert [text for batch in screener.batches for text, _ in batch] == ["+12025550146"]
    assert (summary.opted_out_rows, summary.opted_out_numbers) == (3, 3)
    assert summary.unclear_opt_outs == {"perhaps": 1}


def test_a_cell_is_silenced_by_a_further_number_in_it_that_opted_out(
    screen: Screen, screener: Any, parse: Parse
) -> None:
    text = b"phone,dnc\n+442079460143,x\n+442079460199 / +442079460143,\n"

    data, summary = screen(text)

    header, _, row = parse(data.decode())
    reason = row[header.index("rf_phone_reason")]

    assert summary.columns[0].statuses == {"do_not_contact": 2}
    assert reason.startswith("opted_out: another record with +4420***0143 opted out")
    assert screener.batches == []


@pytest.mark.parametrize(
    "cell",
    ["0044 20 7946 0143", "020-7946-0143", "+44 (0)20 7946 0143", "442079460143.0", "02079460143 / 02079460199",
     "020 7946 0143 0", "tel:+442079460143", "020 7946 O143",
     "".join(chr(0xFEE0 + ord(digit)) for digit in "02079460143"), "+442079460143 ext 5"],
)  # fmt: skip
def test_no_way_of_writing_an_opted_out_number_reaches_the_screener_with_a_callable_verdict(
    screen: Screen, screener: Any, cell: str
) -> None:
    text = f"phone,dnc\n+442079460143,x\n{cell},\n"
    _, summary = screen(text.encode(), ScreenOptions(region="GB", phones=("phone",)))
    asked = [text for batch in screener.batches for text, _ in batch]
    statuses = summary.columns[0].statuses

    assert statuses == {"do_not_contact": 2} or (asked == [cell] and statuses["invalid"] == 1)


def test_the_screener_cannot_call_an_opted_out_number_callable(tmp_path: Path, screener: Any) -> None:
    class Knowing:
        """Knows better than the cell which number is meant."""

        def screen(self, cells, times):
            return [replace(verdict, e164="+442079460143") for verdict in screener.screen(cells, times)]

    (tmp_path / "in.csv").write_text("phone,dnc\n+442079460143,x\n+442079460199,\n")
    summary = screen_file(tmp_path / "in.csv", tmp_path / "out.csv", ScreenOptions(), Knowing(), lambda *_: None)

    assert summary.columns[0].statuses == {"do_not_contact": 2}


@pytest.mark.parametrize("form", [PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
def test_no_opted_out_number_of_any_country_is_asked_about(screen: Screen, screener: Any, form: int) -> None:
    rows = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number and read_region(region):
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            rows += [f"{e164}\t{region}\tx", f"{phonenumbers.format_number(number, form)}\t{region}\t"]

    _, summary = screen("\n".join(["phone\tcountry\tdnc", *rows]).encode())

    assert len(rows) > 400
    assert summary.columns[0].statuses == {"do_not_contact": len(rows)}
    assert screener.batches == []


def test_a_named_opt_out_column_counts_whatever_its_header_says(screen: Screen) -> None:
    text = b"phone,quiet\n+442079460143,1\n"

    assert screen(text)[1].columns[0].statuses == {"valid": 1}
    assert screen(text, ScreenOptions(opt_outs=("quiet",)))[1].columns[0].statuses == {"do_not_contact": 1}


def test_a_distinct_cell_is_screened_once_a_batch_and_batches_are_bounded(
    screen: Screen, screener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "BATCH_ROWS", 100)
    rows = "".join(f"{n},+4420794600{n % 10}0\n" for n in range(250))
    _, summary = screen(b"id,phone\n" + rows.encode())

    assert [len(batch) for batch in screener.batches] == [10, 10, 10]
    assert summary.columns[0].statuses == {"valid": 250}


def test_batches_are_bounded_by_text_too(screen: Screen, screener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_BATCH_SIZE", 50_000)
    rows = "".join(f"+4420794600{n:02},{'x' * 10_000}\n" for n in range(20))
    screen(b"phone,note\n" + rows.encode())

    assert [len(batch) for batch in screener.batches] == [5, 5, 5, 5]


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "BATCH_ROWS", 200)
    options = ScreenOptions(phones=("phone",))
    peaks = []
    for rows in (2_000, 12_000):
        source = tmp_path / f"{rows}.csv"
        source.write_text("id,phone,note\n" + "".join(f"{n},cell {n},{'x' * 200}\n" for n in range(rows)))
        screen_file(source, tmp_path / f"warm{rows}.csv", options, Forgetful(), lambda *_: None)
        tracemalloc.start()
        screen_file(source, tmp_path / f"out{rows}.csv", options, Forgetful(), lambda *_: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < peaks[0] * 1.2


def test_a_deferred_cell_gets_nothing_and_is_counted(tmp_path: Path) -> None:
    class Deferring:
        def screen(self, cells, times):
            return [None for _ in cells]

    (tmp_path / "in.csv").write_text("phone\n+442079460000\n")
    summary = screen_file(
        tmp_path / "in.csv", tmp_path / "out.csv", ScreenOptions(), Deferring(), lambda done, total: None
    )

    assert (summary.columns[0].deferred, summary.columns[0].statuses) == (1, {})
    assert (tmp_path / "out.csv").read_text().splitlines()[1] == "+442079460000,,,,,,,"


def test_words_that_the_encoding_cannot_write_do_not_stop_the_screening(tmp_path: Path, screener: Any) -> None:
    class Foreign:
        def screen(self, cells, times):
            return [
                CellVerdict("valid", "live: 提供者 café", "+1", "mobile", verdict.last_screened)
                for verdict in screener.screen(cells, times)
            ]

    (tmp_path / "in.csv").write_bytes("name,phone\nJosé,+442079460000\n".encode("cp1252"))
    screen_file(tmp_path / "in.csv", tmp_path / "out.csv", ScreenOptions(), Foreign(), lambda *_: None)

    assert "live: ??? café" in (tmp_path / "out.csv").read_bytes().decode("cp1252")


def test_repairs_are_counted_and_named(screen: Screen) -> None:
    data, summary = screen(b"phone\n442079460018.0\n+442079460018\n", ScreenOptions(region="GB"))

    assert summary.repaired == 1
    assert b"spreadsheet .0" in data


def test_progress_counts_rows_and_is_reported_while_opt_outs_are_collected(
    tmp_path: Path, screener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "BATCH_ROWS", 10)
    source = tmp_path / "in.csv"
    source.write_text("phone,dnc\n" + "+442079460000,\n" * 25)
    calls: list[tuple[int, int]] = []
    screen_file(
        source, tmp_path / "out.csv", ScreenOptions(), screener, lambda done, total: calls.append((done, total))
    )

    assert [done for done, _ in calls] == [0, 0, 0, 10, 20, 25, 25]
    assert all(24 <= total <= 27 for _, total in calls)
    assert calls[-1] == (25, 25)


def test_a_file_of_a_header_only_is_screened_to_a_header_only(screen: Screen) -> None:
    data, summary = screen(b"id,phone")

    assert data.decode() == "id,phone," + ",".join(f"rf_phone_{name}" for name in NAMES)
    assert summary.rows == 0


def test_a_file_without_a_header_keeps_its_rows_and_gets_no_header(screen: Screen) -> None:
    data, summary = screen(b"Ann,+442079460000\nBob,+442079460001\n")

    assert data.startswith(b"Ann,+442079460000,valid,")
    assert (summary.rows, summary.columns[0].name) == (2, "column_2")


def test_without_a_phone_column_nothing_is_written(screen: Screen, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="looks like phone numbers") as caught:
        screen(b"id,name\n1,Ann\n")

    assert "id, name" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("existing", [b"old", None])
def test_whatever_ends_the_work_leaves_the_target_as_it_was(tmp_path: Path, kind: Any, existing: Any) -> None:
    class Failing:
        def screen(self, cells, times):
            raise kind

    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("phone\n+442079460000\n")
    if existing:
        target.write_bytes(existing)
    with pytest.raises(kind):
        screen_file(source, target, ScreenOptions(force=True), Failing(), lambda *_: None)

    assert (target.read_bytes() if target.exists() else None) == existing
    assert len(list(tmp_path.iterdir())) == 1 + bool(existing)


WAITING = """
import sys, time
from pathlib import Path
from ringfence.connectors.spreadsheet.options import ScreenOptions
from ringfence.connectors.spreadsheet.screening import screen_file

class Waiting:
    def screen(self, cells, times):
        print("screening", flush=True)
        time.sleep(60)

screen_file(Path(sys.argv[1]), Path(sys.argv[2]), ScreenOptions(), Waiting(), lambda *_: None)
"""


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_sigterm_leaves_no_part_of_a_file(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    if suffix == ".csv":
        source.write_text("phone\n+442079460000\n")
    else:
        workbook = openpyxl.Workbook()
        workbook.active.append(["phone"])
        workbook.active.append(["+442079460000"])
        workbook.save(source)
    command = [sys.executable, "-c", WAITING, str(source), str(tmp_path / f"out{suffix}")]

    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 2
        process.terminate()

    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == [source]


def test_the_input_is_never_overwritten_by_whatever_path(
    tmp_path: Path, screener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in.csv"
    source.write_text("phone\n+442079460000\n")
    (tmp_path / "soft.csv").symlink_to(source)
    os.link(source, tmp_path / "hard.csv")
    monkeypatch.chdir(tmp_path)
    for target in (source, tmp_path / "soft.csv", tmp_path / "hard.csv", Path("in.csv"), tmp_path / "." / "in.csv"):
        with pytest.raises(FileError, match="is the input itself"):
            screen_file(source, target, ScreenOptions(force=True), screener, lambda *_: None)

    with pytest.raises(FileError, match="is the input itself"):
        screen_file(tmp_path / "soft.csv", source, ScreenOptions(force=True), screener, lambda *_: None)

    assert source.read_text() == "phone\n+442079460000\n"


def test_an_existing_result_is_replaced_only_by_force(tmp_path: Path, screener: Any) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("phone\n+442079460000\n")
    target.write_text("old")
    with pytest.raises(FileError, match="exists already") as caught:
        screen_file(source, target, ScreenOptions(), screener, lambda *_: None)

    assert "--force" in caught.value.remedy
    assert target.read_text() == "old"

    screen_file(source, target, ScreenOptions(force=True), screener, lambda *_: None)

    assert target.read_text().startswith("phone,rf_phone_status")


def test_a_target_that_cannot_be_is_refused(tmp_path: Path, screener: Any) -> None:
    source = tmp_path / "in.csv"
    source.write_text("phone\n+442079460000\n")
    (tmp_path / "folder").mkdir()
    for target, words in [
        (tmp_path / "folder", "is a folder"),
        (tmp_path / "absent" / "out.csv", "does not exist"),
    ]:
        with pytest.raises(FileError, match=words):
            screen_file(source, target, ScreenOptions(), screener, lambda *_: None)

    with pytest.raises(UsageError, match="would be Excel"):
        screen_file(source, tmp_path / "out.xlsx", ScreenOptions(), screener, lambda *_: None)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    source = tmp_path / "in.csv"
    source.touch()
    with (
        pytest.raises(FileError, match="No space left"),
        staged(source, tmp_path / "out.csv", force=False),
        Path("/dev/full").open("w") as full,
    ):
        full.write("x" * 100_000)

    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_the_default_name_stands_beside_the_source() -> None:
    assert default_target(Path("/a/contacts.csv")) == Path("/a/contacts.screened.csv")
    assert default_target(Path("list")) == Path("list.screened")
