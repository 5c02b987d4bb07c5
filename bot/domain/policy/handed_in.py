"""Text that a person hands us: files and environment variables, read in one way.

Editors and file managers leave traces that nobody meant: a byte order mark, Windows line ends, a line break after a
token, and extra files. These are dropped. What would change the text (UTF-16, another code page) is
named and refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from bot.domain.errors import TextFileError

_BOM = "\ufeff"
_UNSEEN = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"  # what a copied text brings along and shows nowhere
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PEEK = 64  # bytes in which every second one is zero where UTF-16 has no mark
_LITTER = re.compile(
    r"\.DS_Store|\._.*|\.AppleDouble|\.Spotlight-V100|\.Trashes|\.fseventsd|__MACOSX|Icon\r|Thumbs\.db|ehthumbs\.db"
    r"|desktop\.ini|\$RECYCLE\.BIN|\.directory|\.nfs[0-9a-f]+|.*~|\.~lock\..*#|#.*#|\..*\.sw[a-p]"
    r"|\.localized|\.TemporaryItems|\.apdisk|\.VolumeIcon\.icns|\.DocumentRevisions-V100|\.com\.apple\.timemachine\..*"
    r"|System Volume Information|(?:.*[:.])?Zone\.Identifier|~\$.*|\.Trash(?:-\d+)?|\.fuse_hidden[0-9a-f]+|lost\+found"
    r"|@eaDir|@SynoEAStream|\.dropbox(?:\.attr|\.cache)?|\.stfolder|\.stignore|\.sync",
    re.IGNORECASE | re.DOTALL,
)


def file_text(content: bytes) -> str:
    """The text of a file, without byte order mark and with `\\n` as line end. Raises TextFileError."""
    if content.startswith(_WIDE) or _is_wide(content[:_PEEK]):
        raise TextFileError(1, "The file is UTF-16: save it as UTF-8.")
    try:
        return content.decode("utf-8").removeprefix(_BOM).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TextFileError(line, "A byte here is not UTF-8: save the file as UTF-8.") from None


def is_litter(path: str) -> bool:
    """Whether a relative path (with `/`) is, or is inside, something that a file manager or an editor left behind."""
    return any(_LITTER.fullmatch(part) for part in path.split("/"))


def trimmed(value: str) -> str:
    """A token, secret, key or address without white space and signs that show nothing at its ends."""
    while (shorter := value.strip().strip(_UNSEEN)) != value:
        value = shorter
    return value


def value_of(reference: str, environment: Mapping[str, str]) -> str:
    """The value of the environment variable for `env:NAME`, trimmed; empty if unset. Other texts are returned unchanged."""
    name = reference.removeprefix("env:")
    return reference if name == reference else trimmed(environment.get(name, ""))


def _is_wide(start: bytes) -> bool:
    """Whether every second byte of at least four is zero: Latin text as UTF-16 without a mark."""
    pairs = start[: len(start) // 2 * 2]
    return len(pairs) >= 4 and (not any(pairs[1::2]) or not any(pairs[::2]))
