"""A result as one page of paper: what verified evidence says, who named its block, and where the evidence is.

`facts.py` says what is on it, `pdf.py` and `html.py` how it looks. Nothing on it is of the moment or the machine that
made it, so that the same evidence and the same word for its block give the same bytes.
"""

from __future__ import annotations

from qballot.certificate.facts import CertificateFacts, collect_facts
from qballot.certificate.html import write_html
from qballot.certificate.pdf import write_pdf

__all__ = ["CertificateFacts", "collect_facts", "write_html", "write_pdf"]
