from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.sip.auth import ALGORITHMS, Digest, Result, Session, authorize, digest
from trunkline.sip.values import Challenge, Credentials


class Numbered:
    """Ids that count: t1, t2, ..."""

    def __init__(self) -> None:
        self._count = count(1)

    def token(self) -> str:
        return f"t{next(self._count)}"

    def number(self, below: int) -> int:
        return 0


REALM, USER, PASSWORD, URI = "pbx.example.com", "101", "s3cret", "sip:pbx.example.com"


def passwords(user: str) -> str | None:
    return {USER: PASSWORD, "Jos\u00e9": "p\u00e4ss"}.get(user)


def server(
    *,
    algorithms: tuple[str, ...] = ALGORITHMS,
    nonce_lifetime: float = 300.0,
    legacy: bool = False,
    nonces_max: int = 10_000,
) -> Digest:
    return Digest(
        REALM,
        Numbered(),
        algorithms=algorithms,
        nonce_lifetime=nonce_lifetime,
        legacy=legacy,
        nonces_max=nonces_max,
    )


def challenges(digest: Digest, now: float = 0.0, stale: bool = False) -> list[Challenge]:
    return [Challenge.parse(text) for text in digest.challenge(now, stale)]


def answered(digest: Digest, now: float = 0.0, password: str = PASSWORD) -> tuple[Session, Credentials]:
    session = Session(USER, password)
    credentials = session.answer(challenges(digest, now), "REGISTER", URI, Numbered())
    assert credentials is not None
    return session, credentials


def judged(digest: Digest, credentials: Credentials, now: float = 0.0, method: str = "REGISTER") -> Result:
    return digest.verify(method, Credentials.parse(str(credentials)), passwords, now).result


def altered(credentials: Credentials, **changes: str | None) -> Credentials:
    """The credentials with these parameters changed, or left out where None."""
    params = [(n, changes.get(n, v), q) for n, v, q in credentials.params]
    return Credentials(credentials.scheme, tuple((n, v, q) for n, v, q in params if v is not None))


# --- the sums ---------------------------------------------------------------------


@pytest.mark.rfc("7616#3.9.1")
@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_rfcs_own_example_gives_the_rfcs_own_response(algorithm: str, response: str) -> None:
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    realm = "http-auth@example.org"
    assert (
        digest(
            algorithm, "Mufasa", realm, "Circle of Life", "GET", "/dir/index.html", nonce, cnonce, "00000001"
        )
        == response
    )


@pytest.mark.rfc("2617#3.5")
def test_the_older_example_holds_too() -> None:
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    args = ("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html", nonce)
    assert digest(*args, "0a4f113b", "00000001") == "6629fae49393a05397450978507c4ef1"
    assert digest(*args) == "670fd8c2df070c60b045671b8b24ff02"  # RFC 2069: no qop


# --- the server -------------------------------------------------------------------


@pytest.mark.rfc("8760#2.3")
def test_each_algorithm_is_offered_in_a_challenge_of_its_own_the_strongest_first() -> None:
    strong, weak = challenges(server())
    assert [c.get("algorithm") for c in (strong, weak)] == ["SHA-256", "MD5"]
    assert (strong.scheme, strong.get("realm"), strong.get("qop")) == ("Digest", REALM, "auth")
    assert strong.get("nonce") == weak.get("nonce")
    assert strong.get("stale") is None
    assert challenges(server(), stale=True)[0].get("stale") == "true"
    assert len(challenges(server(algorithms=("MD5",)))) == 1
    assert 'algorithm=MD5, qop="auth"' in server(algorithms=("MD5",)).challenge(0.0)[0]


@pytest.mark.parametrize("algorithms", [(), ("MD5-sess",), ("MD5", "SHA-512-256")])
def test_an_algorithm_we_do_not_have_is_refused_at_the_start(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="digest algorithms"):
        server(algorithms=algorithms)


