"""`equipoise power`: how many seeds and samples."""

import csv
from pathlib import Path

QUICK = ("--studies", "200", "--seeds", "3,12", "--samples", "5,100")


def test_grid_and_recommendation(equipoise):
    outcome = equipoise("power", *QUICK, "--out", "power.csv")
    assert (outcome.code, outcome.err) == (0, "Written:\n  power.csv\n")
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 80
    with Path("power.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["seeds"], row["samples"]) for row in rows] == [
        ("3", "5"), ("3", "100"), ("12", "5"), ("12", "100"),
    ]  # fmt: skip
    shown = {words[0]: words[1:] for line in lines if (words := line.split())}
    assert shown["12"] == [f"{100 * float(row['power']):.0f}" for row in rows[2:]]
    assert "50 % against 60 %, 20 subjects, two-sided test at 0.05." in lines
    assert any(line.startswith("200 simulated studies each; Monte-Carlo error") for line in lines)
    reached = [row for row in rows if float(row["power"]) >= 0.8]
    best = min(reached, key=lambda row: int(row["completions"]))
    assert f"reach 80 %: {best['seeds']} seeds with {best['samples']} samples" in outcome.out


def test_deterministic_under_its_seed(equipoise):
    first = equipoise("power", *QUICK).out
    assert equipoise("power", *QUICK).out == first
    assert equipoise("power", *QUICK, "--seed", "1").out != first


def test_out_of_reach(equipoise):
    outcome = equipoise("power", *QUICK, "--difference", "0.005")
    assert outcome.out.endswith("None reaches 80 %: try more seeds.\n")
