"""Who calls, in a first site file: numbering, users, Rainbow, remote sites."""

from __future__ import annotations

from trunkline.guide.facts import Facts
from trunkline.guide.starter.lines import Lines, bare, scalar, spaced
from trunkline.guide.starter.questions import Answers, over_internet


def numbering(lines: Lines, answers: Answers, facts: Facts) -> None:
    country, number = answers["country"], bare(answers["installation_number"])
    lines.title("Numbering", "Numbering")
    lines.put("numbering:")
    lines.put(f"  country: {country}")
    lines.put(f"  installation_number: {spaced(number)}")
    lines.put(
        f"  outside_prefix: {scalar(answers['outside_prefix'])}",
        "dialled before a public number",
        "composé avant un numéro public",
    )
    lines.put("  national_prefix: 0")
    lines.put("  international_prefix: 00")
    lines.put(
        f"  national_length: {max(len(number) - 1 - len(country), 3)}",
        "digits after the national prefix",
        "chiffres après le préfixe national",
    )
    lines.put("  international_allowed: true")
    lines.note(
        "Beginnings that stay barred: satellite and premium numbers, where toll fraud goes.",
        "Débuts interdits : satellites et numéros surtaxés, là où va la fraude.",
        indent=2,
    )
    lines.put("  international_barred: [+870, +881, +882, +883, +979]")
    lines.note(
        "Matched before anything else, with or without the outside prefix, and sent unchanged.",
        "Reconnus avant tout le reste, avec ou sans préfixe, et envoyés tels quels.",
        indent=2,
    )
    lines.put("  emergency: [15, 17, 18, 112, 114, 115, 119, 116000, 191, 196, 197]")
    lines.put("  short: [10XX, 118XXX, 3XXX, 116XXX]", "X is any digit", "X est un chiffre quelconque")


def placed(answers: Answers) -> list[tuple[str, str, str]]:
    """Each phone: its extension, its DDI ("" once the range is used up), its remote site ("": the main one).

    DDIs follow the installation number; the last phones stand at the remote sites, one each.
    """
    first, count = int(answers["first_extension"]), int(answers["phones"])
    width = len(answers["first_extension"].strip())
    main, sites = bare(answers["installation_number"]), _sites(answers)
    last = bare(answers["ranges"].split(",")[0].split("-")[-1])
    found = []
    for index in range(count):
        follows = f"+{int(main[1:]) + 1 + index}"
        ddi = follows if len(follows) == len(last) and follows <= last else ""
        place = index - (count - len(sites))
        found.append(
            (f"{first + index:0{width}}", ddi, sites[place] if place >= 0 and count > len(sites) else "")
        )
    return found


def users(lines: Lines, answers: Answers, facts: Facts) -> None:
    lines.title("Users / Base stations", "Users / Base stations")
    lines.note(
        "A password is best kept elsewhere: ${{file:PATH}} reads a file, relative to this one's "
        "folder; ${{env:NAME}} reads the environment.",
        "Un mot de passe se garde ailleurs : ${{file:CHEMIN}} lit un fichier, depuis le dossier "
        "de celui-ci ; ${{env:NOM}} lit l'environnement.",
    )
    lines.put("users:")
    for extension, ddi, site in placed(answers):
        lines.put(f"  - extension: {extension}")
        if ddi:
            lines.put(f"    ddi: {spaced(ddi)}")
        lines.put(f"    password: ${{file:secrets/{extension}}}")
        if site:
            lines.put(f"    site: {scalar(site)}")


def rainbow(lines: Lines, answers: Answers, facts: Facts) -> None:
    if answers["architecture"] != "bvpn-rainbow":
        return
    lines.title("Rainbow", "Rainbow")
    lines.put("webrtc_gateway:")
    lines.put(f"  placement: {answers.get('webrtc', 'embedded')}")
    if "webrtc_address" in answers:
        lines.put(f"  address: {answers['webrtc_address']}")
    lines.put("  users: 10", "clients that may call through it", "clients qui peuvent appeler par elle")
    lines.blank()
    lines.put("cloud_connect:")
    lines.put(
        "  access: separate",
        "an internet access apart from the trunk's",
        "un accès internet distinct de celui du trunk",
    )


def remote_sites(lines: Lines, answers: Answers, facts: Facts) -> None:
    sites = _sites(answers)
    if not sites:
        return
    lines.title("Remote sites", "Sites distants")
    lines.note(
        "Networks, rates, routers and keys are examples: write yours.",
        "Réseaux, débits, routeurs et clés sont des exemples : écrivez les vôtres.",
    )
    lines.put("remote_sites:")
    shown = {site: ddi for _, ddi, site in placed(answers) if site and ddi}
    for index, site in enumerate(sites):
        lines.put(f"  - label: {scalar(site)}")
        lines.put(
            "    channels: 2",
            "calls of this site with the public network",
            "appels de ce site avec le réseau public",
        )
        lines.put(
            f"    number: {spaced(shown.get(site, bare(answers['installation_number'])))}",
            "what an emergency call from there shows",
            "ce que montre un appel d'urgence de là-bas",
        )
        lines.put(f"    network: 192.168.{20 + index}.0/24")
        lines.put("    link:")
        lines.put(f"      kind: {'internet' if over_internet(answers) else 'bvpn'}")
        lines.put(
            "      kbps: 1000",
            "for voice, in the narrower direction",
            "pour la voix, dans le sens le plus étroit",
        )
        lines.put("      vpn: wireguard")
        lines.put(f"      router: 203.0.113.{20 + index}", "the tunnel's far end", "l'autre bout du tunnel")
        lines.put(
            f"      vpn_key: secrets/site{index + 1}.pub", "the site's public key", "la clé publique du site"
        )
    lines.blank()
    lines.put("vpn:", "the main site's end of the tunnels", "le bout des tunnels au site principal")
    lines.put("  address: vpn.customer.example")
    lines.put("  port: 51820")
    lines.put("  network: 10.255.0.0/24")
    lines.put("  key: secrets/vpn.key")


def _sites(answers: Answers) -> list[str]:
    return [site.strip() for site in answers["remote_sites"].split(",") if site.strip()]
