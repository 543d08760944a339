"""`python -m ringfence.sandbox`: serve the stand-ins from a process of their own.

Prints one line of JSON on standard output when all servers answer, the settings that point at them; ends on SIGTERM or
SIGINT with exit code 0.
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from threading import Event

from ringfence.core.errors import FixError

from .fault_file import read_faults
from .org_file import read_org
from .pace import with_time
from .plugin import installed_plugins
from .server import Sandbox
from .wording import count_of


def main() -> None:
    """Read the arguments, serve, and wait for a signal."""
    vendors = [plugin.vendor for plugin in installed_plugins()]
    parser = argparse.ArgumentParser(prog="python -m ringfence.sandbox", description=__doc__)
    parser.add_argument("--contacts", type=int, default=3000, help="how many people the CRMs hold")
    parser.add_argument("--seed", type=int, default=7, help="another seed gives other people")
    parser.add_argument(
        "--ports", type=_ports, default=(), help=f"{', '.join(vendors)}, comma separated; 0 = any free one"
    )
    parser.add_argument("--bare", action="store_true", help="the companion fields do not exist yet")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="a YAML file of what the services do wrong")
    parser.add_argument("--org", type=Path, metavar="FILE", help="a YAML file of what the accounts are like")
    parser.add_argument("--job-seconds", type=float, metavar="S", help="how long each bulk job takes")
    parser.add_argument("--call-ms", type=int, metavar="MS", help="how long every answer takes")
    parser.add_argument("--lookups", action="store_true", help="serve further lookup providers too")
    given = parser.parse_args()
    # One more port, and a free one, for the providers.
    ports = [*(given.ports or [0] * len(installed_plugins())), 0] if given.lookups else given.ports
    done = Event()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())

    try:
        faults = read_faults(given.faults) if given.faults else None
        faults = with_time(faults, job_seconds=given.job_seconds, call_ms=given.call_ms)
        org = read_org(given.org) if given.org else None
        sandbox = Sandbox(
            contacts=given.contacts,
            seed=given.seed,
            ports=ports,
            bare=given.bare,
            faults=faults,
            org=org,
            lookups=given.lookups,
        )
    except (FixError, ValueError) as error:
        parser.error(str(error))

    with sandbox:
        sys.stdout.write(json.dumps(sandbox.settings()) + "\n")
        sys.stdout.flush()
        done.wait()


def _ports(text: str) -> list[int]:
    """Return a port for each service; raises ArgumentTypeError for another number of them, or for no numbers."""
    needed = len(installed_plugins())
    try:
        ports = [int(port) for port in text.split(",")]
    except ValueError:
        ports = []

    if len(ports) != needed:
        example = ",".join(str(8001 + at) for at in range(needed))
        raise argparse.ArgumentTypeError(f"{count_of(needed, 'port number')} are needed, such as {example}")
    return ports


if __name__ == "__main__":
    main()
