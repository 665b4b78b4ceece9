"""What people sign: transactions of Ethereum's kinds; the exchange's signed forms come here with their field lists."""
