"""Data of events: checked against the schema before it is sent."""

from __future__ import annotations

from collections.abc import Mapping

from pyqemu.qapi.errors import QapiError, SchemaMismatch
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.qapi.names import attribute
from pyqemu.qapi.visit import VISITOR, Json, Visitor, fields
from pyqemu.util.errors import InternalError


class Events:
    """The events of one schema."""

    def __init__(self, table: Mapping[str, tuple[str, str]], visitor: Visitor) -> None:
        self._table = table
        self._visitor = visitor

    def to_json(self, event: str, data: Mapping[str, object]) -> dict[str, Json] | None:
        """What stands in ``data`` of the event; None if it has none.

        ``data`` has the members as Python spells them (``node_name``); those that are None are left out. A
        boxed event may be given whole, as ``arguments``.

        :raise SchemaMismatch: the event is not in the schema, or the data is not what the schema says.
        """
        row = self._table.get(event)
        if row is None:
            raise SchemaMismatch(f"event {event} is not in the schema")
        members, flags = row
        if not members:
            if data:
                raise SchemaMismatch(f"event {event} has no data, but got {', '.join(data)}")
            return None
        try:
            return self._boxed(members, data) if flags == "boxed" else self._plain(members, data)
        except (QapiError, InternalError) as error:
            raise SchemaMismatch(f"data of event {event} does not fit the schema: {error}") from error

    def _plain(self, members: str, data: Mapping[str, object]) -> dict[str, Json]:
        names = {attribute(field.name): field.name for field in fields(members)}
        json = {names.get(key, key): self._visitor.to_json(value) for key, value in data.items() if value is not None}
        self._visitor.members_from_json(members, json)
        return json

    def _boxed(self, type_: str, data: Mapping[str, object]) -> dict[str, Json]:
        json = self._visitor.to_json(data["arguments"]) if data.keys() == {"arguments"} else self._visitor.to_json(data)
        self._visitor.from_json(type_, json)
        assert isinstance(json, dict)
        return json


EVENTS_OF_SCHEMA = Events(EVENTS, VISITOR)

event_data = EVENTS_OF_SCHEMA.to_json
