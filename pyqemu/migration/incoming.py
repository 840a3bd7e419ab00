"""One migration from elsewhere: a thread that listens, lets a source in, and loads the machine.

A source whose handshake fails is turned away and the next one waited for. What fails after that ends the migration.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from pyqemu.io.channel import Channel
from pyqemu.io.errors import ChannelError, HandshakeError, Interrupted
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.listen import Listener
from pyqemu.io.tls import TlsChannel
from pyqemu.migration.authorization import check_authorized
from pyqemu.migration.failure import Failure, MigrationError, failure_of
from pyqemu.migration.halves import Destination
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.progress import MigrationState
from pyqemu.migration.refusal import refuse
from pyqemu.migration.stream import StreamReader
from pyqemu.migration.transports import Host, encrypt, find_credentials, listen, open_incoming
from pyqemu.migration.uri import TcpUri, UnixUri, Uri
from pyqemu.qapi.generated.types import MigrationStatus
from pyqemu.util.errors import PyqemuError
from pyqemu.util.text import bytes_shown

MAGIC = b"QEVM"
TLS_BEGINNING = b"\x16\x03"
FAILED = "load of migration failed"


class IncomingMigration:
    """From :meth:`open` and :meth:`start` to a final state.

    :param log: gets lines about sources that were turned away, and the one that tells of a failure
    :param failed: called once, in the thread, when the machine cannot be loaded
    :param lost: the same when its guest runs already and lacks memory
    """

    def __init__(
        self,
        uri: Uri,
        fd: int | None,
        destination: Destination,
        host: Host,
        parameters: Parameters,
        *,
        log: Callable[[str], None],
        tell: Callable[[MigrationStatus], None],
        failed: Callable[[Failure], None] = lambda failure: None,
        lost: Callable[[Failure], None] = lambda failure: None,
    ) -> None:
        self.uri = uri
        self.destination = destination
        self.host = host
        self.parameters = parameters
        self.state = MigrationState(tell)
        self.over = threading.Event()
        self.listener: Listener | None = None
        self._fd = fd
        self._channel: Channel | None = None
        self._log = log
        self._failed = failed
        self._lost = lost
        self._interrupt = Interrupt()

    # -- from other threads

    def open(self) -> None:
        """Listen, or open what is read from; may take as long as looking up a name.

        :raise ChannelError: that is not possible.
        """
        try:
            if isinstance(self.uri, TcpUri | UnixUri):
                self.listener = listen(self.uri, self.host, self._interrupt)
            else:
                self._channel = open_incoming(self.uri, self._fd, self.host, self._interrupt)
        except BaseException:
            self._interrupt.close()
            raise

    def start(self) -> None:
        """Wait for the machine, in a thread."""
        threading.Thread(target=self._run, name="migration", daemon=True).start()

    def cancel(self) -> None:
        """The program ends: wait no more."""
        if self.state.enter(MigrationStatus.CANCELLING):
            self._interrupt.set()

    def _enter(self, status: MigrationStatus) -> None:
        self.state.enter(status)

    # -- the thread

    def _run(self) -> None:
        failure: Failure | None = None
        try:
            self._load_from_somebody()
        except Interrupted:
            failure = Failure("Migration was interrupted")
        except Exception as error:
            if not isinstance(error, PyqemuError):
                traceback.print_exception(error)
            failure = failure_of(error)
        finally:
            self._interrupt.close()
        self.state.finish(MigrationStatus.COMPLETED if failure is None else MigrationStatus.FAILED, failure)
        if self.state.failure is not None:
            self._log(f"{FAILED}: {self.state.failure}")
            (self._lost if self.destination.is_running else self._failed)(self.state.failure)
        self.over.set()

    def _load_from_somebody(self) -> None:
        try:
            channel = self._let_in()
        finally:
            if self.listener is not None:
                self.listener.close()
        try:
            self._load(channel)
        finally:
            channel.close()

    def _let_in(self) -> Channel:
        """The channel of the first source that passes."""
        while True:
            channel = self._channel
            if channel is None:
                assert self.listener is not None
                channel = self.listener.accept(self._interrupt, self.host.timeouts)
            if not self.parameters.tls_creds:
                return channel
            try:
                creds = find_credentials(self.parameters.tls_creds, self.host, endpoint="server")
                encrypted = encrypt(channel, creds, None)
                self._authorize(encrypted)
                return encrypted
            except (HandshakeError, MigrationError) as error:
                channel.close()
                if self._channel is not None:
                    raise  # nobody else can come
                self._log(str(failure_of(error)))
            except BaseException:
                channel.close()
                raise

    def _authorize(self, channel: TlsChannel) -> None:
        """Turn a source away that the access list does not let in.

        :raise MigrationError: it does not; the source has been told.
        """
        if not self.parameters.tls_authz:
            return
        try:
            check_authorized(channel.peer_name, channel.peer, self.parameters.tls_authz, self.host)
        except MigrationError as error:
            refuse(channel, failure_of(error))
            raise

    def _load(self, channel: Channel) -> None:
        stream = StreamReader(channel)
        check_beginning(stream)
        self.state.enter(MigrationStatus.ACTIVE)
        try:
            self.destination.load(stream, self._enter)
            self.destination.complete()
        except Exception as error:
            refuse(channel, failure_of(error))
            raise
        finally:
            self.destination.cleanup()
        try:
            channel.end_output()
        except ChannelError:
            pass  # the source has gone; the machine is here


def check_beginning(stream: StreamReader) -> None:
    """See whether a migration comes, before anything is touched.

    :raise MigrationError: something else does, or nothing.
    """
    beginning = stream.peek(len(MAGIC))
    if beginning == MAGIC:
        return
    if not beginning:
        raise MigrationError("Unexpected end of file", f"{stream.peer} closed the connection without sending anything")
    if beginning.startswith(TLS_BEGINNING):
        raise MigrationError(
            "Not a migration stream", f"{stream.peer} speaks TLS, but tls-creds is not set on this side"
        )
    raise MigrationError("Not a migration stream", f"{stream.peer} began with {bytes_shown(beginning)}")
