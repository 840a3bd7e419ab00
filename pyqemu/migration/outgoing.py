"""One migration to elsewhere: a thread that connects, sends, and records how it ended.

Nothing here waits for the network with the big lock held, or in another thread than its own. Every wait ends when the
migration is cancelled.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from pyqemu.io.channel import Channel
from pyqemu.io.errors import ChannelError, CloseError, Interrupted, Stage, WriteError
from pyqemu.io.interrupt import Interrupt
from pyqemu.migration.capabilities import Capabilities
from pyqemu.migration.failure import Failure, failure_of
from pyqemu.migration.guest import Guest
from pyqemu.migration.halves import Control, Source, Statistics
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.progress import MigrationState
from pyqemu.migration.refusal import check_answer
from pyqemu.migration.stream import StreamWriter
from pyqemu.migration.transports import Host, connect, encrypt, find_credentials
from pyqemu.migration.uri import TcpUri, Uri
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus
from pyqemu.util.errors import PyqemuError

IN_FLIGHT = (Stage.WRITE, Stage.READ, Stage.CLOSE)
CONNECTING = ""
SETUP = "while the stream was being set up"
RAM = "while RAM was being sent"
DEVICES = "while the devices were being sent"
END = "after everything was sent"
POSTCOPY = (
    "while memory followed the guest, which stays paused here; if it does not run at the destination, cont lets it"
)


@dataclass(frozen=True)
class Target:
    """Where to. *fd* is the descriptor of ``fd:``, which belongs to the migration."""

    uri: Uri
    fd: int | None = None


class OutgoingMigration:
    """From :meth:`start` to a final state.

    :param log: gets the one line that tells of a failure
    :param state: in status ``setup``
    """

    def __init__(
        self,
        target: Target,
        source: Source,
        guest: Guest,
        host: Host,
        parameters: Parameters,
        capabilities: Capabilities,
        *,
        state: MigrationState,
        log: Callable[[str], None],
    ) -> None:
        self.target = target
        self.source = source
        self.guest = guest
        self.host = host
        self.parameters = parameters
        self.pauses_before_switchover = MigrationCapability.PAUSE_BEFORE_SWITCHOVER in capabilities
        self.state = state
        self.statistics = Statistics(expected_downtime=parameters.downtime_limit)
        self.control = Control(self.statistics, self._enter, guest.hand_over, self._send_last)
        self.over = threading.Event()
        self._log = log
        self._interrupt = Interrupt()
        self._phase = CONNECTING
        self._may_run_there = False
        self._may_continue = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._told = False

    # -- from other threads

    def start(self) -> None:
        """Begin, in a thread."""
        threading.Thread(target=self._run, name="migration", daemon=True).start()

    def cancel(self) -> None:
        """End it soon. Without effect when it is over."""
        if self.state.enter(MigrationStatus.CANCELLING):
            self._interrupt.set()

    def continue_(self, state: MigrationStatus) -> None:
        """``migrate-continue``.

        :raise QapiError: it does not wait in that state.
        """
        if self.state.status is not state or state is not MigrationStatus.PRE_SWITCHOVER:
            raise QapiError(f"Migration not in expected state: {self.state.status}")
        self._may_continue.set()

    def when_over(self, listener: Callable[[], None]) -> None:
        """Call *listener* when it is over, or now; in any thread."""
        with self._lock:
            if not self._told:
                self._listeners.append(listener)
                return
        listener()

    def _enter(self, status: MigrationStatus) -> None:
        if status is MigrationStatus.POSTCOPY_ACTIVE:
            self._phase = POSTCOPY
            self.state.resume()
        self.state.enter(status)

    # -- the thread

    def _run(self) -> None:
        failure: Failure | None = None
        try:
            self._migrate()
        except Interrupted:
            failure = Failure("Migration was interrupted")
        except Exception as error:
            failure = self._explain(error)
        self._end(failure)

    def _explain(self, error: Exception) -> Failure:
        if not isinstance(error, PyqemuError):
            traceback.print_exception(error)
        failure = failure_of(error)
        if self._phase and isinstance(error, ChannelError) and error.stage in IN_FLIGHT:
            failure = failure.during(self._phase)
        return failure

    def _end(self, failure: Failure | None) -> None:
        """Everything has been given back by now. Others see the final state, the guest's, and that there is room for
        another migration, all at once."""
        status = MigrationStatus.COMPLETED if failure is None else MigrationStatus.FAILED
        stuck: PyqemuError | None = None
        with self.guest.lock:
            self.state.finish(status, failure)
            if self.state.status is MigrationStatus.COMPLETED or self.control.departed.is_set():
                self.guest.leave()  # in post-copy it runs elsewhere, however that ends: never let it run twice
            else:
                stuck = self.guest.release()
                if stuck is not None:
                    self.state.add_consequence(failure_of(stuck))
            self.over.set()
        if self.state.failure is not None:
            self._log(str(self.state.failure))
        elif stuck is not None:
            self._log(f"the guest stays paused: {failure_of(stuck)}")
        with self._lock:
            self._told = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def _migrate(self) -> None:
        try:
            channel = self._connect()
            try:
                self._send(channel)
            finally:
                channel.close()
        finally:
            self._interrupt.close()

    def _connect(self) -> Channel:
        fd = self.target.fd
        try:
            self._interrupt.check()
            fd = None  # the channel closes it
            channel = connect(self.target.uri, self.target.fd, self.host, self._interrupt)
        finally:
            if fd is not None:
                os.close(fd)
        if not self.parameters.tls_creds:
            return channel
        try:
            creds = find_credentials(self.parameters.tls_creds, self.host, endpoint="client")
            uri = self.target.uri
            host_name = self.parameters.tls_hostname or (uri.host if isinstance(uri, TcpUri) else None)
            return encrypt(channel, creds, host_name)
        except BaseException:
            channel.close()
            raise

    def _send(self, channel: Channel) -> None:
        stream = StreamWriter(channel, lambda: self.parameters.max_bandwidth)
        self._may_run_there = channel.two_way
        try:
            self._phase = SETUP
            self.source.setup(stream, self.control)
            stream.flush()
            self.state.enter(MigrationStatus.ACTIVE)
            self._phase = RAM
            while not self.source.iterate(stream):
                stream.end_round()
                self._interrupt.check()
            self._switch_over(stream)
            self._phase = END
            channel.finish()
            self._interrupt.check()
            check_answer(channel)
        except (WriteError, CloseError) as error:
            check_answer(channel, error)
            raise
        finally:
            self.source.cleanup()

    def _switch_over(self, stream: StreamWriter) -> None:
        self.guest.halt()
        self.state.halt()
        if self.pauses_before_switchover:
            self.state.enter(MigrationStatus.PRE_SWITCHOVER)
            while not self._may_continue.is_set():
                self._interrupt.sleep(0.01)
            self.state.enter(MigrationStatus.DEVICE)
        self._phase = DEVICES
        stream.unlimited = True
        self.source.complete(stream)
        self._send_last()
        stream.flush()

    def _send_last(self) -> None:
        """From here on the guest may run elsewhere, and must not be let go here because somebody cancels. (Nobody runs
        what is in a file or a command before that has been closed.)"""
        if self._may_run_there and not self.state.send_last():
            raise Interrupted("Interrupted")
