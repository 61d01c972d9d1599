"""What the site needs beyond pages: new methods in its menu, linked files, unbroken numbers.

Pages link to sources and studies as they lie in the repository, as in
``../src/equipoise/task/tasks/age.toml``. The site carries copies of those files, so that the links
work there too.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
UPWARDS = re.compile(r"\]\((\.\./[^)#\s]+)")
CODE = re.compile(r"(<pre.*?</pre>|<code.*?</code>)", re.DOTALL)
IN_A_NUMBER = re.compile(r"(?<=\d)\s(?=[%±])|(?<=±)\s(?=\d)")
METHOD = re.compile(r"# ([^:\n]+): `[\w-]+`")
"""How the page of a method begins."""


def on_config(config: Any) -> Any:
    """Put pages of methods that the menu does not name into its section "Methods"."""
    named = str(config.nav)
    [section] = [part["Methods"] for part in config.nav if "Methods" in part]
    for path in sorted(Path(config.docs_dir).glob("*.md")):
        heading = METHOD.match(path.read_text("utf-8"))
        if heading and f"'{path.name}'" not in named:
            section.insert(-1, {heading[1]: path.name})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the files outside of docs/ that pages link to."""
    wanted = set()
    for file in files.documentation_pages():
        page = Path(str(file.abs_src_path))
        found = (_outside(page, link) for link in UPWARDS.findall(page.read_text("utf-8")))
        wanted |= {name for name in found if name is not None}
    for name in sorted(wanted):
        if (ROOT / name).is_file():
            files.append(File.generated(config, _place(name), abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links that leave docs/ at the copies."""

    def pointed(match: re.Match[str]) -> str:
        name = _outside(Path(page.file.abs_src_path), match[1])
        up = "../" * page.file.src_uri.count("/")
        return match[0] if name is None else f"]({up}{_place(name)}"

    return UPWARDS.sub(pointed, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Keep a number, its error and its percent sign on one line, outside of code."""
    parts = CODE.split(html)
    parts[::2] = [IN_A_NUMBER.sub("&nbsp;", part) for part in parts[::2]]
    return "".join(parts)


def _outside(page: Path, link: str) -> str | None:
    """What a link of a page leads to, from the repository's root; nothing if it is in docs/."""
    path = (page.parent / link).resolve()
    if path.is_relative_to(DOCS) or not path.is_relative_to(ROOT):
        return None
    return path.relative_to(ROOT).as_posix()


def _place(name: str) -> str:
    """Where the copy of a file lies in the site; Markdown as text, else it would become a page."""
    place = posixpath.join("repository", name)
    return f"{place}.txt" if place.endswith((".md", ".py", ".toml")) else place
