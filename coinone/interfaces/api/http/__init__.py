"""HTTP requests and answers: bodies, JSON, allowed origins and hosts, proxies, static files."""
