"""What must survive a run: cursors, leases, journal, lookup cache, opt-out ledger and waiting records."""
