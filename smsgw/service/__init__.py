"""What the service does, told without sockets, SQL, SMPP or YAML."""
