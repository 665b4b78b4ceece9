"""What a batch did, for histories and streams: one class for each kind of event, and the columns that hold them."""
