"""The HTTP API for partners: registrations, bills, messages, notices, reports and look-ups."""
