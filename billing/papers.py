"""A PDF/A-3b that carries its invoice as data (Factur-X, profile EN 16931).

typst sets the pages and attaches the XML; the Factur-X properties, which it cannot write, are added
to its metadata here. Nothing reads a clock, so the same texts give the same bytes.
"""

import io
import json
import re
from datetime import datetime
from functools import cache
from typing import Any

import typst
from django.conf import settings
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject, StreamObject

ROOT = settings.BASE_DIR / "templates" / "billing"
FONTS = settings.BASE_DIR / "static" / "fonts"
# Named by the Factur-X specification (1.0, chapter 6), as are the properties below.
XML_NAME = "factur-x.xml"
MISSING = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
SUBSTITUTE = "\N{WHITE SQUARE}"
# typst names a handful of characters at a time.
ROUNDS = 40
FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PROPERTIES = {
    "DocumentFileName": XML_NAME,
    "DocumentType": "INVOICE",
    "Version": "1.0",
    "ConformanceLevel": "EN 16931",
}


def pdf(data: dict[str, Any], xml: bytes, *, at: datetime) -> bytes:
    """Set the texts with the XML attached; the file is dated `at`, since the day of printing is
    nobody's business. A character that no font of ours has is printed as a square.
    """
    return _described(_set(data, xml, at=at))


def plain(data: dict[str, Any], *, at: datetime) -> bytes:
    """Set the texts as `pdf` does, as a PDF/A without data: nothing that books should read."""
    return _set(data, b"", at=at)


def _set(texts: dict[str, Any], xml: bytes, *, at: datetime) -> bytes:
    data = json.dumps(texts, ensure_ascii=False)
    for _ in range(ROUNDS):
        try:
            return typst.compile(
                ROOT / "invoice.typ",
                root=ROOT,
                font_paths=_fonts(),
                sys_inputs={"data": data, "xml": xml.decode(), "xml-name": XML_NAME},
                timestamp=int(at.timestamp()),
                pdf_standards=["a-3b"],
            )
        except typst.TypstError as error:
            without = _without(data, str(error.diagnostic))
            if without == data:
                raise
            data = without
    raise ValueError("The document has too many characters that cannot be printed.")


def _without(data: str, diagnostic: str) -> str:
    """Replace what PDF/A refuses: an archived file must show every character it has."""
    for found in MISSING.findall(diagnostic):
        for sign in ESCAPED.sub(lambda match: chr(int(match[1], 16)), found):
            data = data.replace(json.dumps(sign, ensure_ascii=False)[1:-1], SUBSTITUTE)
    return data


@cache
def _fonts() -> typst.Fonts:
    """Ours and those inside typst; the machine's own fonts would make each print another file."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FONTS])


def _described(plain: bytes) -> bytes:
    """Add the Factur-X properties and their schema, which PDF/A asks for, to the metadata."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(plain)))
    root = writer.root_object
    metadata = root["/Metadata"].get_object()
    assert isinstance(metadata, StreamObject), "typst writes metadata into every PDF/A."
    told = metadata.get_data().decode()
    for end, more in (
        ("</rdf:Bag></pdfaExtension:schemas>", _schema()),
        ("</rdf:RDF>", _properties()),
    ):
        assert told.count(end) == 1, f"typst's metadata changed: {end}"
        told = told.replace(end, more + end)
    stream = DecodedStreamObject()
    stream.set_data(told.encode())
    stream[NameObject("/Type")] = NameObject("/Metadata")
    stream[NameObject("/Subtype")] = NameObject("/XML")
    root[NameObject("/Metadata")] = writer._add_object(stream)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _schema() -> str:
    described = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{name}</pdfaProperty:description></rdf:li>"
        for name in PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{FX}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{described}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )


def _properties() -> str:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in PROPERTIES.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{FX}">{values}</rdf:Description>'
