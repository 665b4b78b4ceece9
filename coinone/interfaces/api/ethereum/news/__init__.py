"""eth_subscribe: notify subscribers of heads, logs and pending transactions."""
