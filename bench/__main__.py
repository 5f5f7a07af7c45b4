"""`make bench`: what does the proxy cost, compared with no proxy, nginx, LiteLLM and Portkey?

Everything runs on this machine and talks to 127.0.0.1 only. Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from bench import archive, beyond, floor, growth, machine, report, rows, sessions, streams, tables, tools
from bench.versus import FULL, QUICK, Versus


def compare(folder: Path, *, quick: bool) -> tuple[str, bool]:
    """The comparison as Markdown; True if no call of SpendAI failed and none is missing in the ledger."""
    tools.find("wrk")
    result = Versus(QUICK if quick else FULL, folder).run()
    texts = [f"{machine.facts()}; {machine.versions(result.versions)}.", tables.comparison(result)]
    texts += [tables.ratios(result), tables.targets(result), tables.ledger(result)]
    texts += [f"{name} is left out: {why}." for name, why in result.left_out.items()]
    good = len(set(result.ledger)) == 1 and all(result.valid(cell) for cell in result.bursts if cell[0] == "SpendAI")
    return "\n\n".join(texts), good


def measure(folder: Path, words: argparse.Namespace) -> tuple[str, tuple[str, bool]]:
    """Run the part asked for: its name in the docs, its Markdown, and whether SpendAI passed."""
    runs = {
        "streams": lambda: streams.run(folder, peers=words.peers),
        "websockets": lambda: sessions.run(folder),
        "rows": lambda: rows.run(folder, _sizes(words.rows), write=words.write),
        "archive": lambda: archive.run(folder, words.archive),
        "beyond": lambda: beyond.run(folder),
        "growth": lambda: growth.run(folder, write=words.write),
        "alone": lambda: floor.run(folder),
        "comparison": lambda: compare(folder, quick=words.quick),
    }
    part = next((name for name in runs if getattr(words, name, None)), "comparison")
    return part, runs[part]()


def _sizes(largest: int) -> tuple[int, ...]:
    """The steps up to this number of calls, or itself when it is below all of them."""
    return tuple(size for size in rows.STEPS if size <= largest) or (largest,)


def main() -> int:
    """Exit status: 0 done; 1 a call failed or was lost; 2 a needed program is missing."""
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    what = asked.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="a minute, without LiteLLM and Portkey")
    what.add_argument("--streams", action="store_true", help="1,000 and 3,000 streams at once")
    what.add_argument("--websockets", action="store_true", help="1,000 idle sessions over WebSocket, 200 that talk")
    what.add_argument(
        "--rows",
        type=int,
        nargs="?",
        const=rows.STEPS[-1],
        metavar="N",
        help="SQL and pages beside N calls",
    )
    what.add_argument(
        "--archive", type=int, nargs="?", const=1_000_000, metavar="N", help="a month of N calls as Parquet"
    )
    what.add_argument(
        "--beyond", action="store_true", help="what the database does for a call, and for 10,000 a second"
    )
    what.add_argument(
        "--alone", action="store_true", help="where the time of a call that is alone goes, beside the peers"
    )
    what.add_argument("--growth", action="store_true", help="more workers, streams, rows: tables and docs/growth.svg")
    asked.add_argument("--peers", action="store_true", help="with --streams: LiteLLM and Portkey too")
    asked.add_argument("--write", action="store_true", help="put the results into the docs")
    words = asked.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        print("bench: only Linux says what processes cost", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    busy = machine.busy()
    _open_more_files()
    in_database = words.rows or words.archive or words.beyond
    wanted = [] if in_database else ["cc", "nginx", *([] if words.streams or words.websockets else ["wrk"])]
    without_peers = words.quick or words.streams or words.websockets or words.growth or in_database
    wanted += ["npm"] if words.peers or not without_peers else []
    tools.install_programs(*wanted)
    try:
        with tempfile.TemporaryDirectory(prefix="spendai-bench-") as folder:
            Path(folder).chmod(0o755)  # nginx' workers run as another user
            part, (text, good) = measure(Path(folder), words)
    except tools.Missing as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    text = "\n\n".join(filter(None, [text, busy]))
    print(text)
    if words.write:
        report.write(part, text)
    return 0 if good else 1


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _open_more_files() -> None:
    """Raise the limit of open files: a stream takes a socket here and two in the gateway, which inherits the limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))


if __name__ == "__main__":
    sys.exit(main())
