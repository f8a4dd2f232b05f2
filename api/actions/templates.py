"""Change and reset the texts of messages."""

from fastapi import Request

from alerting.delivery.texts import Language
from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.store import reset_template, set_template
from api.actions.actor import author_of
from api.actions.settle import settle
from api.context import Context
from store.pool import Connection


async def change_template(
    context: Context, request: Request, name: TemplateName, language: Language, text: str
) -> bool:
    """Store a template; False if it was the same. Raises a Problem (422) for one that cannot be used."""

    async def change(connection: Connection) -> bool:
        return await set_template(connection, name, language, text, by=author_of(request, None))

    return await settle(context, change, 422)


async def forget_template(context: Context, request: Request, name: str, language: Language) -> bool:
    """Remove a template, so that the text of Milepost is sent; False if there was none."""

    async def forget(connection: Connection) -> bool:
        return await reset_template(connection, name, language, by=author_of(request, None))

    return await settle(context, forget)
