"""What a node does with the executor: leading, making blocks, following, reporting prices."""
