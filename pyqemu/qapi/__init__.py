"""The contract of the control plane: schema, generated types, conversion from and to JSON, registered handlers."""
