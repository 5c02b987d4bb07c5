"""When two texts that people typed are the same name, the same target.

The rule: texts that look the same are the same. What is compared is the NFKC form, case-folded (Unicode Standard,
section 3.13, `toNFKC_Casefold`), without the characters that show nothing, with one space between words. Cards show some
signs as look-alikes or as U+FFFD (`handlers.views.kit.escaping`), so these are compared as the characters they look like. One function
serves wherever two names or targets are compared; ids are compared exactly.
"""

from __future__ import annotations

import re
import unicodedata

_CATEGORIES = ("Cc", "Cf", "Cs")  # controls, format characters, broken surrogates
_SILENT = re.compile(  # Default_Ignorable_Code_Point beyond category Cf, the blank Braille pattern, and U+FFFD
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\ufffd\U000e0000-\U000e0fff]"
)
_LOOKALIKES = str.maketrans({"\u2217": "*", "\u02cd": "_", "\u223c": "~", "\u02cb": "`", "\u2010": "-", "\u2212": "-"})
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")  # that have letters which look alike

_LOOK_LATIN = frozenset("асԁеһіјӏорԛѕԝхуАВСЕНІЈКМОРԚЅТԜХУαινορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")  # Cyrillic, Greek


def folded(text: str) -> str:
    """The form in which two texts are compared; never shown, never stored in place of what was typed."""
    words = " ".join(text.split())
    once = unicodedata.normalize("NFKC", _shown(words)).casefold()
    return " ".join(_shown(unicodedata.normalize("NFKC", once)).split())


def same(one: str, other: str) -> bool:
    """Whether two texts look the same to a person."""
    return folded(one) == folded(other)


def mixed_scripts(text: str) -> str | None:
    """The first word whose letters are of scripts with look-alikes (a Cyrillic `а` in a Latin word), and of which:
    `раypal (Cyrillic and Latin)`; None where there is none."""
    for word in text.split():
        found = sorted({script for sign in word if (script := _script(sign))})
        if len(found) > 1:
            return f"{word} ({' and '.join(script.capitalize() for script in found)})"
    return None


def confusing(text: str) -> str | None:
    """What makes a target look like another one, as the beginning of a sentence; None where nothing does. Beside mixed scripts:
    a word of another script whose letters all look Latin (`сосо`). Source: Unicode Technical Standard #39, section 4."""
    if mixed := mixed_scripts(text):
        return f"{mixed} mixes letters that look alike"
    for word in text.split():
        letters = [sign for sign in word if sign.isalpha()]
        if letters and all(sign in _LOOK_LATIN for sign in letters):
            return f"{word} ({(_script(letters[0]) or '').capitalize()}) has only letters that look Latin"
    return None


def _shown(text: str) -> str:
    kept = (sign for sign in _SILENT.sub("", text) if unicodedata.category(sign) not in _CATEGORIES)
    return "".join(kept).translate(_LOOKALIKES)


def _script(sign: str) -> str | None:
    if not sign.isalpha():
        return None
    words = unicodedata.name(sign, "").split()
    return next((script for script in _SCRIPTS if script in words), None)
