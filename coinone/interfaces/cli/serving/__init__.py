"""`coinone up`, `node` and `ethereum`: settings, sockets, processes, until a signal comes."""
