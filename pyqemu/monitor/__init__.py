"""What a running machine is spoken to with: QMP for programs, HMP for people."""
