"""Between contracts and the exchange: reads by precompiled contracts, deposits, withdrawals, actions of contracts."""
