"""What a user sees while an embedded model is fetched."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from equipoise.model.registry import PinnedModel


class Reporter:
    """Tells on standard error how fetching goes: bars on a terminal, else one line a step."""

    def __init__(self, card: PinnedModel, *, show: bool) -> None:
        self.card = card
        self.console = Console(stderr=True, quiet=not show, soft_wrap=True)

    def say(self, line: str) -> None:
        """Print one plain line."""
        self.console.print(line, highlight=False, markup=False)

    @contextlib.contextmanager
    def downloading(self) -> Iterator[Callable[[int], None] | None]:
        """A bar for the download; gives the function to be told of bytes that arrived."""
        text = f"Fetching {self.card.name}"
        if not self.console.is_terminal:
            self.say(f"{text} ({self.card.size_bytes / 1e6:.0f} MB, {self.card.licence})")
            yield None
            return
        columns = (TextColumn(text), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console) as bars:
            task = bars.add_task(text, total=self.card.size_bytes)

            def arrived(done: int) -> None:
                # pip moves a finished file, so for a moment it is counted nowhere.
                so_far = max(bars.tasks[0].completed, done)
                bars.update(task, completed=min(so_far, self.card.size_bytes))

            yield arrived

    @contextlib.contextmanager
    def converting(self) -> Iterator[None]:
        """A spinner while the weights are converted."""
        text = f"Converting {self.card.name} to safetensors, once (10 to 60 s)"
        if not self.console.is_terminal:
            self.say(text)
            yield
            return
        # The stream is bound now, because standard error is silenced during conversion.
        self.console.file = self.console.file
        with self.console.status(text):
            yield
