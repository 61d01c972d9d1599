"""Readers of task, study and CSV files fed with broken, odd and hostile ones: no crash, no hang.

Whatever the bytes are, a reader returns or raises an ``EquipoiseError``, within `SECONDS`. The
suite feeds each reader `FUZZ` files; ``EQUIPOISE_FUZZ=40000 pytest tests/fuzz`` feeds it so many.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.completions.frame import remarks
from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import MAX_CSV_BYTES, read_rows, write_table
from equipoise.measures import evaluate, read_anything, read_completions
from equipoise.study.specification import read_specification
from equipoise.task import Task, load_task, task_overview
from gender_axis import gender_axis
from tiny_study import STUDY
from tiny_task import TASK as PLAIN_TASK

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

FUZZ = int(os.environ.get("EQUIPOISE_FUZZ", "150"))
SECONDS = 5

CSV = """subject,text,method,seed,split,run,finished,tokens
doctor,The doctor was bold and kind with colleagues.,sft,1,train,0,True,9
nurse,"The nurse was ""bold"", they said.",sft,2,validation,1,False,
pilot,'=1+1,prompt,1,train,2,True,3
"""
TASK = PLAIN_TASK + gender_axis({"doctor": 37.9, "pilot": 6.1})
SEPARATED = "sep=;\n" + CSV.replace(",", ";")
JSON_LINES = """{"doc_id": 0, "doc": {"occupation": "nurse"}, "seed": 1, "outputs": ["A", "B"]}
{"occupation": "doctor", "completion": "The doctor was bold.", "seed": null, "meta": {"a": [1, 2]}}
{"occupation": "pilot", "choices": [{"message": {"role": "assistant", "content": "Bold."}}]}
"""
HARNESS_LOG = """{"doc_id": 0, "doc": {"occupation": "nurse"}, "target": "", "arguments": \
{"gen_args_0": {"arg_0": "The nurse was", "arg_1": {}}}, "resps": [[" bold.", " kind."]], \
"filter": "none"}
{"doc_id": 1, "doc": {"job": "pilot"}, "arguments": [["The pilot was", {}]], "resps": [["x"]], \
"filtered_resps": ["x"], "filter": "none"}
"""
INSPECT_LOG = """{"version": 2, "status": "success", "eval": {"task": "t", "model": "m"},
"samples": [
{"id": 1, "epoch": 1, "input": "The nurse was", "metadata": {"occupation": "nurse"},
"output": {"choices": [{"message": {"content": [{"type": "text", "text": "bold."}]}}]}},
{"id": 2, "epoch": 2, "input": [{"role": "user", "content": "The pilot was"}], "output": {}}]}
"""
ENDPOINT = STUDY.replace("MODEL", "openai:x").split("[methods")[0] + (
    '[endpoint]\nbase_url = "http://127.0.0.1:9/v1"\n[measures]\nfluency = true\n'
    "[methods.prompt]\n[methods.filter]\nmax_draws = 3\n"
)
LOCAL = STUDY.replace("MODEL", "smollm2-135m-instruct") + (
    '[methods.dpo]\ninit_from = "sft"\n[methods.ctrlg]\n[methods.leace]\n[methods.rlhf]\n'
)

PIECES = (
    *"\0\r\n\t\"'[]{}=,.#;&|$`<>()*+-/\\ éß中\u200b\u202e\u2028\ufeff",
    *("'''", '"""', "[[", "]]", "[a.", "a.b.c = 1", "= [", "inf", "-nan", "1e999", "0x", "1_0"),
    *("9" * 5000, "0x" + "f" * 5000, "-9223372036854775809", "1979-05-27T07:32:00Z", "true"),
    *("../../etc/passwd", "/dev/zero", "C:\\x", "..", "~", "${HOME}", "{subject}", "{agentic}"),
    *("[" * 2000, "{" * 2000, "a." * 2000, "(" * 500, "{" + "a" * 60 + "}", "a(n)", "{people2}"),
    *("NaN", "None", '=HYPERLINK("x")', "@x", "x" * 140_000, "\u0301" * 50, "İ", "ﬁ", "\x85"),
    *("[study]", "[methods.x]", "use = 'sft'", "lora = true", "seeds = []", "train", "validation"),
    *(":", "openai:", "http://", "!!!!!!!!", "?" * 3000, ". " * 3000, "e.g. " * 1000),
)
CHUNKS = st.one_of(
    st.sampled_from(PIECES).map(str.encode),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=12),
)
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([0, 0, 1, 3, 12, 80]), CHUNKS), max_size=6
)


