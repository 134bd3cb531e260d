"""What touches the outside: files, databases, sockets. Adapters are strangers to each other."""
