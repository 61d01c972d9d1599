from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from equipoise.wording.latex import escape


@given(st.text(alphabet=st.characters(categories=None) | st.sampled_from("\\{}$&#^_%~")))
def test_only_ascii_and_own_commands_are_left(text: str) -> None:
    told = escape(text)
    assert told.isascii()
    assert "\n" not in told
    rest = re.sub(r"\\[a-zA-Z]+|\\[`'^~=.\"{}$&#_%]", "", told)
    assert "\\" not in rest
    assert not set("$&#^_%~") & set(rest)
    bare = re.sub(r"\\[{}]", "", told)
    assert bare.count("{") == bare.count("}")


def test_what_is_printed_is_what_was_written() -> None:
    assert escape("prompt-balanced, 12,168") == "prompt-balanced, 12,168"
    assert escape("é ß 中") == r"\'{e} \ss{} {[}U+4E2D{]}"
    assert escape("--") == "-{}-"
