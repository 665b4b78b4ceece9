"""When a header, a certificate or a change of term counts: who may vote, who leads, and by which seeds."""
