"""What the site needs beyond the pages: pages of new methods in its menu, and linked files.

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
OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)")
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
        wanted |= set(OUTSIDE.findall(Path(str(file.abs_src_path)).read_text("utf-8")))
    for name in sorted(wanted):
        path = (ROOT / name).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            target = _place(name)
            files.append(File.generated(config, target, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links that leave docs/ at the copies."""
    return OUTSIDE.sub(lambda match: f"]({_place(match[1])}", markdown)


def _place(name: str) -> str:
    """Where the copy of a file lies in the site; Markdown as text, else it would become a page."""
    place = posixpath.join("repository", name)
    return f"{place}.txt" if place.endswith((".md", ".py", ".toml")) else place
