"""The sandbox: loopback stand-ins for the outside systems, filled with invented people.

`server.Sandbox` runs every stand-in that `plugin.py` finds. Each is a folder with the same files: `__init__` (plugin),
`service` (how the sandbox runs it), `app` (HTTP), `state` (what it holds), `errors`, `fault_kinds` and `faults`.
"""
