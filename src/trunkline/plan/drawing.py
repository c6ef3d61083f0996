"""The architecture drawing: the site and its carrier on one sheet, laid out by computation.

Top to bottom: the carrier's access SBCs and what stands on the internet; the network
between; the main site, with remote sites left (over BVPN) and right (over the internet) of it.
Networks reach down beside the remote sites, so that a tunnel is seen to run in its network.
Signalling runs in the left lane, media in the right one: over BVPN it passes the
IPBX by (BVPN-2), over the internet it goes through it (INET-4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from trunkline.finding import Language, said
from trunkline.guide.facts import Facts
from trunkline.plan.document import Figure
from trunkline.plan.drawing_sheet import Box, Point, Sheet, Words, height
from trunkline.plan.drawing_words import Speaker, architecture
from trunkline.site.gateway import Gateway
from trunkline.site.model import Site
from trunkline.site.premises import RemoteSite

FILE: Final = "drawing.svg"
WIDTH: Final = 960.0

_EDGE = 16.0  # paper around everything
_PAD = 14.0  # inside a region
_NAME = 28.0  # a region's name
_GAP = 18.0  # between boxes
_ROWS = 38.0  # between the rows of the main site
_REMOTE = 196.0  # the columns of remote sites
_LEG = 38.0  # a network beside them
_SIDE_GAP = 46.0  # between the IPBX and the boxes beside it, for lines
_TOP_SIDE = 218.0  # what stands on the internet
_ALONE_MAX = 4  # remote sites of a column that have a box each
_SBCS_MAX = 4  # access SBCs that have a box each


def drawing(site: Site, facts: Facts) -> Figure:
    """The drawing of a site, in both languages."""
    english, french = (_Layout(site, facts, language).svg() for language in ("en", "fr"))
    caption = said(
        "Architecture: {customer}, {kind}",
        "Architecture : {customer}, {kind}",
        customer=site.customer,
        kind=architecture(site),
    )
    return Figure(english, french, said(*_described(site, facts)), caption, FILE)


def _described(site: Site, facts: Facts) -> tuple[str, str]:
    english, french = (Speaker(site, facts, language).described() for language in ("en", "fr"))
    return english.replace("{", "{{").replace("}", "}}"), french.replace("{", "{{").replace("}", "}}")


class _Layout:
    """One drawing in one language; each method places one part, from top to bottom."""

    def __init__(self, site: Site, facts: Facts, language: Language) -> None:
        self.site, self.words, self.language = site, Speaker(site, facts, language), language
        self.sheet = Sheet()
        self.anchored = site.over_internet
        self.left = [] if self.anchored else [one for one in site.remote_sites if one.link.kind == "bvpn"]
        self.right = [one for one in site.remote_sites if one not in self.left]
        self.tunnels = any(one.link.vpn != "none" for one in self.right)
        self.cloud = site.cloud_connect.access
        self.rainbow = site.webrtc_gateway is not None
        # Everything on the internet that does not use the trunk's own access.
        self.apart = self.cloud == "separate" or (not self.anchored and (self.rainbow or bool(self.right)))
        self._columns()

    def _columns(self) -> None:
        """The x of regions, lanes and of the boxes beside the IPBX."""
        x0 = _EDGE + (_REMOTE + _LEG if self.left else 0.0)
        x1 = WIDTH - _EDGE - (_REMOTE + _LEG if self.right else 0.0)
        self.x0, self.x1 = x0, x1
        self.beside = self._beside()
        side = min(max(0.27 * (x1 - x0), 140.0), 220.0) if self.beside else 0.0
        room = x1 - x0 - 2 * _PAD - (side + _SIDE_GAP if self.beside else 0.0)
        core = min(room, 520.0)
        self.core = x0 + _PAD + (room - core) / 2 if not self.beside else x0 + _PAD + (room - core)
        self.core_right = self.core + core
        self.side, self.side_w = self.core_right + _SIDE_GAP, side
        self.media = self.core_right - (60.0 if self.anchored else 16.0)
        self.signalling = round(self.core + max(0.28 * core, 66.0))
        self.dns = (self.signalling + self.media) / 2

    def _beside(self) -> list[tuple[str, Words]]:
        """The boxes right of the IPBX, from above; each with what it is."""
        boxes: list[tuple[str, Words]] = []
        if self.apart:
            boxes.append(("access", self.words.access(self.tunnels and not self.anchored)))
        if self.anchored and self.tunnels:
            boxes.append(("tunnel", self.words.tunnel_end()))
        gateway = self.site.webrtc_gateway
        if gateway is not None and gateway.placement != "embedded":
            boxes.append(("webrtc", self.words.webrtc(gateway)))
        for machine in self.site.fax[:3]:
            kind = "analog" if machine.attached == "analog-port" else "fax"
            boxes.append((kind, self.words.fax(machine)))
        return boxes

    def svg(self) -> str:
        """Place everything and write it."""
        self.sheet.text(_EDGE, 34, [self.words.heading_cut(WIDTH - 2 * _EDGE)], "heading")
        below = self._carrier(50.0)
        self.media_bus, self.signalling_bus = below + 20, below + 44
        self._network(below + 62)
        self._main(self.band.bottom + 16)
        bottom = max(
            self.main.bottom,
            self._remotes(self.left, _EDGE, on_left=True),
            self._remotes(self.right, WIDTH - _EDGE - _REMOTE, on_left=False),
        )
        self._areas(bottom)
        self._trunk()
        self._phones()
        self._services()
        end = self.sheet.legend(_EDGE + 4, bottom + 34, WIDTH - 2 * _EDGE, self._legend())
        says = self.words.described()
        return self.sheet.svg(WIDTH, round(end + _EDGE), self.words.heading(), says, self.language)

    # --- the carrier and the internet ---------------------------------------------------

    def _carrier(self, y: float) -> float:
        """The access SBCs, and beside them what stands on the internet; returns where the row ends."""
        services = self._on_the_internet()
        x1 = WIDTH - _EDGE - (_TOP_SIDE + _GAP if services else 0.0)
        groups = _boxed(self.site.trunk.gateways)
        w = (x1 - _EDGE - 2 * _PAD - (len(groups) - 1) * _GAP) / len(groups)
        w = round(min(w, 280.0))
        shown = [self.words.sbc(group[0]) if len(group) == 1 else self.words.sbcs(group) for group in groups]
        high = max(height(words, w) for words in shown)
        stack = sum(height(words, _TOP_SIDE - 2 * _PAD) + 12 for _, words in services)
        bottom = y + _NAME + max(high, stack - 12) + _PAD
        self.sheet.area(Box(_EDGE, y, x1 - _EDGE, bottom - y), "area", self.words.carrier())
        used = len(groups) * w + (len(groups) - 1) * _GAP
        x = round(_EDGE + (x1 - _EDGE - used) / 2)
        self.sbcs: list[tuple[Box, bool]] = []
        for number, words in enumerate(shown):
            at = Box(x + number * (w + _GAP), bottom - _PAD - high, w, high)
            self.sbcs.append((self.sheet.box(at, words), self._backup(groups, number)))
        self.services: dict[str, Box] = {}
        if services:
            at_x = WIDTH - _EDGE - _TOP_SIDE
            name = self.words.say("On the internet", "Sur internet")
            self.sheet.area(Box(at_x, y, _TOP_SIDE, bottom - y), "area", name)
            top = y + _NAME
            for kind, words in services:
                high = height(words, _TOP_SIDE - 2 * _PAD)
                box = Box(at_x + _PAD, top, _TOP_SIDE - 2 * _PAD, high)
                self.services[kind] = self.sheet.box(box, words)
                top += high + 12
        return bottom

    def _backup(self, groups: Sequence[Sequence[Gateway]], number: int) -> bool:
        """Whether an access SBC comes second in its zone."""
        zones = [group[0].general.zone for group in groups]
        return zones[number] in zones[:number]

    def _on_the_internet(self) -> list[tuple[str, Words]]:
        boxes: list[tuple[str, Words]] = []
        if self.rainbow and self.site.webrtc_gateway is not None:
            users = self.site.webrtc_gateway.users
            line = self.words.say("{n} WebRTC users", "{n} utilisateurs WebRTC", n=users)
            boxes.append(("rainbow", Words(self.words.say("Rainbow clients", "Clients Rainbow"), (line,))))
        if self.cloud != "none":
            line = self.words.say("maintenance, Rainbow", "maintenance, Rainbow")
            boxes.append(("cloud", Words("ALE Cloud Connect", (line,))))
        return boxes

    # --- the network --------------------------------------------------------------------

    def _network(self, y: float) -> None:
        """The band of the network, DNS in it; over BVPN the internet beside it where it is used."""
        names = self.words.names()
        w = round(min(self.media - self.signalling - 34, 190.0))
        high = height(names, w)
        self.band = Box(_EDGE, y, WIDTH - 2 * _EDGE, max(72.0, high + 20))
        self.split = self.side - 14 if self.apart and not self.anchored else WIDTH - _EDGE
        if names.lines:
            at = Box(round(self.dns - w / 2), y + (self.band.h - high) / 2, w, high)
            self.dns_box: Box | None = self.sheet.box(at, names)
        else:
            self.dns_box = None
        private = self.words.say("BVPN, the carrier's private network", "BVPN, réseau privé de l'opérateur")
        name = "Internet" if self.anchored else private
        self.sheet.paragraph(_EDGE + 12, y + 24, name, self.signalling - _EDGE - 28)
        if self.split < WIDTH - _EDGE:
            self.sheet.paragraph(self.side + 84, y + 24, "Internet", WIDTH - _EDGE - self.side - 96)

    def _areas(self, bottom: float) -> None:
        """The networks' areas, once it is known how far down they reach."""
        down = bottom - self.band.bottom + 12
        kind = "internet" if self.anchored else "private"
        self.sheet.area(Box(_EDGE, self.band.y, self.split - _EDGE - (4 if self.split < WIDTH - _EDGE else 0),
                            self.band.h), kind)  # fmt: skip
        if self.split < WIDTH - _EDGE:
            self.sheet.area(
                Box(self.split + 4, self.band.y, WIDTH - _EDGE - self.split - 4, self.band.h), "internet"
            )
        if self.left:
            self.sheet.area(Box(_EDGE + _REMOTE + 5, self.band.bottom - 12, _LEG - 10, down), "private")
        if self.right:
            self.sheet.area(Box(self.x1 + 5, self.band.bottom - 12, _LEG - 10, down), "internet")

    # --- the main site ------------------------------------------------------------------

    def _main(self, y: float) -> None:
        """Router or firewall, IPBX, phones; beside them access, gateways, fax."""
        core_w = self.core_right - self.core
        edge, ipbx, phones = self.words.edge(), self.words.ipbx(), self.words.main_phones()
        left = self.signalling - 70
        edge_box = Box(left, y + _PAD, self.core_right - left, height(edge, self.core_right - left))
        ipbx_w = core_w if self.anchored else self.media - 24 - self.core
        ipbx_box = Box(self.core, edge_box.bottom + _ROWS, ipbx_w, height(ipbx, ipbx_w))
        phones_box = Box(
            left, ipbx_box.bottom + _ROWS, self.core_right - left, height(phones, self.core_right - left)
        )
        self.edge = self.sheet.box(edge_box, edge)
        self.ipbx = self.sheet.box(ipbx_box, ipbx, "strong")
        self.phones = self.sheet.box(phones_box, phones)
        self.side_boxes: list[tuple[str, Box]] = []
        top = y + _PAD
        for kind, words in self.beside:
            at = Box(self.side, top, self.side_w, height(words, self.side_w))
            self.side_boxes.append((kind, self.sheet.box(at, words)))
            top = at.bottom + _GAP
        bottom = max(self.phones.bottom, top - _GAP) + _NAME
        self.main = Box(self.x0, y, self.x1 - self.x0, bottom - y)
        name = self.words.say("Main site", "Site principal")
        self.sheet.area(self.main)
        shown = self.words.pair(name, self.site.customer)
        self.sheet.name(self.x0 + 12, bottom - 10, shown, self.main.w - 24)  # below: lines come in from above

    def _phones(self) -> None:
        """Lines between phones, IPBX and router; over BVPN media passes the IPBX by."""
        s, m = self.signalling, self.media
        self.sheet.line([(s, self.phones.y), (s, self.ipbx.bottom)], "signalling")
        self.sheet.line([(s, self.ipbx.y), (s, self.edge.bottom)], "signalling")
        if self.anchored:
            self.sheet.line([(m, self.phones.y), (m, self.ipbx.bottom)], "media")
            self.sheet.line([(m, self.ipbx.y), (m, self.edge.bottom)], "media")
        else:
            self.sheet.line([(m, self.phones.y), (m, self.edge.bottom)], "media")

    def _trunk(self) -> None:
        """Signalling and media from the router to each access SBC."""
        for box, backup in reversed(self.sbcs):  # the nominal ones are drawn over the others
            s = _near(round(box.x + 0.3 * box.w), self.signalling)
            m = _near(round(box.x + 0.7 * box.w), self.media)
            self.sheet.line(
                [
                    (self.media, self.edge.y),
                    (self.media, self.media_bus),
                    (m, self.media_bus),
                    (m, box.bottom),
                ],
                "media",
                backup,
            )
            bus = self.signalling_bus
            self.sheet.line(
                [(self.signalling, self.edge.y), (self.signalling, bus), (s, bus), (s, box.bottom)],
                "signalling",
                backup,
            )

    def _service_x(self) -> float:
        return WIDTH - _EDGE - _TOP_SIDE

    # --- remote sites -------------------------------------------------------------------

    def _remotes(self, sites: Sequence[RemoteSite], x: float, *, on_left: bool) -> float:
        """A column of remote sites and their lines to the main site; returns where it ends."""
        if not sites:
            return 0.0
        groups = _grouped(sites)
        top, y = self.main.y, self.main.y + _NAME
        for group in groups:
            words = self.words.remote(group[0]) if len(group) == 1 else self.words.many(group)
            at = Box(x + _PAD, y, _REMOTE - 2 * _PAD, height(words, _REMOTE - 2 * _PAD))
            self.sheet.box(at, words)
            self._link(group[0], at, on_left)
            y = at.bottom + _GAP
        name = self.words.say("Remote sites", "Sites distants")
        bottom = max(y - _GAP + _PAD, self.main.bottom)
        self.sheet.area(Box(x, top, _REMOTE, bottom - top), "area", name)
        return bottom

    def _link(self, remote: RemoteSite, at: Box, on_left: bool) -> None:
        """The way of a remote site's signalling and media, in a tunnel where there is one."""
        leg = (_EDGE + _REMOTE if on_left else self.x1) + _LEG / 2
        near = at.right if on_left else at.x
        yr = round(at.middle[1])
        end = self._tunnel_end(on_left)
        ye = round(end.y + end.h / 2)
        far = end.x if on_left else end.right
        route: list[Point] = [(near, yr), (leg, yr), (leg, ye), (far, ye)]
        if remote.link.vpn != "none":
            self.sheet.pipe(route)
        self.sheet.line([(px - 3, py - 3) for px, py in route], "signalling")
        if remote.media_path == "direct" and not self.anchored and on_left:
            box = self.sbcs[0][0]
            m, x = _near(round(box.x + 0.7 * box.w), self.media), leg + 12
            up: list[Point] = [(near, yr + 14), (x, yr + 14), (x, self.media_bus), (m, self.media_bus)]
            self.sheet.line([*up, (m, box.bottom)], "media")
        else:
            self.sheet.line([(px + 3, py + 3) for px, py in route], "media")

    def _tunnel_end(self, on_left: bool) -> Box:
        """What a tunnel of that side ends at."""
        if on_left:
            return self.edge
        wanted = "tunnel" if self.anchored else "access"
        return next((box for kind, box in self.side_boxes if kind == wanted), self.edge)

    # --- what stands beside -------------------------------------------------------------

    def _services(self) -> None:
        """DNS, Cloud Connect, Rainbow, tunnels' ends and fax."""
        if self.dns_box is not None:
            self.sheet.line([(self.dns, self.edge.y), (self.dns, self.dns_box.bottom)], "other")
            self.sheet.line([(self.dns, self.ipbx.y), (self.dns, self.edge.bottom)], "other")
        access = next((box for kind, box in self.side_boxes if kind == "access"), None)
        gateway = self.site.webrtc_gateway
        ends = any(kind == "analog" for kind, _ in self.side_boxes) or (
            gateway is not None and gateway.placement == "embedded"
        )
        if ends and not self.anchored:
            y = self.ipbx.bottom - 12  # the IPBX itself is the end of what its own ports say
            self.sheet.line([(self.ipbx.right, y), (self.media, y)], "media")
            self.sheet.dot(self.media, y)
        self._cloud(access)
        self._rainbow(access)
        inward = [(kind, box, how) for kind, box in self.side_boxes for how in self._inward(kind)]
        for number, (_, box, how) in enumerate(inward):
            self._to_ipbx(box, how, number, len(inward))

    def _inward(self, kind: str) -> tuple[str, ...]:
        """The kinds of line that a box beside the IPBX has to it."""
        if kind == "access":
            embedded = self.rainbow and not any(one == "webrtc" for one, _ in self.side_boxes)
            tunnels = ("signalling", "media") if self.tunnels and not self.anchored else ()
            return (
                *tunnels,
                *(("web",) if embedded else ()),
                *(("other",) if self.cloud == "separate" else ()),
            )
        both = ("signalling", "media")
        return {"tunnel": both, "webrtc": both, "analog": ("analog",), "fax": both}[kind]

    def _to_ipbx(self, box: Box, how: str, number: int, many: int) -> None:
        """A line from a box beside the IPBX to it; over BVPN media joins the media lane instead."""
        y = box.y + box.h / 2 + (number - (many - 1) / 2) * 7
        y = round(min(max(y, box.y + 6), box.bottom - 6))
        channel = self.core_right + 8 + number * min(7.0, (_SIDE_GAP - 16) / max(many - 1, 1))
        if how == "media" and not self.anchored:
            low, high = self.edge.bottom + 10, self.phones.y - 10
            joined = min(max(y, low), high)
            self.sheet.line([(box.x, y), (channel, y), (channel, joined), (self.media, joined)], "media")
            self.sheet.dot(self.media, joined)
            return
        port = round(self.ipbx.y + self.ipbx.h * (number + 1) / (many + 1))
        self.sheet.line([(box.x, y), (channel, y), (channel, port), (self.ipbx.right, port)], how)

    def _cloud(self, access: Box | None) -> None:
        """The way to Cloud Connect: by an access apart, or by the trunk's."""
        box = self.services.get("cloud")
        if box is None:
            return
        x = round(box.x + box.w * 0.85)
        if self.cloud == "separate" and access is not None:
            at, y, end = access.x + 52, self.band.y + self.band.h - 14, access.y
        else:
            at, y, end = self.core_right - 20, self.band.y + self.band.h - 14, self.edge.y
        self.sheet.line([(x, box.bottom), (x, y), (at, y), (at, end)], "other")

    def _rainbow(self, access: Box | None) -> None:
        """The way of the clients on the internet to the WebRTC gateway."""
        box = self.services.get("rainbow")
        if box is None:
            return
        lane = self._service_x() + 7
        y = self.band.y + 14
        end = access.y if access is not None else self.edge.y
        at = access.x + 26 if access is not None else self.core_right - 36
        self.sheet.line([(box.x, box.middle[1]), (lane, box.middle[1]), (lane, y), (at, y), (at, end)], "web")
        gateway = next((one for kind, one in self.side_boxes if kind == "webrtc"), None)
        if gateway is not None and access is not None:
            self.sheet.line([(at, access.bottom), (at, gateway.y)], "web")

    def _legend(self) -> list[tuple[str, str]]:
        say = self.words.say
        entries = [
            ("signalling", self.words.pair(say("signalling", "signalisation"), self.words.signalling())),
            ("media", self.words.pair(say("media", "média"), self.words.media())),
        ]
        if any(backup for _, backup in self.sbcs):
            entries.append(("signalling backup", say("to a backup SBC", "vers un SBC de secours")))
        if any(one.link.vpn != "none" for one in self.site.remote_sites):
            entries.append(("pipe", "tunnel"))
        if self.rainbow:
            entries.append(("web", "WebRTC"))
        if any(kind == "analog" for kind, _ in self.side_boxes):
            entries.append(("analog", say("analog line", "ligne analogique")))
        entries.append(("other", "DNS" if self.cloud == "none" else "DNS, Cloud Connect"))
        return entries


def _near(x: float, lane: float) -> float:
    """A port's x, on the lane where it would stand just beside it."""
    return lane if abs(x - lane) < 16 else x


def _boxed(gateways: Sequence[Gateway]) -> list[list[Gateway]]:
    """One box for each access SBC while they fit, else one for each zone."""
    if len(gateways) <= _SBCS_MAX:
        return [[gateway] for gateway in gateways]
    order = sorted(
        gateways, key=lambda one: ("metropole", "caribbean", "indian-ocean").index(one.general.zone)
    )
    return [list(group) for _, group in groupby(order, key=lambda one: one.general.zone)]


def _grouped(sites: Sequence[RemoteSite]) -> list[list[RemoteSite]]:
    """One box for each remote site while they fit, else one for each kind of link."""
    if len(sites) <= _ALONE_MAX:
        return [[one] for one in sites]
    kinds: dict[tuple[str, str], list[RemoteSite]] = {}
    for one in sites:
        kinds.setdefault((one.link.vpn, one.media_path), []).append(one)
    return list(kinds.values())