@pytest.mark.rfc("7616#3.4")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_right_password_is_ok(algorithm: str) -> None:
    verifier = server(algorithms=(algorithm,))
    _, credentials = answered(verifier)
    verdict = verifier.verify("REGISTER", credentials, passwords, 0.0)
    assert (verdict.ok, verdict.username, verdict.result) == (True, USER, Result.OK)


def test_names_and_passwords_beyond_ascii_are_hashed_as_utf_8() -> None:
    verifier = server()
    credentials = Session("Jos\u00e9", "p\u00e4ss").answer(challenges(verifier), "REGISTER", URI, Numbered())
    assert credentials is not None
    assert judged(verifier, credentials) is Result.OK


def test_a_wrong_password_a_strange_user_and_another_method_are_told_apart() -> None:
    verifier = server()
    assert judged(verifier, answered(verifier, password="guess")[1]) is Result.BAD
    assert judged(verifier, answered(verifier)[1], method="INVITE") is Result.BAD
    stranger = Session("199", PASSWORD).answer(challenges(verifier), "REGISTER", URI, Numbered())
    assert stranger is not None
    verdict = verifier.verify("REGISTER", stranger, passwords, 0.0)
    assert (verdict.ok, verdict.username, verdict.result) == (False, "199", Result.UNKNOWN_USER)


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": "other.example.com"},
        {"username": ""},
        {"username": None},
        {"algorithm": "MD5-sess"},
        {"algorithm": "SHA-512-256"},
        {"algorithm": None},  # then it would be MD5, which is not what was hashed
        {"qop": "auth-int"},
        {"qop": None},
        {"cnonce": None},
        {"nc": None},
        {"nc": "00000000"},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"response": None},
        {"response": "\u00e9"},
        {"uri": None},
        {"uri": "sip:elsewhere.example.com"},
        {"nonce": None},
        {"nonce": "forged"},
    ],
)
def test_credentials_that_do_not_hold_together_are_bad(changes: dict[str, str | None]) -> None:
    verifier = server()
    assert judged(verifier, altered(answered(verifier)[1], **changes)) is Result.BAD


def test_another_scheme_is_bad() -> None:
    verifier = server()
    assert judged(verifier, Credentials.parse("Basic MTAxOnMzY3JldA==")) is Result.BAD


@pytest.mark.rfc("7616#3.3")
def test_a_nonce_that_is_too_old_or_not_ours_is_stale_where_the_password_is_right() -> None:
    verifier = server(nonce_lifetime=60.0)
    _, credentials = answered(verifier, now=100.0)
    assert judged(verifier, credentials, now=160.0) is Result.OK
    _, credentials = answered(verifier, now=100.0)
    assert judged(verifier, credentials, now=160.1) is Result.STALE
    for nonce in ("made-up", "1.t9.0123", "x" * 400, "\udcff"):
        foreign = Challenge("Digest", (("realm", REALM, True), ("nonce", nonce, True), ("qop", "auth", True)))
        assert judged(verifier, authorize(foreign, "REGISTER", URI, USER, PASSWORD, "c", 1)) is Result.STALE


@pytest.mark.rfc("7616#3.4")
def test_each_use_of_a_nonce_needs_a_count_of_its_own() -> None:
    verifier = server()
    session, first = answered(verifier)
    ids = Numbered()
    later = [session.next("REGISTER", URI, ids) for _ in range(200)]
    order = [later[1], later[0], later[2], later[150]]  # UDP reorders
    assert judged(verifier, first) is Result.OK
    assert [judged(verifier, c) for c in order if c is not None] == [Result.OK] * 4
    assert [judged(verifier, c) for c in order if c is not None] == [Result.STALE] * 4  # replayed
    assert judged(verifier, first) is Result.STALE
    behind, just_behind = later[86], later[87]
    assert behind is not None
    assert just_behind is not None
    assert judged(verifier, behind) is Result.STALE  # too far behind to be told from a replay
    assert judged(verifier, just_behind) is Result.OK


