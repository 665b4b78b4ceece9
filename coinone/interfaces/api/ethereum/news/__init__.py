"""eth_subscribe: what subscribers are told of heads, logs and pending transactions."""
