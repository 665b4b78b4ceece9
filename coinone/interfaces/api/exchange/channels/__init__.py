"""Exchange streams: sessions, subscriptions, and what each channel says of a batch."""
