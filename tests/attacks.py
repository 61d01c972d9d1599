"""Texts that would do something on a page, in a spreadsheet or in LaTeX that trusted them."""

ATTACKS = [
    "<script>window.attacked = 1</script>",
    "</script><script>window.attacked = 1</script>",
    "<!--<script>",
    "<img src=x onerror='window.attacked=1'>",
    "<svg onload='window.attacked=1'><animate onbegin='window.attacked=1' attributeName=x dur=1s>",
    "\"><iframe srcdoc=\"<script>parent.attacked=1</script>\"></iframe>",
    "<a href='javascript:window.attacked=1'>x</a><base href='https://example.invalid/'>",
    "<style>*{background:url(https://example.invalid/x)}</style>",
    "<link rel=stylesheet href=https://example.invalid/x.css><meta http-equiv=refresh content=0>",
    "<form action=https://example.invalid><button autofocus onfocus='window.attacked=1'>",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "\u202egnihtemos\u202c \u2066x\u2069 \u200f",
    "=HYPERLINK(\"https://example.invalid\")",
    r"\input{/etc/passwd} $x$ \write18{id}",
    "bold\u2028and\u2029kind &lt;b&gt; &amp;#60;",
    "bold " * 200_000,  # a line of a megabyte
    "__proto__",
]  # fmt: skip
