"""A segment of orders or cancels: its operations (ops), the kernel's run and the outcomes (segment), what clients are
answered (answers), cancels tried again (second_try), and the meeting at the end of a batch (uncrossing)."""
