"""The style sheet of the dossier's page: desktop, phone, A4, light and dark, in the reader's fonts."""

from __future__ import annotations

from typing import Final

_LIGHT: Final = (
    "color-scheme:light;--paper:#fff;--ink:#16202b;--soft:#4a5866;--rim:#d3dae1;--head:#eef2f6;--link:#0b4fb3;"
    "--warn:#8a3b00;--warn-paper:#fff3e4;--code:#f3f5f8"
)
_DARK: Final = (
    "color-scheme:dark;--paper:#12171d;--ink:#e8edf2;--soft:#aab6c2;--rim:#37424d;--head:#1f2832;--link:#8fbcff;"
    "--warn:#ffbd85;--warn-paper:#3a2a17;--code:#1a212a"
)

_SCREEN: Final = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;
overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:.2rem 0}
h2{font-size:1.3rem;line-height:1.25;margin:2.2rem 0 .3rem;padding-top:.6rem;border-top:2px solid var(--rim)}
h3{font-size:1.02rem;margin:1.4rem 0 .4rem}
p{margin:.5rem 0;max-width:48rem}
a{color:var(--link)}
.facts{color:var(--soft);margin:.2rem 0}
.reader{color:var(--soft);font-size:.875rem;margin:0 0 .6rem}
.warning{border-left:4px solid var(--warn);background:var(--warn-paper);padding:.5rem .75rem}
.warning b{color:var(--warn)}
nav h2{font-size:1.02rem;border:0;margin:1.2rem 0 .3rem;padding:0}
nav ol{margin:.3rem 0;padding-left:1.4rem;columns:2 18rem}
.scroll{overflow-x:auto;margin:.3rem 0 .8rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.32rem .55rem;border-bottom:1px solid var(--rim)}
th,td{overflow-wrap:break-word}
th{background:var(--head);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
td:is(.n,.day){white-space:nowrap}
.source{color:var(--soft);font-size:.75rem;line-height:1.35;overflow-wrap:anywhere}
td:not(.source) .source{display:inline-block;min-width:9em}
.source code{background:none;padding:0}
.long{overflow-wrap:anywhere;min-width:11rem}
td.source{min-width:7rem;max-width:13rem}
.note{color:var(--soft);font-size:.85rem}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.85em}
code{background:var(--code);padding:.05em .25em;border-radius:3px}
pre{background:var(--code);padding:.7rem;overflow-x:auto;border:1px solid var(--rim);
border-radius:4px;overflow-wrap:normal}
figure{margin:.8rem 0;overflow-x:auto}
figure svg{display:block;width:100%;min-width:26rem;height:auto}
figure svg.tl{min-width:44rem}
figcaption{color:var(--soft);font-size:.85rem;margin-top:.3rem;position:sticky;left:0}
.steps{list-style:none;padding:0;margin:.4rem 0}
.steps li{display:grid;grid-template-columns:1.6rem 1fr;gap:.1rem .6rem;padding:.55rem 0;
border-bottom:1px solid var(--rim)}
.steps input{width:1.15rem;height:1.15rem;margin:.2rem 0}
.steps .where{color:var(--soft);font-size:.85rem}
.steps .value{font-weight:600}
.reboot{border:1.5px solid var(--warn);color:var(--warn);border-radius:3px;padding:0 .35rem;font-size:.8rem;
font-weight:600;white-space:nowrap}
.files{font-size:.9rem}
footer{margin-top:2.5rem;border-top:1px solid var(--rim);color:var(--soft);font-size:.8rem}
"""

_PHONE: Final = """
@media screen and (max-width:40rem){
body{padding:.75rem}
h1{font-size:1.4rem}
.stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stack,.stack tbody,.stack tr,.stack td{display:block;width:100%}
.stack tr{border:1px solid var(--rim);border-radius:4px;margin:0 0 .6rem;padding:.2rem 0}
.stack td{border:0;padding:.2rem .6rem;max-width:none}
.stack td[data-head]::before{content:attr(data-head);display:block;color:var(--soft);font-size:.75rem}
.stack td:empty{display:none}
.pairs td[data-head]::before{content:none}
.pairs td:first-child{font-weight:600}
.stack td.n{text-align:left;white-space:normal}
table:not(.stack) :is(th,td):first-child{position:sticky;left:0;max-width:9rem}
table:not(.stack) td:first-child{background:var(--paper)}
nav ol{columns:1}
}
"""

_PRINT: Final = """
@page{size:A4;margin:18mm 14mm 16mm}
@media print{
:root{%s}
html{font-size:10pt}
body{max-width:none;padding:0;background:none}
a{color:inherit;text-decoration:none}
h2{break-after:avoid}
h3,.reader{break-after:avoid}
.chapter{break-before:page}
.chapter h2{border-top:0;margin-top:0}
.chapter.first{break-before:auto}
table{font-size:8pt}
.broad{font-size:6.5pt}
.broad th,.broad td{padding:.15rem .2rem}
.long{min-width:32mm}
td.source{min-width:22mm}
th,td{padding:.25rem .35rem}
thead{display:table-header-group}
.steps li{padding:.3rem 0}
tr,.steps li,figure,.warning,.short{break-inside:avoid}
.scroll,figure,pre{overflow:visible}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:7.5pt}
figure svg,figure svg.tl{min-width:0;max-height:225mm}
th{background:#eef2f6;print-color-adjust:exact;-webkit-print-color-adjust:exact}
figure svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
footer{display:none}
}
"""


def sheet(header: str, footer: str) -> str:
    """The style sheet; `header` and `footer` stand on each printed page, beside its number."""
    margins = (
        f"@page{{@top-left{{content:{_quoted(header)};{_MARGIN}}}@bottom-left{{content:{_quoted(footer)};{_MARGIN}}}"
        f'@bottom-right{{content:counter(page) " / " counter(pages);{_MARGIN}}}}}'
    )
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    return f":root{{{_LIGHT}}}{dark}{_SCREEN}{_PHONE}{_PRINT % _LIGHT}{margins}"


_MARGIN: Final = "font:8pt system-ui,Arial,sans-serif;color:#4a5866"


def _quoted(text: str) -> str:
    """A CSS string that nothing can end early: all but letters and digits by number (CSS Syntax 4.3.7)."""
    shown = (one if one.isascii() and one.isalnum() else f"\\{ord(one):06x}" for one in text)
    return f'"{"".join(shown)}"'
