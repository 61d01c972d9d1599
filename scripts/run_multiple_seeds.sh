#!/usr/bin/env bash
# Train and generate with the protocol's seeds 42, 123 and 456, one after the other.
#
#     ./scripts/run_multiple_seeds.sh --n_per_occupation 20 --samples_per_occupation 250
#
# Takes the flags of train_sft_robust.py and generate_sft_robust.py, and hands each to the script it
# is meant for. Writes to the current folder. Stops at the first failure; run again, it goes on.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$scripts/../.venv/bin/python
[ -x "$python" ] || python=python3

# --model is the base model: what is generated from is the model trained from it.
train=() generate=()
while [ $# -gt 0 ]; do
  case $1 in
    --seed | --seed=*)
      echo "Error: the seeds are 42, 123 and 456; for another one call the two scripts." >&2
      exit 2 ;;
    --samples_per_occupation | --output_dir)
      if [ $# -lt 2 ]; then echo "Error: $1 needs a value." >&2; exit 2; fi
      generate+=("$1" "$2")
      if [ "$1" = --output_dir ]; then train+=("$1" "$2"); fi
      shift ;;
    --samples_per_occupation=* | --force) generate+=("$1") ;;
    --output_dir=* | --debug | -h | --help) train+=("$1"); generate+=("$1") ;;
    *) train+=("$1") ;;
  esac
  shift
done

for seed in 42 123 456; do
  # The odd expansion: an empty list is an error to the bash of macOS.
  "$python" "$scripts/train_sft_robust.py" --seed "$seed" ${train[@]+"${train[@]}"}
  "$python" "$scripts/generate_sft_robust.py" --seed "$seed" ${generate[@]+"${generate[@]}"}
done