def damaged(*originals: str) -> st.SearchStrategy[bytes]:
    """One of ``originals`` with pieces cut out, put in and moved; sometimes bytes of no origin."""

    def edit(text: bytes, edits: list[tuple[int, int, bytes]], moved: tuple[int, int]) -> bytes:
        for place, cut, chunk in edits:
            start = place % (len(text) + 1)
            text = text[:start] + chunk + text[start + cut :]
        lines = text.split(b"\n")
        here, there = (number % len(lines) for number in moved)
        lines[here], lines[there] = lines[there], lines[here]
        return b"\n".join(lines)

    moved = st.tuples(st.integers(0, 200), st.integers(0, 200))
    sources = st.sampled_from([original.encode() for original in originals])
    return st.one_of(st.builds(edit, sources, EDITS, moved), st.lists(CHUNKS).map(b"".join))


def many(test: Callable[..., None]) -> Callable[..., None]:
    """`FUZZ` examples, each within `SECONDS`."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    checks += [HealthCheck.function_scoped_fixture, HealthCheck.large_base_example]
    return settings(
        max_examples=FUZZ,
        deadline=timedelta(seconds=SECONDS),
        suppress_health_check=checks,
        database=None,
        derandomize=FUZZ < 1000,
    )(test)


def check_message(error: EquipoiseError) -> None:
    """An error is for people: not the whole file."""
    assert 0 < len(str(error)) < 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("fuzz")
    (found / "small.toml").write_text(TASK)
    return found


@pytest.fixture(scope="module")
def small(folder: Path) -> Task:
    return load_task(folder / "small.toml")


@many
@given(data=damaged(TASK))
def test_task_files(data: bytes, folder: Path) -> None:
    path = folder / "task.toml"
    path.write_bytes(data)
    try:
        task = load_task(path)
        task_overview(task, samples=1)
    except EquipoiseError as error:
        check_message(error)
        return
    assert task.train
    assert "/" not in task.name


@many
@given(data=damaged(LOCAL, ENDPOINT))
def test_study_files(data: bytes, folder: Path) -> None:
    path = folder / "study.toml"
    path.write_bytes(data)
    try:
        specification = read_specification(path)
    except EquipoiseError as error:
        check_message(error)
        return
    assert specification.cells()
    for name in (specification.study.name, *specification.methods):
        assert (folder / name).resolve().parent == folder.resolve()


@many
@given(
    data=damaged(CSV, SEPARATED, JSON_LINES, f"[{JSON_LINES.replace(chr(10), ',')}{{}}]"),
    name=st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.json", "a"]),
)
def test_completions_of_any_format(data: bytes, name: str, folder: Path, small: Task) -> None:
    check_reading(data, folder / name, small)


@many
@given(data=damaged(HARNESS_LOG, INSPECT_LOG), name=st.sampled_from(["a.jsonl", "a.json"]))
def test_logs_of_other_harnesses(data: bytes, name: str, folder: Path, small: Task) -> None:
    check_reading(data, folder / name, small)


@many
@given(data=damaged(CSV))
def test_csv_files(data: bytes, folder: Path, small: Task) -> None:
    check_reading(data, folder / "completions.csv", small)


def check_reading(data: bytes, path: Path, small: Task) -> None:
    """Whatever ``data`` is, it is read or refused in words; what was read is not changed again."""
    folder = path.parent
    path.write_bytes(data)
    try:
        reading = read_anything(path, small)
        frame = read_completions(path, small)
    except EquipoiseError as error:
        check_message(error)
        return
    assert all(0 < len(remark) < 1_000 for remark in reading.remarks)
    assert 0 < len(reading.completions) <= len(frame)
    remarks(frame, small)
    # What was read is written and read back as it was.
    again = folder / "again.csv"
    write_table(again, frame)
    assert read_rows(again).columns["text"] == frame["text"].tolist()
    assert read_rows(again).columns["method"] == frame["method"].tolist()


@pytest.mark.slow
@settings(
    max_examples=max(10, FUZZ // 20),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=FUZZ < 1000,
)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_any_texts_are_measured(texts: list[str]) -> None:
    import pandas as pd

    frame = pd.DataFrame({"subject": ["nurse"] * (len(texts) + 1), "text": ["Bold: x", *texts]})
    assert 2 <= len(evaluate(frame).completions) <= len(texts) + 1


BOMBS = {
    "deep keys": "[study]\n" + "a." * 100_000 + "b = 1",
    "deep tables": "[" + "a." * 100_000 + "b]\nc = 1",
    "deep arrays": "a = " + "[" * 100_000,
    "deep inline tables": "a = " + "{b = " * 100_000,
    "long decimal": f"[study]\nseeds = [{'9' * 1_000_000}]",
    "long hexadecimal": f"[study]\nseeds = [0x{'f' * 1_000_000}]",
    "long float": f"[sampling]\ntemperature = {'9' * 1_000_000}.0",
    "many seeds": f"[study]\nname = 'x'\nseeds = [{','.join(map(str, range(250_000)))}]",
    "many tables": "\n".join(f"[methods.m{i}]" for i in range(100_000)),
    "many keys": "[study]\n" + "\n".join(f"k{i} = {i}" for i in range(100_000)),
    "long string": f"[study]\nname = '{'x' * 1_900_000}'",
    "many dots": "[study]\nname = '" + "." * 1_900_000,
    "many long keys": "\n".join(f"k{i}." + "a." * 30 + "b = 1" for i in range(10_000)),
    "three megabytes": "#" * 3_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("read", [load_task, read_specification], ids=["task", "study"])
def test_bombs_are_refused_in_seconds(
    name: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "bomb.toml"
    path.write_text(BOMBS[name])
    with pytest.raises(EquipoiseError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    check_message(caught.value)


JSON_BOMBS = {
    "deep arrays": "[" * 1_000_000,
    "deep objects": '{"a":' * 1_000_000,
    "deep and whole": "[" * 100_000 + "]" * 100_000,
    "long number": f'{{"subject": "nurse", "text": "x", "seed": {"9" * 1_000_000}}}',
    "long seed": f'{{"subject": "nurse", "text": "x", "seed": "{"9" * 1_000_000}"}}',
    "a field for each record": "\n".join(f'{{"k{i}": 1}}' for i in range(100_000)),
    "many fields": "{" + ",".join(f'"k{i}": 1' for i in range(200_000)) + "}",
    "one after another": "{}" * 200_000,
}


@pytest.mark.parametrize("name", JSON_BOMBS)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_json_bombs_are_refused_in_seconds(
    name: str, suffix: str, tmp_path: Path, small: Task
) -> None:
    path = tmp_path / f"bomb.{suffix}"
    path.write_text(JSON_BOMBS[name])
    with pytest.raises(EquipoiseError) as caught:
        read_anything(path, small)
    assert str(caught.value).startswith(str(path))
    check_message(caught.value)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin/x", "/", "/proc/self/mem", "a\0b"])
def test_what_is_no_file_is_refused(path: str) -> None:
    for read in (load_task, read_specification, read_rows):
        with pytest.raises(EquipoiseError):
            read(Path(path))


def test_a_huge_csv_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(MAX_CSV_BYTES + 1)  # a hole: it takes no space
    with pytest.raises(EquipoiseError, match="larger than 2,000,000,000 bytes"):
        read_rows(path)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(CSV,))
    writer.start()
    assert len(read_rows(path)) == 3
    writer.join()


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000, "~nobody-of-that-name/x", "a\x7fb", "."])
@pytest.mark.parametrize(
    "setting", ["study.model", "study.task", "measures.lac", "measures.winogender"]
)
def test_a_name_of_any_kind_is_no_crash(setting: str, name: str, folder: Path) -> None:
    """``x`` 300 times is too long for a file system, ``~nobody`` has no home: found by fuzzing."""
    path = folder / "named.toml"
    path.write_text(STUDY.replace("MODEL", "smollm2-135m-instruct"))
    for ending in ("", ".toml"):
        with pytest.raises(EquipoiseError) as caught:
            read_specification(path, [f"{setting}='{name}{ending}'"])
        check_message(caught.value)
