"""What only Windows has, read through its own programming interfaces, never through its texts.

registry (winreg), wmi (COM), services (advapi32), accounts (netapi32, samlib, advapi32),
security_center (wscapi), protection (who may open the agent's folder). Every module can be imported
anywhere; on another system its functions raise `HostError` with `not_supported`.
What of this was run where: docs/tac-tu-windows.md.
"""
