"""What others may read without the executor: the newest view, published batches, blocks on disk, what is pending."""
