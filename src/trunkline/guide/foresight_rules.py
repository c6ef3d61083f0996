"""The rules of certificate foresight as values: what they are called, what is at stake, who mends it how.

None of them looks at a site alone: `guide.foresight` judges, by certificates and a date.
"""

from __future__ import annotations

from typing import Final

from trunkline.finding import Level, Wording, said
from trunkline.guide.rule import Rule

INTERNET: Final = ("internet-a", "internet-b")
_FORUM: Final = "guide 5.2.3; knowledge/pki.toml"


def _rule(
    id: str,
    level: Level,
    title: Wording,
    why: Wording,
    mend: Wording,
    source: str,
    *needs: str,
    internet: bool = False,
    fact: str = "",
) -> Rule:
    architectures = INTERNET if internet else ()
    return Rule(id, title, level, source, mend, None, fact, ("certificates", *needs), architectures, why)


ABSENT = _rule(
    "PKI-2",
    Level.NOTE,
    said("The certificate files are there", "Les fichiers de certificats sont présents"),
    said(
        "What a certificate says can only be judged once it is there. A site can be planned before its"
        " certificate is bought.",
        "Ce que dit un certificat ne se juge qu'une fois le fichier présent. Un site peut se préparer"
        " avant l'achat de son certificat.",
    ),
    said(
        "put the files beside the site file once the CA has signed, and check again",
        "déposez les fichiers à côté du fichier de site une fois signés par l'AC, puis vérifiez à nouveau",
    ),
    "guide 5.2.3",
)

USABLE = _rule(
    "CERT-2b",
    Level.MUST,
    said("The certificate files can be used", "Les fichiers de certificats sont utilisables"),
    said(
        "The IPBX proves with its private key that the certificate is its own. With a key that does not"
        " belong to it, or a file that cannot be read, there is no TLS and no call. A second Generate CSR"
        " and Key before the install makes such an orphan.",
        "L'IPBX prouve avec sa clé privée que le certificat est le sien. Avec une clé qui n'est pas la"
        " bonne ou un fichier illisible, pas de TLS et pas d'appel. Un second Generate CSR and Key avant"
        " l'installation produit un tel orphelin.",
    ),
    said(
        "name PEM files: the certificate that the CA signed with its chain, and the key of that very request",
        "indiquez des fichiers PEM : le certificat signé par l'AC avec sa chaîne, et la clé de cette même"
        " demande",
    ),
    "guide 5.2.3",
)

NAMES = _rule(
    "CERT-1d",
    Level.MUST,
    said(
        "The certificate bears the IPBX's public FQDN, as CN and as SAN",
        "Le certificat porte le FQDN public de l'IPBX, en CN et en SAN",
    ),
    said(
        "The access SBC knows the IPBX by the name in its certificate. Another name, or an address, and"
        " every connection is refused before the first call.",
        "Le SBC d'accès reconnaît l'IPBX au nom inscrit dans son certificat. Avec un autre nom, ou une"
        " adresse, chaque connexion est refusée avant le premier appel.",
    ),
    said(
        "write the FQDN at eth0 > Router IP address/Domain name, reboot, generate the CSR anew and have"
        " that one signed",
        "inscrivez le FQDN dans eth0 > Router IP address/Domain name, redémarrez, générez à nouveau la CSR"
        " et faites signer celle-là",
    ),
    "guide 5.2.1, 5.2.3; RFC 5922 §7.1",
    "interfaces.eth0.domain_name",
)

STRENGTH = _rule(
    "CERT-1e",
    Level.MUST,
    said(
        "Key and signature are of the kind and size that the trunk takes",
        "La clé et la signature sont du type et de la taille acceptés par le trunk",
    ),
    said(
        "A short key or a SHA-1 signature can be forged and is refused by every present-day TLS. The"
        " carrier's suites for TLS 1.2 work with RSA keys only.",
        "Une clé courte ou une signature SHA-1 peut être falsifiée ; tout TLS actuel la refuse. Les suites"
        " TLS 1.2 de l'opérateur ne fonctionnent qu'avec des clés RSA.",
    ),
    said(
        "generate the CSR on the IPBX (RSA 2048 bits or more) and have it signed with SHA-256",
        "générez la CSR sur l'IPBX (RSA 2048 bits ou plus) et faites-la signer en SHA-256",
    ),
    "guide 2.4.6, 5.2.3",
)

