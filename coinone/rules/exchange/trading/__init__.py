"""Trading: execution of a segment of orders or cancels.

Its operations (ops), the orders that they name (open_orders), the kernel's run and the outcomes (segment), the answers
to clients (answers), the second try of cancels (second_try), and the uncrossing at the end of a batch (uncrossing).
"""
