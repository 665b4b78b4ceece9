"""When a header, a certificate or a branch counts: the federation's votes, header checks, fork choice."""
