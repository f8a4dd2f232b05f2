"""Contacts: a filtered list and one; never with an address."""

from api.http.paging import AfterContact, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.schemas import ChannelDocument, ContactDocument
from registry.contacts.model import Contact
from registry.contacts.store import contact_of
from registry.contacts.store import load_contact as load_stored
from store.pool import Connection


async def list_contacts(
    connection: Connection, page: Page, *, area: list[str] | None = None, retired: bool = False
) -> FoundPage[ContactDocument]:
    """Contacts by id. `area`: codes of which the whole subtrees are meant; `retired`: also those that are retired.
    Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterContact, AfterContact("")).id
    rows = await connection.fetch(QUERIES.list_contacts, after, area, retired, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterContact(row["id"]))
    return FoundPage(
        rows=shown, next=following, document=lambda row: contact_document(contact_of(row)), things=len(shown)
    )


async def load_contact(connection: Connection, name: str) -> ContactDocument:
    """One contact. Raises a Problem (404)."""
    return require_contact(name, await load_stored(connection, name))


def require_contact(name: str, contact: Contact | None) -> ContactDocument:
    """The document of a contact that was looked up by its id. Raises a Problem (404) when there is none."""
    if contact is None:
        raise not_found("contact", name)
    return contact_document(contact)


def contact_document(contact: Contact) -> ContactDocument:
    """A contact as the API and the pages show it."""
    names = set(ContactDocument.model_fields) - {"channels"}
    channels = [ChannelDocument(kind=each.kind.value, fingerprint=each.fingerprint) for each in contact.channels]
    return ContactDocument(channels=channels, **{name: getattr(contact, name) for name in names})
