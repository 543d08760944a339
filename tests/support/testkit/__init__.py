"""What the tests share: typed stand-ins for time, accounts and commands, each defined once."""
