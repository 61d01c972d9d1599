"""Draw completions from the model that train_sft_robust.py made with a seed.

  python3 scripts/generate_sft_robust.py --seed 42

reads ./sft_robust_output_seed42/ and writes, beside it,
sft_robust_completions_seed42.csv and sft_robust_summary_seed42.json.
"""

from __future__ import annotations

import argparse
import sys

DEFAULT = argparse.SUPPRESS  # what is not given is decided by equipoise.cli.protocol


def parse_arguments() -> argparse.Namespace:
    """The command line; only flags that were given are in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seed", type=int, default=DEFAULT, help="of training and sampling (42)")
    add("--output_dir", default=DEFAULT, help="as in training (./sft_robust_output)")
    add("--model", default=DEFAULT, help="another model than the one trained with this seed")
    add("--samples_per_occupation", type=int, default=DEFAULT, help="completions of each (250)")
    add("--force", action="store_true", default=DEFAULT, help="replace other completions")
    add("--debug", action="store_true", help="show the traceback of errors")
    return parser.parse_args()


def main() -> int:
    """Parse, draw, and return the exit code."""
    arguments = vars(parse_arguments())
    debug = arguments.pop("debug")
    try:
        from equipoise.cli.failures import guarded
    except ModuleNotFoundError as error:
        sys.exit(
            f"Error: the Python package '{error.name}' is missing from {sys.executable}. Run "
            "'make install' in the project's folder and use its .venv/bin/python, or install the "
            "project with 'python3 -m pip install .' there."
        )

    def work() -> None:
        from equipoise.cli import protocol

        protocol.generate(**arguments)

    advice = "Nothing was written. Run the same command to begin again."
    return guarded(work, debug=debug, advice=advice)


if __name__ == "__main__":
    sys.exit(main())