def test_a_wrong_answer_uses_up_no_count() -> None:
    verifier = server()
    _, credentials = answered(verifier)
    assert judged(verifier, altered(credentials, response="0" * 32)) is Result.BAD
    assert judged(verifier, credentials) is Result.OK


@pytest.mark.rfc("2069#2.1.2")
def test_a_client_without_qop_is_taken_only_by_knob_and_each_nonce_once() -> None:
    def old(digest: Digest) -> Credentials:
        challenge = challenges(digest)[-1]
        plain = Challenge("Digest", tuple(p for p in challenge.params if p[0] != "qop"))
        return authorize(plain, "REGISTER", URI, USER, PASSWORD, "", 1)

    assert judged(server(), old(server())) is Result.BAD
    verifier = server(legacy=True)
    credentials = old(verifier)
    assert credentials.get("nc") is None
    assert judged(verifier, credentials) is Result.OK
    assert judged(verifier, credentials) is Result.STALE
    modern = answered(verifier)[1]
    assert judged(verifier, modern) is Result.OK
    mixed = altered(modern, qop=None, nc=None, cnonce=None)
    assert judged(verifier, mixed) is Result.BAD


def test_challenges_cost_no_memory_and_the_counts_kept_are_bounded() -> None:
    verifier = server(nonces_max=10)
    for n in range(100):
        verifier.challenge(float(n))
    used = [answered(verifier, now=float(n))[1] for n in range(30)]
    unused = answered(verifier, now=5.0)[1]
    assert [judged(verifier, c, now=30.0) for c in used] == [Result.OK] * 30
    assert verifier.kept == 10
    assert judged(verifier, used[0], now=30.0) is Result.STALE  # forgotten, and so no way to replay it
    assert judged(verifier, unused, now=30.0) is Result.STALE  # as old as what was forgotten
    assert judged(verifier, answered(verifier, now=30.0)[1], now=30.0) is Result.OK


def test_nonces_that_are_too_old_make_room_first() -> None:
    verifier = server(nonces_max=10, nonce_lifetime=60.0)
    for n in range(10):
        assert judged(verifier, answered(verifier, now=float(n))[1], now=float(n)) is Result.OK
    waiting = answered(verifier, now=65.0)[1]
    assert judged(verifier, answered(verifier, now=66.0)[1], now=66.0) is Result.OK
    assert verifier.kept == 5
    assert judged(verifier, waiting, now=66.0) is Result.OK


@pytest.mark.rfc("3261#22.3")
def test_of_several_credentials_those_for_the_realm_count() -> None:
    verifier = server()
    ours = answered(verifier)[1]
    basic, other = Credentials.parse("Basic MTAx"), altered(ours, realm="else.example.com")
    assert verifier.pick([basic, other, ours]) is ours
    assert verifier.pick([basic, other]) is None


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=12))
def test_any_credentials_get_a_verdict(username: str, nonce: str, response: str, nc: str) -> None:
    values = {"username": username, "realm": REALM, "nonce": nonce, "uri": "", "response": response}
    params = [(name, value, True) for name, value in values.items()]
    for more in ((), (("qop", "auth", False), ("cnonce", "c", True), ("nc", nc, False))):
        verdict = server(legacy=True).verify(
            "INVITE", Credentials("Digest", (*params, *more)), passwords, 0.0
        )
        assert not verdict.ok
        assert verdict.username == username


# --- the client -------------------------------------------------------------------


@pytest.mark.rfc("8760#2.4")
@pytest.mark.parametrize(
    ("accept", "chosen"), [(("MD5", "SHA-256"), "SHA-256"), (("MD5",), "MD5"), (("SHA-512-256",), None)]
)
def test_the_first_challenge_that_can_be_met_is_answered(accept: tuple[str, ...], chosen: str | None) -> None:
    foreign = Challenge.parse('Digest realm="r", nonce="n", algorithm=SHA-512-256-sess, qop="auth"')
    session = Session(USER, PASSWORD, accept)
    credentials = session.answer([foreign, *challenges(server())], "REGISTER", URI, Numbered())
    assert (credentials.get("algorithm") if credentials else None) == chosen


