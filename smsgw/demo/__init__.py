"""The daemon, three simulated carriers and their customers: a conversation to watch."""
