"""The part of a machine that migration commands talk to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from pyqemu.io.descriptors import Descriptors
from pyqemu.migration.blockers import Blockers
from pyqemu.migration.capabilities import Capabilities
from pyqemu.migration.failure import Failure, failure_of
from pyqemu.migration.guest import Guest, Images, NoImages
from pyqemu.migration.halves import Destination, Options, Source
from pyqemu.migration.incoming import IncomingMigration
from pyqemu.migration.outgoing import OutgoingMigration, Target
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.progress import MigrationState
from pyqemu.migration.transports import Host
from pyqemu.migration.uri import DEFER, FdUri, Uri, parse_incoming, parse_outgoing
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus
from pyqemu.system import RunState, ShutdownCause, System
from pyqemu.util.errors import PyqemuError, UserError

BUSY = "There's a migration process in progress"


def _say(text: str) -> None:
    with suppress(OSError):  # nobody reads any more
        print(f"pyqemu: {text}", file=sys.stderr, flush=True)


class Migration:
    """Capabilities, parameters, and the migrations of a machine.

    :param make_source: what sends this machine, for one migration
    :param make_destination: what loads it
    :param images: its disks: a machine that leaves hands them over
    :param log: gets one line for each failure that no command reports
    """

    def __init__(
        self,
        system: System,
        *,
        make_source: Callable[[Options], Source],
        make_destination: Callable[[], Destination],
        images: Images | None = None,
        host: Host | None = None,
        descriptors: Descriptors | None = None,
        only_migratable: bool = False,
        log: Callable[[str], None] = _say,
    ) -> None:
        self.system = system
        self.images = images or NoImages()
        self.host = host or Host()
        self.descriptors = descriptors or Descriptors()
        self.capabilities = Capabilities()
        self.parameters = Parameters()
        self.blockers = Blockers(only_migratable=only_migratable, is_busy=lambda: self.is_busy)
        self.outgoing: OutgoingMigration | None = None
        self.incoming: IncomingMigration | None = None
        self._early_end: MigrationState | None = None  # of one that failed before it was one
        self._make_source = make_source
        self._make_destination = make_destination
        self._log = log
        self._deferred = False
        self._expects_incoming = False

    @property
    def is_busy(self) -> bool:
        """Whether a machine is being sent."""
        return self.outgoing is not None and not self.outgoing.over.is_set()

    def _tell(self, status: MigrationStatus) -> None:
        if event := self.system.trace.migrate_set_state:
            event(new_state=list(MigrationStatus).index(status))
        if MigrationCapability.EVENTS in self.capabilities:
            self.system.emit("MIGRATION", status=status)

    def tell_pass(self, number: int) -> None:
        """Another pass over memory begins: the source says so."""
        if MigrationCapability.EVENTS in self.capabilities:
            self.system.emit("MIGRATION_PASS", pass_=number)

    # -- settings

    def set_capabilities(self, changes: Iterable[tuple[MigrationCapability, bool]]) -> None:
        """Switch capabilities on and off.

        :raise QapiError: not now, or not this one.
        """
        if self.is_busy:
            raise QapiError(BUSY)
        self.capabilities.set(changes)

    # -- to elsewhere

    @property
    def state(self) -> MigrationState | None:
        """Of the latest outgoing migration; None if there was none."""
        if self._early_end is not None:
            return self._early_end
        return self.outgoing.state if self.outgoing is not None else None

    def migrate(self, uri: str, options: Options | None = None, *, resume: bool = False) -> OutgoingMigration:
        """Begin to send the machine. The lock is held; nothing is waited for.

        :raise QapiError: it cannot be begun. A bad URI is also recorded as a migration that failed.
        """
        self._check_may_leave(resume=resume)
        state = MigrationState(self._tell)
        state.enter(MigrationStatus.SETUP)
        try:
            parsed = parse_outgoing(uri)
            target = Target(parsed, self._take_descriptor(parsed))
        except (QapiError, UserError) as error:
            failure = failure_of(error)
            state.finish(MigrationStatus.FAILED, failure)
            self._early_end = state
            raise QapiError(failure.message, hint=failure.context) from None
        self._early_end = None
        self.outgoing = OutgoingMigration(
            target,
            self._make_source(options or Options()),
            Guest(self.system, self.images),
            self.host,
            self.parameters,
            self.capabilities,
            state=state,
            log=self._log,
        )
        self.outgoing.start()
        return self.outgoing

    def _check_may_leave(self, *, resume: bool) -> None:
        if resume:
            raise QapiError("Cannot resume if there is no paused migration")
        if self.is_busy:
            raise QapiError(BUSY)
        if self.system.state is RunState.INMIGRATE:
            raise QapiError("Guest is waiting for an incoming migration")
        if self.incoming is not None and not self.incoming.over.is_set():
            raise QapiError("Guest is still being received", hint="wait until the incoming migration has completed")
        if self.system.state is RunState.POSTMIGRATE:
            raise QapiError("Can't migrate the vm that was paused due to previous migration")
        self.blockers.check()

    def _take_descriptor(self, uri: Uri) -> int | None:
        if not isinstance(uri, FdUri):
            return None
        fd = self.descriptors.take_named(uri.name)
        try:
            os.fstat(fd)
        except OSError as error:
            raise UserError(f"File descriptor named '{uri.name}' is not open: {error.strerror}") from None
        return fd

    def cancel(self) -> None:
        """``migrate_cancel``: without effect if nothing is sent.

        :raise QapiError: the guest runs at the destination already.
        """
        if self.outgoing is None:
            return
        if self.outgoing.state.status is MigrationStatus.POSTCOPY_ACTIVE:
            raise QapiError(
                "Postcopy can't be cancelled", hint="the guest runs at the destination, and needs our memory"
            )
        self.outgoing.cancel()

    def start_postcopy(self) -> None:
        """``migrate-start-postcopy``.

        :raise QapiError: it was not prepared, or nothing is being sent.
        """
        if MigrationCapability.POSTCOPY_RAM not in self.capabilities:
            raise QapiError("Enable postcopy with migrate_set_capability before the start of migration")
        if self.outgoing is None or self.outgoing.over.is_set():
            raise QapiError("Postcopy must be started after migration has been started")
        self.outgoing.control.postcopy_requested.set()

    def continue_(self, state: MigrationStatus) -> None:
        """``migrate-continue``.

        :raise QapiError: nothing waits in that state.
        """
        if self.outgoing is None:
            raise QapiError("Migration not in expected state: none")
        self.outgoing.continue_(state)

    # -- from elsewhere

    def expect_incoming(self, uri: str) -> None:
        """``-incoming``: the machine waits for one. Before it is started.

        :raise UserError: nothing can come in there.
        """
        self.system.set_state(RunState.INMIGRATE)
        self._deferred = self._expects_incoming = True
        if uri == DEFER:
            return
        try:
            self.start_incoming(uri, fails_softly=False)
        except QapiError as error:
            raise UserError(f"-incoming {uri}: {error.desc}", error.hint) from None

    def start_incoming(self, uri: str, *, fails_softly: bool = True) -> None:
        """``migrate-incoming``: let a machine in. The lock is not needed; looking up a name may take its time.

        :param fails_softly: the program goes on if it fails, and another one may be let in
        :raise QapiError: nothing can come in there, or not now.
        """
        if not self._expects_incoming:
            raise QapiError("'-incoming' was not specified on the command line")
        if not self._deferred:
            raise QapiError("The incoming migration has already been started")
        try:
            incoming = self._open_incoming(uri, fails_softly=fails_softly)
        except PyqemuError as error:
            failure = failure_of(error)
            raise QapiError(failure.message, hint=failure.context) from None
        self._deferred = False
        self.incoming = incoming
        incoming.start()

    def _open_incoming(self, uri: str, *, fails_softly: bool) -> IncomingMigration:
        self._tell(MigrationStatus.SETUP)
        parsed = parse_incoming(uri)
        incoming = IncomingMigration(
            parsed,
            self._take_descriptor(parsed),
            self._make_destination(),
            self.host,
            self.parameters,
            log=self._log,
            tell=self._tell,
            failed=self._wait_for_another if fails_softly else self._give_up,
            lost=self._give_up,
        )
        incoming.open()
        return incoming

    def _give_up(self, failure: Failure) -> None:
        self.system.request_exit(1, ShutdownCause.HOST_ERROR)

    def _wait_for_another(self, failure: Failure) -> None:
        self._deferred = True

    # -- the end

    def close(self) -> None:
        """The program ends: end what is under way, and wait until it has. Without the lock."""
        for current in (self.outgoing, self.incoming):
            if current is not None:
                current.cancel()
                current.over.wait(5)
        self.descriptors.close_all()