@pytest.mark.rfc("3261#22.4")
def test_the_answer_says_what_was_asked_and_gives_opaque_back() -> None:
    asked = Challenge.parse('Digest realm="r", nonce="n", opaque="o", qop="auth-int, auth"')
    credentials = Session(USER, PASSWORD).answer([asked], "INVITE", "sip:a@example.com", Numbered())
    assert credentials is not None
    response = digest("MD5", USER, "r", PASSWORD, "INVITE", "sip:a@example.com", "n", "t1", "00000001")
    assert str(credentials) == (
        f'Digest username="101", realm="r", nonce="n", uri="sip:a@example.com", response="{response}", '
        'algorithm=MD5, opaque="o", cnonce="t1", qop=auth, nc=00000001'
    )


@pytest.mark.parametrize(
    "text",
    [
        "Basic realm=r",
        'Digest nonce="n"',
        'Digest realm="r"',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
    ],
)
def test_a_challenge_that_cannot_be_met_is_not_answered(text: str) -> None:
    session = Session(USER, PASSWORD)
    assert session.answer([Challenge.parse(text)], "INVITE", URI, Numbered()) is None
    assert session.next("INVITE", URI, Numbered()) is None


def test_a_server_without_qop_is_answered_as_it_asks() -> None:
    asked = Challenge.parse('Digest realm="r", nonce="n"')
    credentials = Session(USER, PASSWORD).answer([asked], "INVITE", URI, Numbered())
    assert credentials is not None
    assert credentials.get("response") == digest("MD5", USER, "r", PASSWORD, "INVITE", URI, "n")
    assert (credentials.get("qop"), credentials.get("nc"), credentials.get("cnonce")) == (None, None, None)


@pytest.mark.rfc("3261#22.1")
def test_a_rejected_password_is_not_tried_again() -> None:
    verifier = server()
    session, refused = answered(verifier, password="guess")
    assert session.answer(challenges(verifier), "REGISTER", URI, Numbered(), refused) is None
    assert session.next("REGISTER", URI, Numbered()) is None
    assert session.answer(challenges(verifier), "REGISTER", URI, Numbered()) is not None  # a new attempt


@pytest.mark.rfc("7616#3.3")
def test_a_stale_nonce_is_replaced_and_the_count_begins_anew() -> None:
    verifier = server(nonce_lifetime=60.0)
    session, _ = answered(verifier, now=0.0)
    refused = session.next("REGISTER", URI, Numbered())
    assert refused is not None
    assert refused.get("nc") == "00000002"
    assert judged(verifier, refused, now=61.0) is Result.STALE
    again = session.answer(challenges(verifier, 61.0, stale=True), "REGISTER", URI, Numbered(), refused)
    assert again is not None
    assert again.get("nc") == "00000001"
    assert judged(verifier, again, now=61.0) is Result.OK


def test_a_server_that_forgot_a_nonce_that_worked_is_answered_once_more() -> None:
    session, _ = answered(server())
    refused = session.next("REGISTER", URI, Numbered())
    again = session.answer(challenges(server()), "REGISTER", URI, Numbered(), refused)
    assert again is not None
    assert session.answer(challenges(server()), "REGISTER", URI, Numbered(), again) is None


def test_a_server_that_calls_every_nonce_stale_is_left_after_three_answers() -> None:
    session, answers = Session(USER, PASSWORD), 0
    credentials: Credentials | None = None
    while (
        credentials := session.answer(challenges(server(), 0, True), "INVITE", URI, Numbered(), credentials)
    ) is not None:
        answers += 1
    assert answers == 3


def test_a_session_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(Session(USER, PASSWORD))


@pytest.mark.parametrize("make", [Challenge.parse, Credentials.parse])
def test_header_values_survive_being_read(make: Callable[[str], object]) -> None:
    text = server().challenge(0.0)[0]
    assert str(make(text)) == text
