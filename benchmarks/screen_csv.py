"""How fast and how small ``ringfence screen`` is on a large CSV file.

Makes a file of invented contacts (seeded, so every run has the same), screens it in a child process as a user would,
and prints rows per second, the child's peak memory, and the pace of the five ``phonenumbers`` calls that anybody would
write, on a part of the same file. Exits 1 when the peak is over the promised 200 MB.

    python benchmarks/screen_csv.py [--rows 1000000] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import phonenumbers
import pycountry

MAX_PEAK_MB = 200
NAIVE_ROWS = 100_000
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "CH", "PL", "IN", "BR", "MX", "AU", "JP", "CN", "ZA")


def make_file(path: Path, rows: int) -> None:
    """Write a CSV of that many contacts: six in ten cells national, one in ten messy or empty."""
    dice = random.Random(20260301)
    names = {region: pycountry.countries.get(alpha_2=region).name for region in REGIONS}
    plans = {
        region: phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) for region in REGIONS
    }

    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "name", "email", "phone", "country", "do not call", "note"])
        for number in range(rows):
            region = dice.choice(REGIONS)
            cell = _cell(dice, plans[region])
            flag = "yes" if dice.random() < 0.01 else ""
            note = "called, no answer" if number % 3 else ""
            writer.writerow([number, f"Person {number}", f"p{number}@example.com", cell, names[region], flag, note])


def _cell(dice: random.Random, example: phonenumbers.PhoneNumber) -> str:
    national = str(example.national_number)
    number = phonenumbers.PhoneNumber(
        country_code=example.country_code, national_number=int(national[:-6] + f"{dice.randrange(10**6):06}")
    )
    kind = dice.random()
    if kind < 0.6:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    if kind < 0.9:
        form = dice.choice((phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
        return phonenumbers.format_number(number, form)

    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return dice.choice(("", "n/a", f"{e164} (mobile)", f"{e164[1:]}.0", f"{e164} ext. 12", e164[:-4]))


def run_child(source: Path, target: Path) -> tuple[float, float]:
    """Screen the file in a child process; return seconds and its peak memory in MB. Raises when it fails."""
    command = [str(Path(sys.executable).with_name("ringfence")), "screen", str(source), "-o", str(target), "--json"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RINGFENCE_")}
    started = time.perf_counter()
    child = subprocess.Popen(command, cwd=target.parent, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * scale / 1e6


def run_naive(source: Path, rows: int) -> float:
    """Return the seconds that a plain csv and phonenumbers loop takes for the first rows."""
    codes = {pycountry.countries.get(alpha_2=region).name: region for region in REGIONS}
    started = time.perf_counter()

    with source.open(newline="", encoding="utf-8") as stream, Path(os.devnull).open("w", encoding="utf-8") as sink:
        writer = csv.writer(sink)
        for row in itertools.islice(csv.DictReader(stream), rows):
            try:
                number = phonenumbers.parse(row["phone"], codes[row["country"]])
            except phonenumbers.NumberParseException:
                writer.writerow([*row.values(), "invalid"])
                continue
            writer.writerow(
                [
                    *row.values(),
                    phonenumbers.is_possible_number(number),
                    phonenumbers.is_valid_number(number),
                    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
                    phonenumbers.number_type(number),
                    phonenumbers.region_code_for_number(number),
                ]
            )

    return time.perf_counter() - started


def main() -> None:
    """Make, screen, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="leave the files in this folder")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())

    try:
        source, target = folder / "contacts.csv", folder / "out.csv"
        make_file(source, options.rows)
        target.unlink(missing_ok=True)
        seconds, peak = run_child(source, target)
        naive_rows = min(options.rows, NAIVE_ROWS)
        naive = run_naive(source, naive_rows)
        pace, naive_pace = options.rows / seconds, naive_rows / naive
        print(f"file          {source.stat().st_size / 1e6:10.1f} MB, {options.rows:,} rows")
        print(f"ringfence     {pace:10,.0f} rows/s, {seconds:.1f} s")
        print(f"peak memory   {peak:10.1f} MB (promised: under {MAX_PEAK_MB})")
        print(f"plain loop    {naive_pace:10,.0f} rows/s on {naive_rows:,} rows")
        print(f"ratio         {pace / naive_pace:10.2f}")
    finally:
        if options.keep is None:
            shutil.rmtree(folder)

    if peak > MAX_PEAK_MB:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
