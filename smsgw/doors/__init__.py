"""The other doors: what partners, clerks and customers ask for over HTTP, done on the databases."""
