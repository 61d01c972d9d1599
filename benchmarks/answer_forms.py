"""In which form do real models answer? Counts behind ``transformers serve``.

A model with a chat template is asked in a chat, one without continues prompt and prefix. Each
answer about the built-in task's 20 occupations is one request, sampled by the server with the
protocol's temperature and nucleus. Needs ``pip install fastapi uvicorn`` beside the extra
``openai``. One model at a time:

    python benchmarks/answer_forms.py smollm2-135m-instruct --n 5 >> results/answer_forms.csv

Writes lines of ``model,api,prompt,seed,form,answers``, without a header.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sides import number, text

from equipoise.completions.judged_sentence import judge
from equipoise.model.draws import Question, Sampling
from equipoise.model.embedded import fetch
from equipoise.model.endpoint import EndpointSettings
from equipoise.model.remote import Endpoint
from equipoise.task.task_file import load_task

SEED = 1
SERVE = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
LISTENS = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+)")

BEGINS, CONTINUES, OTHER, EMPTY = "the prefix", "its end alone", "something else", "nothing"


@contextlib.contextmanager
def serving(model: str) -> Iterator[tuple[EndpointSettings, str]]:
    """How to ask a served copy of an embedded model that samples, and its name."""
    with tempfile.TemporaryDirectory() as folder:
        copy, log = Path(folder) / "served", Path(folder) / "log"
        shutil.copytree(fetch(model), copy)
        config = copy / "generation_config.json"
        known = json.loads(config.read_text()) if config.is_file() else {}
        config.write_text(json.dumps({**known, "do_sample": True}))
        options = ["serve", str(copy), "--port", "0", "--host", "127.0.0.1", "--device", "cpu"]
        with log.open("w") as stream:
            command = [sys.executable, "-c", SERVE, *options]
            process = subprocess.Popen(command, stdout=stream, stderr=stream)
        try:
            while not (found := LISTENS.search(log.read_text())):
                if process.poll() is not None:
                    sys.exit(log.read_text())
                time.sleep(0.2)
            chats = (copy / "chat_template.jinja").is_file()
            yield (
                EndpointSettings(
                    base_url=f"{found[1]}/v1",
                    api="chat" if chats else "completions",
                    concurrency=1,
                    timeout_seconds=600,
                ),
                f"openai:{copy}",
            )
        finally:
            process.terminate()
            process.wait(30)


def form_of(answer: str, question: Question) -> str:
    """The form of an answer."""
    judged = judge(answer, question.prefix, question.subject)
    if not judged.text:
        return EMPTY
    if judged.form == "…":
        return CONTINUES if judged.text[0].islower() else OTHER
    return judged.form.replace("{subject}", "nurse") or BEGINS


def main() -> None:
    """Write a line for each prompt and form."""
    model, each = sys.argv[1], number("--n", 5)
    task, sampling = load_task("occupations"), Sampling(max_new_tokens=40)
    lines = csv.writer(sys.stdout, lineterminator="\n")
    with serving(model) as (settings, name), tempfile.TemporaryDirectory() as folder:
        for kind in text("--prompts", "neutral,balanced").split(","):
            counts: Counter[str] = Counter()
            for one in (subject.name for subject in task.subjects):
                question = Question(task.prompt(one, kind), task.response_prefix(one), one)
                log = Path(folder) / f"{kind} {one}.jsonl"
                Endpoint(name, settings).keeping(log).draw([question], [each], sampling, SEED)
                answers = [json.loads(line)["text"] for line in log.read_text().splitlines()]
                counts.update(form_of(answer, question) for answer in answers)
                print(kind, one, answers[0], file=sys.stderr, flush=True)
            for form, count in counts.most_common():
                lines.writerow([model, settings.api, kind, SEED, form, count])
            sys.stdout.flush()


if __name__ == "__main__":
    main()
