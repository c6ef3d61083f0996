"""Kamailio as a stateful record-routing proxy between two neighbours."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.interop.program import Address, Program, until

CONFIG = """\
debug=0
log_stderror=yes
children={children}
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{ip}:{port}
{tcp}

loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
modparam("rr", "enable_full_lr", 1)

request_route {{
    if (!mf_process_maxfwd_header("70")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
            t_relay();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("481", "No Route In This Dialog");
        }}
        exit;
    }}
    t_check_trans();
    if (is_method("INVITE|SUBSCRIBE|REFER")) record_route();
    if ($si == "{left_ip}") {{
        $du = "sip:{right_ip}:{right_port}";
    }} else if ($si == "{right_ip}") {{
        $du = "sip:{left_ip}:{left_port}";
    }} else if (is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }} else {{
        sl_send_reply("403", "Not A Neighbour");
        exit;
    }}
    if (!t_relay()) sl_reply_error();
}}
"""

PING = (
    "OPTIONS sip:{ip}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {own};rport;branch=z9hG4bKready\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:ready@{own}>;tag=ready\r\n"
    "To: <sip:{ip}:{port}>\r\n"
    "Call-ID: ready@{own}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


def answers_options(address: Address) -> bool:
    """Whether whoever listens at ``address`` (UDP) answers an OPTIONS with anything that is SIP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect(address)
        own = "{}:{}".format(*probe.getsockname())
        try:
            probe.send(PING.format(ip=address[0], port=address[1], own=own).encode())
            return probe.recv(4096).startswith(b"SIP/2.0 ")
        except OSError:  # silence, or nobody there yet
            return False


class Kamailio(Program):
    """A proxy at ``address``: what comes from ``left`` goes to ``right`` and back, with itself in the route.

    The two are told apart by their addresses, which must differ.
    """

    def __init__(
        self,
        directory: Path,
        address: Address,
        left: Address,
        right: Address,
        *,
        children: int = 2,
        tcp: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (ip, port), (left_ip, left_port), (right_ip, right_port) = address, left, right
        config = CONFIG.format(
            children=children,
            ip=ip,
            port=port,
            tcp=f"listen=tcp:{ip}:{port}\ntcp_children=1" if tcp else "disable_tcp=yes",
            left_ip=left_ip,
            left_port=left_port,
            right_ip=right_ip,
            right_port=right_port,
        )
        (directory / "kamailio.cfg").write_text(config)
        self.address = address
        options: list[str | Path] = [
            "-DD",
            "-E",
            "-m",
            "64",
            "-M",
            "8",
            "-Y",
            directory,
            "-f",
            directory / "kamailio.cfg",
        ]
        super().__init__(["kamailio", *options], directory)
        try:
            until(lambda: answers_options(address), 15.0, "kamailio's answer to OPTIONS", self)
        except BaseException:
            self.stop()
            raise
