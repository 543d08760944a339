"""Numbers, rules and plans. Imports no HTTP client and no CRM, and reads no environment."""
