"""SIPp scenarios of an access SBC, written step by step by the test that needs one.

Every one answers OPTIONS with 200, so that supervision finds the gateway up; its steps say what becomes of
an INVITE.
"""

from __future__ import annotations

from pathlib import Path

SDP = """
v=0
o=gateway [pid] 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>"


def respond(
    status: str, *, tag: bool = True, body: str = "", cseq: str = "[last_CSeq:]", more: str = ""
) -> str:
    """Answer the last request; ``tag`` puts ours in To, which a request in the dialog has already."""
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_Record-Route:]",
        "[last_From:]",
        "[last_To:]" + (";tag=[pid]g[call_number]" if tag else ""),
        "[last_Call-ID:]",
        cseq,
        CONTACT,
        *([more] if more else []),
        *(["Content-Type: application/sdp"] if body else []),
        "Content-Length: [len]",
    ]
    return f"<send><![CDATA[\n{chr(10).join(lines)}\n{body}\n]]></send>"


def receive(method: str) -> str:
    return f'<recv request="{method}"/>'


UNAVAILABLE = (respond("503 Service Unavailable"), receive("ACK"))
BUSY = (respond("486 Busy Here"), receive("ACK"))
EARLY_THEN_BUSY = (respond("183 Session Progress", body=SDP), *BUSY)
SILENT = ()
# The CANCEL of an attempt that was given up has the INVITE's Via and number, so that the INVITE can still be
# answered from it.
_CANCELLED = (
    '<recv request="CANCEL"><action>'
    '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" check_it="true" assign_to="invite"/>'
    "</action></recv>",
    respond("200 OK"),
)
STALLED = (
    respond("100 Trying", tag=False),
    *_CANCELLED,
    respond("487 Request Terminated", cseq="CSeq: [$invite] INVITE"),
    receive("ACK"),
)
# Answers all the same: the call must be acknowledged and hung up.
TOO_LATE = (
    respond("100 Trying", tag=False),
    *_CANCELLED,
    respond("200 OK", cseq="CSeq: [$invite] INVITE", body=SDP),
    receive("ACK"),
    receive("BYE"),
    respond("200 OK", tag=False),
)
ANSWERS = (
    respond("180 Ringing"),
    respond("200 OK", body=SDP),
    receive("ACK"),
    receive("BYE"),
    respond("200 OK", tag=False),
)
_CHALLENGE = 'Digest realm="carrier.example", nonce="1f7a0c2b9d", algorithm=MD5'
# Challenges the INVITE, too, and takes the call only with the account's credentials. SIPp verifies those in
# Authorization alone, so it is 401.
CHALLENGES = (
    respond("401 Unauthorized", more=f"WWW-Authenticate: {_CHALLENGE}"),
    receive("ACK"),
    '<recv request="INVITE"><action>'
    '<verifyauth assign_to="known" username="[user]" password="[password]"/></action></recv>',
    '<nop hide="true" test="known" next="known"/>',
    respond("403 Forbidden"),
    receive("ACK"),
    '<nop next="over"/>',
    '<label id="known"/>',
    *ANSWERS,
)
# A registrar, too. [user] and [password] are the account; any other gets 403.
REGISTRAR = (
    respond("401 Unauthorized", more=f"WWW-Authenticate: {_CHALLENGE}"),
    '<recv request="REGISTER"><action>'
    '<verifyauth assign_to="good" username="[user]" password="[password]"/></action></recv>',
    '<nop hide="true" test="good" next="good"/>',
    respond("403 Forbidden"),
    '<nop next="over"/>',
    '<label id="good"/>',
    respond("200 OK", more="[last_Contact:];expires=300").replace(CONTACT + "\n", ""),
)


def gateway(file: Path, *steps: str, registrar: bool = False) -> Path:
    """Writes the scenario of an SBC that takes these steps after an INVITE."""
    parts = ['<recv request="OPTIONS" optional="true" next="options"/>']
    if registrar:
        parts.append('<recv request="REGISTER" optional="true" next="register"/>')
    parts += [receive("INVITE"), *steps, '<nop next="over"/>']
    if registrar:
        parts += ['<label id="register"/>', *REGISTRAR, '<nop next="over"/>']
    parts += ['<label id="options"/>', respond("200 OK"), '<label id="over"/>']
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
    body = "\n".join(parts)
    file.write_text(f'{head}<scenario name="{file.stem}">\n{body}\n</scenario>\n')
    return file
