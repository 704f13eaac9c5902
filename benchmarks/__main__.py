"""`python -m benchmarks NAME [--json]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil

import benchmarks
from benchmarks.result import Result


def main() -> None:
    """Runs one benchmark and prints its table, or one JSON object."""
    questions = sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in ("__main__", "criteo_like", "data_contender", "rank_load", "result")
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=questions)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="of all contenders (default 5)")
    arguments = parser.parse_args()
    module = importlib.import_module(f"benchmarks.{arguments.name}")
    result: Result = module.run(arguments.rounds)
    print(result.to_json() if arguments.json else result.table())


main()
