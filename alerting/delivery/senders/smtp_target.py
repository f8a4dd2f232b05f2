"""One mail to an SMTP server, by smtplib in a thread."""

import asyncio
import contextlib
import smtplib
import ssl
from typing import Final

from alerting.delivery.in_thread import run_in_thread
from alerting.delivery.senders.gateways import SmtpGateway
from alerting.delivery.senders.mail import mail_of, outcome_of_mail, outcome_of_recipient, outcome_of_server
from alerting.delivery.sending import PageEnvelope, SendOutcome, SendVerdict

SMTP_AT_ONCE: Final = 8
"""Connections to the server at one time, which is less than servers commonly allow."""


class SmtpSender:
    """Sends mails through one server. `timeout`: seconds for one mail."""

    def __init__(self, gateway: SmtpGateway, timeout: float) -> None:
        self._gateway = gateway
        self._timeout = timeout
        self._free = asyncio.Semaphore(SMTP_AT_ONCE)

    async def send_mail(self, to: str, envelope: PageEnvelope) -> SendOutcome:
        """Make one attempt, within the time limit."""
        attempt = _Attempt(self._gateway, self._timeout)
        try:
            async with asyncio.timeout(self._timeout), self._free:
                await run_in_thread(lambda: attempt.run(to, envelope), "deliver mail")
        except TimeoutError:
            # The thread ends at once, because its socket is closed.
            attempt.abort()
            verdict = SendVerdict.UNKNOWN if attempt.sent else SendVerdict.FAILED
            return SendOutcome(verdict=verdict, why=f"no answer within {self._timeout:g} s")
        return attempt.outcome


class _Attempt:
    """One conversation with the server, in a thread of its own."""

    def __init__(self, gateway: SmtpGateway, timeout: float) -> None:
        self._gateway = gateway
        self._timeout = timeout
        self._server: smtplib.SMTP | None = None
        #: Whether the server may have the whole mail.
        self.sent = False
        self.outcome = SendOutcome(verdict=SendVerdict.FAILED, why="the attempt was cut off")

    def abort(self) -> None:
        """Close the connection from another thread."""
        with contextlib.suppress(OSError, AttributeError):
            if self._server is not None and self._server.sock is not None:
                self._server.sock.shutdown(2)

    def run(self, to: str, envelope: PageEnvelope) -> None:
        """Send the mail and keep the outcome. It raises nothing."""
        try:
            self.outcome = self._converse(to, envelope)
        except smtplib.SMTPResponseException as exc:
            self.outcome = outcome_of_server(exc.smtp_code, exc.smtp_error)
        except ssl.SSLError:
            self.outcome = SendOutcome(verdict=SendVerdict.FAILED, why="the certificate or the encryption is refused")
        except smtplib.SMTPNotSupportedError:
            self.outcome = SendOutcome(
                verdict=SendVerdict.FAILED, why="the server offers no STARTTLS before the password"
            )
        except (OSError, smtplib.SMTPException, ValueError) as exc:
            verdict = SendVerdict.UNKNOWN if self.sent else SendVerdict.FAILED
            # The text of the error may contain the address.
            self.outcome = SendOutcome(verdict=verdict, why=f"the connection failed ({type(exc).__name__})")
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if self._server is not None:
                    self._server.close()

    def _converse(self, to: str, envelope: PageEnvelope) -> SendOutcome:
        server = self._server = self._connected()
        self._prepare(server)
        code, reply = server.mail(self._gateway.sender)
        if code != 250:
            return outcome_of_server(code, reply)
        code, reply = server.rcpt(to)
        if code not in (250, 251):
            return outcome_of_recipient(code, reply)
        self.sent = True
        code, reply = server.data(mail_of(envelope, self._gateway.sender, to))
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        return outcome_of_mail(code, reply)

    def _connected(self) -> smtplib.SMTP:
        gateway = self._gateway
        if gateway.tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(gateway.host, gateway.port, timeout=self._timeout, context=context)
        return smtplib.SMTP(gateway.host, gateway.port, timeout=self._timeout)

    def _prepare(self, server: smtplib.SMTP) -> None:
        """Encrypt and sign in, as far as the setting and the server want it."""
        gateway = self._gateway
        server.ehlo_or_helo_if_needed()
        if not gateway.tls and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()
        elif not gateway.tls and gateway.login is not None and not gateway.is_local:
            raise smtplib.SMTPNotSupportedError
        if gateway.login is not None:
            server.login(*gateway.login)
