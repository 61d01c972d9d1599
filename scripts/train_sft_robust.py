"""Train one seed of the protocol's SFT.

  python3 scripts/train_sft_robust.py --seed 42 --output_dir ./sft_robust_output

writes ./sft_robust_output_seed42/. Given again, the command resumes a training
that was stopped and leaves a finished one alone.
"""

from __future__ import annotations

import argparse
import sys

DEFAULT = argparse.SUPPRESS  # what is not given is decided by SFT's own settings


def parse_arguments() -> argparse.Namespace:
    """The command line; only flags that were given are in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seed", type=int, default=DEFAULT, help="of data and training (42)")
    add("--output_dir", default=DEFAULT, help="'_seedSEED' is added (./sft_robust_output)")
    add("--n_per_occupation", type=int, default=DEFAULT, help="sentences of each occupation (20)")
    add("--epochs", type=float, default=DEFAULT, help="passes over them (3)")
    add("--batch_size", type=int, default=DEFAULT, help="sentences computed at a time (4)")
    add("--learning_rate", type=float, default=DEFAULT, help="at its highest (2e-5)")
    add("--grad_accum_steps", type=int, default=DEFAULT, help="batches to an update (4)")
    add("--model", default=DEFAULT, help="embedded model, folder or Hub id (smollm2-135m-instruct)")
    add("--lora", action="store_true", default=DEFAULT, help="train low-rank adapters only")
    add("--max_steps", type=int, default=DEFAULT, help="updates to stop after (not set)")
    add("--debug", action="store_true", help="show the traceback of errors")
    return parser.parse_args()


def main() -> int:
    """Parse, train, and return the exit code."""
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

        protocol.train(**arguments)

    return guarded(work, debug=debug)


if __name__ == "__main__":
    sys.exit(main())