SUBJECT = _rule(
    "CERT-1f",
    Level.NOTE,
    said(
        "The issued subject is the one that was asked for",
        "Le sujet délivré est celui qui a été demandé",
    ),
    said(
        "The CSR of the IPBX has fixed words for L, O and OU. Public CAs vouch for none of them, and issue"
        " no OU at all since September 2022: the certificate then names the FQDN alone. That is as it"
        " should be.",
        "La CSR de l'IPBX contient des mots fixes pour L, O et OU. Les AC publiques n'en garantissent"
        " aucun et ne délivrent plus d'OU depuis septembre 2022 : le certificat ne nomme alors que le"
        " FQDN. C'est normal.",
    ),
    said(
        "install it as it is; if Web Monitor refuses it, ask ALE for the load that takes it",
        "installez-le tel quel ; si Web Monitor le refuse, demandez à ALE la version qui l'accepte",
    ),
    "guide 5.2.3; CA/B Forum ballot SC-047v2",
    fact="certificates.subject_o",
)

CHAIN = _rule(
    "CERT-2c",
    Level.MUST,
    said(
        "The whole chain below the root stands in the certificate file",
        "Toute la chaîne sous la racine se trouve dans le fichier du certificat",
    ),
    said(
        "The access SBC holds roots, not every CA's intermediates. Without them it cannot tell who signed,"
        " and answers with the alert unknown_ca.",
        "Le SBC d'accès détient des racines, pas les intermédiaires de chaque AC. Sans eux, il ne sait pas"
        " qui a signé et répond par l'alerte unknown_ca.",
    ),
    said(
        "append the intermediates to the file, below the certificate; the CA delivers them with it",
        "ajoutez les intermédiaires au fichier, sous le certificat ; l'AC les livre avec lui",
    ),
    "guide 2.4.5, 5.2.3",
)

TRUST_CARRIER = _rule(
    "CERT-3b",
    Level.SHOULD,
    said(
        "The trust store holds the carrier's root and intermediate",
        "Le magasin de confiance contient la racine et l'intermédiaire de l'opérateur",
    ),
    said(
        "The IPBX believes the access SBC only if a root of its trust store signed for it. Without it no"
        " gateway comes up.",
        "L'IPBX ne croit le SBC d'accès que si une racine de son magasin de confiance s'en porte garante."
        " Sans elle, aucune passerelle ne monte.",
    ),
    said(
        "get them from the carrier's CA and import them at Web Monitor > Certificates > Root Certificates"
        " Trust Store; the IPBX reboots by itself",
        "récupérez-les auprès de l'AC de l'opérateur et importez-les dans Web Monitor > Certificates >"
        " Root Certificates Trust Store ; l'IPBX redémarre de lui-même",
    ),
    "guide 5.2.3",
    internet=True,
    fact="certificates.carrier_root",
)

TRUST_OWN = _rule(
    "CERT-3c",
    Level.SHOULD,
    said(
        "The trust store holds the root and intermediates of the own certificate",
        "Le magasin de confiance contient la racine et les intermédiaires du certificat propre",
    ),
    said(
        "The IPBX builds and shows its own chain from them, and they are what the carrier has to be sent.",
        "L'IPBX en construit et présente sa propre chaîne, et ce sont eux qu'il faut envoyer à l'opérateur.",
    ),
    said(
        "import them at Web Monitor > Certificates > Root Certificates Trust Store, name them under"
        " certificates.trust, and send the carrier the same files",
        "importez-les dans Web Monitor > Certificates > Root Certificates Trust Store, nommez-les sous"
        " certificates.trust et envoyez les mêmes fichiers à l'opérateur",
    ),
    "guide 2.4.5, 5.2.3",
    internet=True,
    fact="certificates.exchanged",
)

_EXPIRED_WHY = said(
    "On the day after, every access SBC refuses the connection: no call out, none in, emergency calls"
    " included. A renewal takes a new CSR, the CA's check of the domain, the install and a reboot that"
    " cuts all calls.",
    "Dès le lendemain, tous les SBC d'accès refusent la connexion : aucun appel sortant ni entrant,"
    " urgences comprises. Un renouvellement demande une nouvelle CSR, le contrôle du domaine par l'AC,"
    " l'installation et un redémarrage qui coupe tous les appels.",
)
_RENEW = said(
    "order the renewal, agree on an hour with the customer, install and reboot",
    "commandez le renouvellement, convenez d'une heure avec le client, installez et redémarrez",
)

