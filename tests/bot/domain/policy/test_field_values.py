"""Keys of policy files as words for people."""

import pytest

from bot.domain.policy.field_values import key_in_words


@pytest.mark.parametrize(
    ("key", "words"), [("id_document", "ID document"), ("manager_callback", "manager callback"), ("widget", "widget")]
)
def test_a_key_reads_as_people_write_it(key: str, words: str) -> None:
    assert key_in_words(key) == words
