"""What several workers gain, and what holds while they work: rows a second, rates, a killed worker, many accounts.

Sandbox accounts whose jobs and calls take the CRM's own time run in a process of their own; the state is on
PostgreSQL; workers are real ``ringfence worker`` processes.

- ``partitions``: ``ringfence sync salesforce --partitions N`` over unscreened contacts, with one worker and with two;
  the next sync writes nothing.
- ``kill``: the same with two workers, one of which is killed on the way: the same records, no number bought twice.
- ``portals``: many small HubSpot accounts, each synced twice by four workers: no account by two at once.

Figures compare within one run only. Exits 1 when something that is promised did not hold.
"""

from __future__ import annotations

import argparse
import sys

from children import compile_rooms
from machine import describe_machine
from partition_show import show_partitions
from portal_show import show_portals

SHOWS = ("partitions", "kill", "portals")


def main() -> None:
    """Measure what was asked for, print it, and judge."""
    given = _parse()
    print(f"{describe_machine()}\n")
    compile_rooms()
    failures: list[str] = []
    if {"partitions", "kill"} & set(given.shows):
        failures += show_partitions(given)
    if "portals" in given.shows:
        failures += show_portals(given)
    if failures:
        sys.exit("missed: " + "; ".join(failures))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shows", nargs="*", metavar="SHOW", help=f"{', '.join(SHOWS)}; all of them unless named")
    parser.add_argument("--records", type=int, default=100_000, help="contacts")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--job-seconds", type=float, default=20, help="how long a bulk job takes")
    parser.add_argument("--call-ms", type=int, default=50, help="how long a call takes")
    parser.add_argument("--lookups", action="store_true", help="numbers are looked up too, which takes a call each")
    parser.add_argument("--portals", type=int, default=40)
    parser.add_argument("--portal-records", type=int, default=100, help="contacts of each of them")
    given = parser.parse_args()
    given.shows = given.shows or list(SHOWS)
    if unknown := set(given.shows) - set(SHOWS):
        parser.error(f"no such show: {', '.join(unknown)}")
    return given


if __name__ == "__main__":
    main()