EXPIRY_NOTE = _rule(
    "PKI-3a",
    Level.NOTE,
    said(
        "No certificate expires within the month",
        "Aucun certificat n'expire dans le mois",
    ),
    _EXPIRED_WHY,
    _RENEW,
    "RFC 5280 §4.1.2.5; knowledge/pki.toml",
)
EXPIRY_SOON = _rule(
    "PKI-3b",
    Level.SHOULD,
    said(
        "No certificate expires within two weeks",
        "Aucun certificat n'expire dans les deux semaines",
    ),
    _EXPIRED_WHY,
    _RENEW,
    "RFC 5280 §4.1.2.5; knowledge/pki.toml",
)
EXPIRY_NOW = _rule(
    "PKI-3c",
    Level.MUST,
    said(
        "Every certificate is valid, and for a week to come",
        "Chaque certificat est valable, et pour une semaine encore",
    ),
    _EXPIRED_WHY,
    _RENEW,
    "RFC 5280 §4.1.2.5; knowledge/pki.toml",
)
EXPIRY_TRUST = _rule(
    "PKI-3d",
    Level.NOTE,
    said(
        "Nothing in the trust store expires within the month",
        "Rien n'expire dans le mois dans le magasin de confiance",
    ),
    said(
        "A root or intermediate that has expired vouches for nobody. If it is the carrier's only one here,"
        " no gateway comes up from that day on.",
        "Une racine ou un intermédiaire expiré ne garantit plus personne. Si c'est le seul de l'opérateur"
        " ici, aucune passerelle ne monte à partir de ce jour.",
    ),
    said(
        "ask the carrier, or your CA, for its successor and import it beside the old one",
        "demandez son successeur à l'opérateur, ou à votre AC, et importez-le à côté de l'ancien",
    ),
    "RFC 5280 §4.1.2.5; knowledge/pki.toml",
)

LIFETIME = _rule(
    "PKI-4",
    Level.NOTE,
    said(
        "The next certificate may live as long as this one",
        "Le prochain certificat peut vivre aussi longtemps que celui-ci",
    ),
    said(
        "Public CAs have to issue for ever shorter times: 200 days since March 2026, 100 from March 2027,"
        " 47 from March 2029. Each renewal is a reboot of the IPBX: the customer must know how many a year.",
        "Les AC publiques doivent délivrer pour des durées toujours plus courtes : 200 jours depuis mars"
        " 2026, 100 à partir de mars 2027, 47 à partir de mars 2029. Chaque renouvellement est un"
        " redémarrage de l'IPBX : le client doit savoir combien par an.",
    ),
    said(
        "agree on the yearly maintenance hours with the customer now; `trunkline calendar` writes the dates",
        "convenez dès maintenant des heures de maintenance annuelles avec le client ; `trunkline calendar`"
        " écrit les dates",
    ),
    _FORUM,
)

_CLIENT_WHY = said(
    "When the IPBX calls out it is the TLS client, and its certificate is read as a client's. An access"
    " SBC that insists on the usage clientAuth refuses it. Public CAs leave that usage out since 2025, and"
    " from 2027 on it cannot be bought at all.",
    "Pour un appel sortant, l'IPBX est le client TLS et son certificat est lu comme tel. Un SBC d'accès"
    " qui exige l'usage clientAuth le refuse. Les AC publiques omettent cet usage depuis 2025 et, à partir"
    " de 2027, il ne s'achète plus du tout.",
)

