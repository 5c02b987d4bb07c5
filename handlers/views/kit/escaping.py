"""Escapes typed text for mrkdwn.

The rule: typed text can never look like text of ours. `&`, `<` and `>` are escaped, so no mention, link or date can form
(a bare address stays as typed: every block is `verbatim`, so Slack makes no link of it);
signs that would format are replaced by look-alikes where Slack would read them as formatting; control and bidirectional
signs are shown as U+FFFD; a text of several lines is quoted on every line (design, section 5, rule 10).
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
LINE_MAX = 2700
_LOOKALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}
_FORMAT = re.compile(r"[*_~`]")
_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb]")  # they reorder or annotate
_SILENT = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f]")  # they show nothing
_UNSEEN = "\ufffd"


def tame(text: str, tab: str = " ") -> str:
    """Line ends as `\\n`; tabs as `tab`; control, bidirectional and broken signs shown as U+FFFD, silent ones gone."""
    if text.isascii() and text.isprintable():
        return text
    text = _SILENT.sub("", _TURNS.sub(_UNSEEN, _BREAKS.sub("\n", text).replace("\t", tab)))
    return "".join(
        _UNSEEN if sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text
    )  # fmt: skip


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(tame(text).split())


def escape(text: str) -> str:
    """Escapes `&`, `<` and `>`, as Slack requires."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inline(text: str, limit: int) -> str:
    """Typed text within a line of ours: at most `limit` characters of mrkdwn, cut with an ellipsis."""
    return _fit(one_line(text), limit)


def quote(text: str, limit: int) -> str:
    """Typed text as a quote, every line of it: at most `limit` characters of mrkdwn, cut with an ellipsis.

    No line is longer than LINE_MAX, so that lines can be spread over sections.
    """
    whole = [_quoted(line) for line in _short_lines(text)]
    if sum(len(line) + 1 for line in whole) <= limit + 1:
        return "\n".join(whole)
    lines: list[str] = []
    left = limit - 3
    for line in _short_lines(text):
        if left < 3:
            break
        lines.append(">" + _fit(line, left - 2))
        left -= len(lines[-1]) + 1
    return "\n".join([*lines, ">" + ELLIPSIS])


def cut(text: str, limit: int) -> str:
    """Plain text of at most `limit` characters, cut with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def cut_mrkdwn(text: str, limit: int) -> str:
    """Finished mrkdwn of at most `limit` characters; neither a mention, a time nor an entity is cut in two."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    opened = kept.rfind("<")
    if opened > kept.rfind(">", max(opened, 0)):
        kept = kept[:opened]
    return re.sub(r"&\w{0,3}$", "", kept) + ELLIPSIS


def _short_lines(text: str) -> list[str]:
    """The lines of a text; a line that escaping makes too long is split."""
    lines: list[str] = []
    for line in tame(text).strip("\n").split("\n"):
        if len(_quoted(line)) <= LINE_MAX:
            lines.append(line)
        else:
            lines += [line[at : at + LINE_MAX // 6] for at in range(0, len(line), LINE_MAX // 6)]
    return lines


def _quoted(line: str) -> str:
    return ">" + escape(_plain(line))


def _fit(text: str, limit: int) -> str:
    """`text` as mrkdwn of at most `limit` characters; an entity is never cut in two."""
    whole = escape(_plain(text))
    if len(whole) <= limit:
        return whole
    signs = [escape(sign) for sign in _plain(text)]
    kept, used = [], 0
    for sign in signs:
        if used + len(sign) > limit - 1:
            break
        kept.append(sign)
        used += len(sign)
    return "".join(kept) + ELLIPSIS


def _plain(text: str) -> str:
    """Replaces formatting characters at the edge of a word."""

    def replaced(found: re.Match[str]) -> str:
        start, end = found.span()
        inside = start > 0 and end < len(text) and text[start - 1].isalnum() and text[end].isalnum()
        return found[0] if inside and found[0] != "`" else _LOOKALIKE[found[0]]

    return _FORMAT.sub(replaced, text)
