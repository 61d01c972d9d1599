"""Where models come from, as far as anything at hand says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.model.origin import MOST_BYTES, front_matter, origin_of
from equipoise.model.registry import EMBEDDED, Origin


def card(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def test_embedded_models_are_known() -> None:
    assert origin_of("smollm2-135m-instruct").licence == "apache-2.0"
    assert all(None not in (c.origin.base_model, c.origin.licence) for c in EMBEDDED.values())


def test_of_a_hub_id_only_the_id_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert origin_of("owner/name") == Origin("owner/name", None)


def test_a_folder_says_it_in_its_card(tmp_path: Path) -> None:
    said = card(tmp_path, "---\nbase_model: a/b\nlicense: mit\n---\n# x")
    assert origin_of(said) == Origin("a/b", "mit")
    (tmp_path / "README.md").write_bytes(b"---\r\nbase_model:\r\n- a/b\r\n---\r\nx")
    assert origin_of(tmp_path) == Origin("a/b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# no front matter",
        "---\nlicense: mit\n",  # never closed
        "---\n[1, 2]\n---\n",
        "---\nbase_model: {a: b}\nlicense: [x]\n---\n",
        "---\nbase_model: ../../secret\nlicense: '<script>'\n---\n",
        "---\n: : :\n---\n",
        "---\n!!python/object/apply:os.system ['false']\n---\n",
        "---\n" + "[" * 5000 + "\n---\n",
        "---\n" + "x" * MOST_BYTES + ": 1\nlicense: mit\n---\n",
    ],
)
def test_nonsense_says_nothing_and_does_nothing(tmp_path: Path, text: str) -> None:
    assert origin_of(card(tmp_path, text)) == Origin()


def test_a_bomb_of_aliases_stays_small(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    text = "---\nlicense: mit\n" + "\n".join(lines) + "\n---\n"
    assert front_matter(card(tmp_path, text) / "README.md")["license"] == "mit"


def test_no_card_is_no_error(tmp_path: Path) -> None:
    assert origin_of(tmp_path) == Origin()
    (tmp_path / "README.md").mkdir()
    assert origin_of(tmp_path) == Origin()
