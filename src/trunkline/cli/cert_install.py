"""Install what the CA issued where the running IPBX takes it (CERT-2).

Takes any pile of files, puts the chain in order, and refuses what a peer would refuse: another key, a
missing intermediate, another name, dates. The key of the pending request becomes the key in use; what was
there before is kept beside it. An OXO Connect installs the same files by Web Monitor, and reboots."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from trunkline.aio.files import replace_bytes
from trunkline.aio.sockets import NoFolder, control_path
from trunkline.cli import asking
from trunkline.cli.cert_check import lines
from trunkline.cli.cert_files import EXIT_CERTIFICATE, Ground, Places, at, contents, options, secret, whose
from trunkline.cli.cert_pile import judged, notes, piled
from trunkline.cli.sitefile import EXIT_GOOD
from trunkline.finding import said, told
from trunkline.pki.assembly import Assembly
from trunkline.pki.certificate import pem_of


def arguments(parser: ArgumentParser) -> None:
    """What this part takes."""
    parser.add_argument("site", metavar="SITE.yaml", help="the site file")
    parser.add_argument("files", nargs="+", metavar="FILE", help="what the CA sent, in any form and order")
    sealed = "its first line opens P12 files and encrypted keys"
    parser.add_argument("--password-file", metavar="FILE", help=sealed)
    whose(parser)
    parser.add_argument("--reload", action="store_true", help="have the running IPBX take it at once")
    options(parser)


def main(given: Namespace) -> int:
    """Run this part; returns the exit code."""
    ground = Ground.of(given.site)
    when = at(given)
    made = judged(piled(given.files, secret(given)), ground, when, "", given.which)
    remarks = tuple(notes(made, ground, given.which, when))
    if made.every_fault or made.key is None:
        print("\n".join(lines(made, remarks, given.lang)))
        if made.key is None and not made.faults:
            none = said(
                "its key is neither pending nor among the files: nothing was installed",
                "sa clé n'est ni en attente ni parmi les fichiers : rien n'a été installé",
            )
            print(told(none, given.lang))
        return EXIT_CERTIFICATE
    written = put(made, ground.places(given.which))
    reloaded = _reloaded(given.site) if given.reload else ""
    if given.json:
        print(json.dumps({"installed": written, "reload": reloaded}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(made, remarks, given.lang)))
        print("\n".join(written))
        print(told(reloaded or _NEXT, given.lang))
    return EXIT_GOOD


_NEXT = said(
    "a running IPBX takes it by SIGHUP or --reload; on OXO Connect: Web Monitor > Install, then the reboot",
    "un IPBX en marche le prend par SIGHUP ou --reload ; sur OXO Connect : Web Monitor, puis redémarrage",
)


def put(made: Assembly, places: Places) -> list[str]:
    """Write chain and key in their places, both or none; what was there is kept as .old. Raises OSError."""
    assert made.key is not None
    chain, key = pem_of(made.chain), made.key.pem()
    wanted = [(places.key, key, 0o600), (places.certificate, chain, 0o644)]
    if places.key == places.certificate:
        wanted = [(places.certificate, key + chain, 0o600)]
    before = [(contents(place, absent=True), place, mode) for place, _, mode in wanted]
    written: list[Path] = []
    try:
        for (was, place, mode), (_, data, _) in zip(before, wanted, strict=True):
            if was == data:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if was:
                replace_bytes(place.with_name(place.name + ".old"), was, mode)
            replace_bytes(place, data, mode)
            written.append(place)
    except OSError:
        for was, place, mode in before:  # a key without its certificate would be worth nothing
            if place in written:
                replace_bytes(place, was, mode) if was else place.unlink()
        raise
    for done in (places.pending_key, places.request):
        done.unlink(missing_ok=True)
    return [str(place) for place in written]


def _reloaded(site: str) -> str:
    """Ask the running IPBX of the site to read its files again; what it said."""
    try:
        answer = asking.asked(Path(control_path(site)), {"ask": "reload"})
    except (OSError, TimeoutError, NoFolder):
        return said("no IPBX of this site runs here", "aucun IPBX de ce site ne tourne ici")
    if answer.get("reloaded"):
        return said("the running IPBX has taken it", "l'IPBX en marche l'a pris")
    why = "; ".join(map(str, answer.get("errors", [])))
    return said("the running IPBX refused: {why}", "l'IPBX en marche a refusé : {why}", why=why)
