"""`{% blocktranslate editable text with … %}`: a passage of a mail that staff may write anew."""

import re
from collections.abc import Mapping
from typing import Any

from django import template
from django.template.base import Node, Parser, Token, render_value_in_context
from django.template.context import Context
from django.templatetags.i18n import BlockTranslateNode, do_block_translate
from django.utils.html import escape
from django.utils.safestring import mark_safe

register = template.Library()

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class PassageNode(Node):
    """Shows what staff wrote for the passage, and the translated standard text where they did not.

    What they wrote is in the context, as `written` by the passage's code. It is no template: each
    `{name}` becomes a value that the standard text shows too, and everything else stays text.
    """

    def __init__(self, code: str, standard: BlockTranslateNode) -> None:
        self.code = code
        self.standard = standard
        self.message, self.names = standard.render_token_list(standard.singular)

    def render(self, context: Context) -> str:
        text = (context.get("written") or {}).get(self.code)
        if text is None:
            return str(self.standard.render(context))
        given = self.standard.extra_context
        with context.push(**{name: value.resolve(context) for name, value in given.items()}):
            values = {name: self._shown(name, context) for name in self.names}
        # Text and values are escaped, each for where it stands.
        shown = mark_safe(filled(_as_html(text) if context.autoescape else text, values))
        if not self.standard.asvar:
            return shown
        context[self.standard.asvar] = shown
        return ""

    def _shown(self, name: str, context: Context) -> str:
        return str(render_value_in_context(context.get(name, ""), context))


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Return the text with each placeholder replaced by its value, which is not looked at again."""
    return PLACEHOLDER.sub(lambda found: str(values[found[1]]), text)


def _as_html(text: str) -> str:
    """Return it safe for a paragraph; an empty line begins the next one."""
    paragraphs = escape(text).split("\n\n")
    return "</p>\n<p>".join(each.replace("\n", "<br>\n") for each in paragraphs)


@register.tag("blocktranslate")
def blocktranslate(parser: Parser, token: Token) -> Node:
    """Django's own tag, which may be marked as editable by a code, e.g. `text` or `text.charged`.

    It keeps its name, so that the texts are collected for translation like all others.
    """
    name, *given = token.split_contents()
    if given[:1] != ["editable"]:
        return do_block_translate(parser, token)
    token.contents = " ".join([name, *given[2:]])
    return PassageNode(given[1], do_block_translate(parser, token))