CLIENT_NOW = _rule(
    "PKI-5a",
    Level.SHOULD,
    said(
        "The certificate may be used as TLS client",
        "Le certificat peut servir de client TLS",
    ),
    _CLIENT_WHY,
    said(
        "ask the carrier whether its access SBCs accept a certificate with serverAuth alone; while the CA"
        " still offers clientAuth, order the next one with it",
        "demandez à l'opérateur si ses SBC d'accès acceptent un certificat avec serverAuth seul ; tant que"
        " l'AC propose clientAuth, commandez le prochain avec",
    ),
    _FORUM,
    internet=True,
)
CLIENT_NEXT = _rule(
    "PKI-5b",
    Level.NOTE,
    said(
        "The next certificate can still be used as TLS client",
        "Le prochain certificat pourra encore servir de client TLS",
    ),
    _CLIENT_WHY,
    said(
        "before the renewal, have the carrier confirm in writing that serverAuth alone is accepted from you",
        "avant le renouvellement, faites confirmer par écrit par l'opérateur que serverAuth seul est accepté",
    ),
    _FORUM,
    internet=True,
)
CLIENT_PEER = _rule(
    "PKI-6",
    Level.SHOULD,
    said(
        "The gateway does not insist on a usage that public certificates lose",
        "La passerelle n'exige pas un usage que les certificats publics perdent",
    ),
    said(
        "When the carrier calls in, its access SBC is the TLS client. With peer_client_eku at require, the"
        " IPBX refuses it as soon as the carrier renews with a certificate for servers only: calls in stop"
        " from one day to the next.",
        "Pour un appel entrant, le SBC d'accès de l'opérateur est le client TLS. Avec peer_client_eku à"
        " require, l'IPBX le refuse dès que l'opérateur renouvelle avec un certificat pour serveurs seuls"
        " : les appels entrants s'arrêtent du jour au lendemain.",
    ),
    said(
        "SIP Gateways > Security: set peer_client_eku to accept-server-auth",
        "SIP Gateways > Security : réglez peer_client_eku sur accept-server-auth",
    ),
    _FORUM,
    internet=True,
)

_ROOT_WHY = said(
    "An access SBC takes its roots from where browsers take theirs, sooner or later. Once the root is gone"
    " there, the IPBX is refused though its certificate has not expired.",
    "Un SBC d'accès prend tôt ou tard ses racines là où les navigateurs prennent les leurs. Une fois la"
    " racine retirée, l'IPBX est refusé alors que son certificat n'a pas expiré.",
)

ROOT_NOW = _rule(
    "PKI-7a",
    Level.SHOULD,
    said(
        "The own certificate's root is one that is still trusted everywhere",
        "La racine du certificat propre est encore reconnue partout",
    ),
    _ROOT_WHY,
    said(
        "have it issued anew from a root that stays, send the carrier that root, install and reboot",
        "faites-le délivrer à nouveau sous une racine qui reste, envoyez cette racine à l'opérateur,"
        " installez et redémarrez",
    ),
    _FORUM,
    internet=True,
)
ROOT_NEXT = _rule(
    "PKI-7b",
    Level.NOTE,
    said(
        "The own certificate's root stays trusted",
        "La racine du certificat propre reste reconnue",
    ),
    _ROOT_WHY,
    said(
        "at the last renewal before that day, take a certificate from another root",
        "au dernier renouvellement avant ce jour, prenez un certificat sous une autre racine",
    ),
    _FORUM,
    internet=True,
)
ROOT_CARRIER = _rule(
    "PKI-8",
    Level.NOTE,
    said(
        "The carrier's root stays trusted, or its successor is in the trust store",
        "La racine de l'opérateur reste reconnue, ou son successeur est dans le magasin de confiance",
    ),
    said(
        "A carrier whose CA changes its root presents another chain one day. A trust store that holds only"
        " the old one then refuses both access SBCs at once, and no call passes.",
        "Un opérateur dont l'AC change de racine présente un jour une autre chaîne. Un magasin de"
        " confiance qui ne contient que l'ancienne refuse alors les deux SBC d'accès d'un coup, et aucun"
        " appel ne passe.",
    ),
    said(
        "ask the carrier which root and intermediate its access SBCs present today, and import these"
        " beside the old ones",
        "demandez à l'opérateur quelle racine et quel intermédiaire ses SBC d'accès présentent"
        " aujourd'hui, et importez-les à côté des anciens",
    ),
    _FORUM,
    internet=True,
    fact="certificates.carrier_root",
)

RULES: tuple[Rule, ...] = (
    *(ABSENT, USABLE, NAMES, STRENGTH, SUBJECT, CHAIN, TRUST_CARRIER, TRUST_OWN),
    *(EXPIRY_NOTE, EXPIRY_SOON, EXPIRY_NOW, EXPIRY_TRUST, LIFETIME),
    *(CLIENT_NOW, CLIENT_NEXT, CLIENT_PEER, ROOT_NOW, ROOT_NEXT, ROOT_CARRIER),
)
