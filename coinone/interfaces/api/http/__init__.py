"""HTTP requests and answers: bodies, JSON, who may talk to us, proxies, static files."""
