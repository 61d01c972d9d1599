from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from safetensors import SafetensorError

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import (
    MAX_NAME_BYTES,
    check_name,
    clear_write_errors,
    make_folder,
    open_atomic,
    read_json,
    write_json,
)


@pytest.mark.parametrize("name", ["a", "sft", "sft-1e-4", "v1.2_x", "_x", "a" * MAX_NAME_BYTES])
def test_safe_names(name: str) -> None:
    assert check_name(name, "study.name") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../a",
        "a..b",
        ".a",
        "-a",
        "a b",
        "ä",
        "a\n",
        "a\0",
        "a:b",
        "~",
    ],
)
def test_unsafe_names(name: str) -> None:
    with pytest.raises(EquipoiseError, match=r"s.toml: study.name: .* cannot be the name"):
        check_name(name, "study.name", file="s.toml")


def test_long_names() -> None:
    with pytest.raises(EquipoiseError, match=r"is 101 characters long\. Use at most 100"):
        check_name("a" * 101, "study.name")


def test_make_folder(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EquipoiseError, match="A file stands where a folder is needed"):
            make_folder(path)
    with pytest.raises(EquipoiseError, match="The name is too long"):
        make_folder(tmp_path / ("a" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EquipoiseError, match="You may not write there"):
        make_folder(tmp_path)


def test_open_atomic_shows_the_file_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with open_atomic(path) as stream:
        stream.write("a\nä")
        assert not path.exists()
    assert path.read_bytes() == "a\nä".encode()
    with pytest.raises(ZeroDivisionError), open_atomic(path) as stream:
        print("half", 1 / 0, file=stream)
    assert path.read_text(encoding="utf-8") == "a\nä"
    assert list(path.parent.iterdir()) == [path]


def test_open_atomic_on_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(EquipoiseError, match="A folder stands where a file is needed"),
        open_atomic(tmp_path / "folder") as stream,
    ):
        stream.write("x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_longest_file_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    with pytest.raises(EquipoiseError, match="too long"), open_atomic(path):
        pass


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only")]
)
def test_write_errors_say_what_to_do(number: int, hint: str) -> None:
    with pytest.raises(EquipoiseError, match=hint) as caught, clear_write_errors(Path("a.csv")):
        raise OSError(number, os.strerror(number))
    assert caught.value.file == "a.csv"


@pytest.mark.parametrize(
    "error",
    [  # as safetensors, tokenizers and torch.save report a full disk
        SafetensorError("Error while serializing: I/O error: No space left (os error 28)"),
        Exception("No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
        RuntimeError(
            "[enforce fail at inline_container.cc:863] . PytorchStreamWriter failed writing file "
            "data/0: file write failed"
        ),
    ],
)
def test_write_errors_of_other_libraries(error: Exception) -> None:
    with pytest.raises(EquipoiseError) as caught, clear_write_errors(Path("model")):
        raise error
    assert str(caught.value) == (
        "model: cannot be written (No space left on device). "
        "The disk is full: make room and run the same command again."
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no number"),
        KeyboardInterrupt(),
        EquipoiseError("(os error 28)"),
        RuntimeError("inline_container.cc: PytorchStreamReader failed reading zip archive"),
    ],
)
def test_other_errors_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, clear_write_errors(Path("a.csv")):
        raise error
    assert caught.value is error


def test_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"ä": [1, None, 0.5]})
    assert path.read_text(encoding="utf-8") == ('{\n  "ä": [\n    1,\n    null,\n    0.5\n  ]\n}\n')
    assert read_json(path) == {"ä": [1, None, 0.5]}


def test_json_refuses_nan_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"", b"[" * 100_000])
def test_bad_json(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(raw)
    with pytest.raises(EquipoiseError, match="not valid JSON"):
        read_json(path)


def test_missing_json(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match="cannot be read"):
        read_json(tmp_path / "none.json")
