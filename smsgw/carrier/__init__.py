"""The links to the carriers: the only room that knows both SMPP and the service."""
