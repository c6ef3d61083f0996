"""Pictures of a dossier's page, to be looked at: phone, desktop and A4, light and dark. Needs Chromium.

.venv/bin/python tools/pictures.py DOSSIER... -o DIR
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.interop.chromium import Chromium  # noqa: E402 - the tests are no installed package

WIDTHS = {"phone": 360, "desktop": 1280}  # CSS pixels


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dossier", type=Path, nargs="+", help="a folder that trunkline plan wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the pictures go")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    with Chromium() as browser:
        for dossier in given.dossier:
            start = given.output / dossier.resolve().name
            for name, width in WIDTHS.items():
                for scheme in ("light", "dark"):
                    browser.open(
                        dossier / "index.html", width, scheme="dark" if scheme == "dark" else "light"
                    )
                    browser.picture(start.with_name(f"{start.name}-{name}-{scheme}.png"))
            browser.printed(start.with_name(f"{start.name}-a4.pdf"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
