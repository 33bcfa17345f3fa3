"""A certificate as one HTML file that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Final

from qballot.certificate.code import make_code
from qballot.certificate.facts import CertificateFacts, ContestFacts

_STYLE: Final = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;max-width:46rem;padding:2rem 1rem}
h1{font-size:1.75rem;line-height:1.2;margin:.25rem 0}h2{font-size:1.15rem;margin:1.5rem 0 .25rem}
p{margin:.35rem 0}.kind,.by,.rule,.ballots{color:#555}.state{border:2px solid #111;padding:.6rem .9rem;margin:1rem 0}
.state strong{font-size:1.15rem}.warn{background:#fff3c4}.outcome{font-weight:600}
table{border-collapse:collapse;width:100%}td,th{padding:.2rem .6rem .2rem 0;text-align:start;vertical-align:top}
td.total{text-align:end;font-variant-numeric:tabular-nums;width:1%;white-space:nowrap}tr.ahead td{font-weight:600}
.facts{margin-top:1.5rem;border-top:1px solid #999;font-size:.85rem}.facts th{font-weight:600;white-space:nowrap}
.facts td,code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
figure{margin:1.5rem 0 0;display:flex;gap:1rem;align-items:center;flex-wrap:wrap}svg{width:11rem;height:11rem}
figcaption{flex:1 1 16rem;font-size:.85rem}@media print{body{padding:0}}
"""


def write_html(facts: CertificateFacts) -> bytes:
    """Write a certificate as UTF-8, the same for the same facts. Raises InputError as of `make_code`."""
    loud = " warn" if facts.is_unnamed else ""
    named = "".join(f"<p>{escape(line)}</p>" for line in facts.named_by)
    contests = "".join(map(_write_contest, facts.contests))
    rows = "".join(f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>" for label, value in facts.facts)
    page = f"""<!doctype html>
<html lang="{escape(facts.language)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(facts.title)}: certificate of result</title>
<style>{_STYLE}</style>
<p class="kind" lang="en">Certificate of result</p>
<h1 dir="auto">{escape(facts.title)}</h1>
<p class="by" dir="auto">{escape(facts.organizer)}</p>
<div class="state{loud}" lang="en">
<p><strong>{escape(facts.state)}</strong></p>
<p>{escape(facts.state_text)}</p>
<p>Level of verification: {escape(facts.level)}. Its block's hash:</p>
{named}
</div>
{contests}
<table class="facts" lang="en">{rows}</table>
<figure lang="en">{_draw_code(facts.code)}
<figcaption>Where the evidence is, and its digest. Verify it with a block hash from a source of your own:
<code>{escape(facts.verify_with)}</code></figcaption></figure>
</html>
"""
    return page.encode()


def _write_contest(contest: ContestFacts) -> str:
    rows = "".join(
        f'<tr{" class=ahead" if option.is_ahead else ""}><td dir="auto">{escape(option.title)}</td>'
        f'<td class="total">{escape(option.total)}</td></tr>'
        for option in contest.options
    )
    verdict = f'<p lang="en">{escape(contest.verdict)}</p>' if contest.verdict else ""
    return (
        f'<section><h2 dir="auto">{escape(contest.title)}</h2><p class="rule" lang="en">{escape(contest.rule)}</p>'
        f'<p class="outcome" lang="en">{escape(contest.outcome)}</p>{verdict}'
        f'<table>{rows}</table><p class="ballots" lang="en">{escape(contest.ballots)}</p></section>\n'
    )


def _draw_code(text: str) -> str:
    rows = make_code(text)
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return (
        f'<svg viewBox="0 0 {len(rows)} {len(rows)}" role="img" aria-label="{escape(text)}" '
        f'shape-rendering="crispEdges"><path d="{path}"/></svg>'
    )
