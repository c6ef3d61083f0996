"""What broke a handshake, in both languages."""

from __future__ import annotations

from trunkline.aio import tls_words
from trunkline.finding import told


def test_every_sentence_has_its_french() -> None:
    sentences = (
        tls_words.broken_by(["no shared cipher"], "A, B", "1.2"),
        tls_words.broken_by(["no such reason"], "A", "1.2"),
        tls_words.broken_by([], "A", "1.2"),
        tls_words.refused("unknown_ca", "why"),
        tls_words.broken("unknown_ca", (), by_peer=True),
        tls_words.broken("", ["eof"], by_peer=False),
        tls_words.cut(after_handshake=True, ours=""),
        tls_words.cut(after_handshake=False, ours=""),
        tls_words.too_slow(5.0),
    )
    for sentence in sentences:
        assert told(sentence, "fr") != sentence
        assert "{" not in told(sentence, "fr")
    assert "A, B" in told(sentences[0], "fr")


def test_what_a_peer_calls_itself_is_never_taken_for_a_place_to_fill() -> None:
    assert "CN={x}" in tls_words.cut(after_handshake=True, ours="CN={x}").french
