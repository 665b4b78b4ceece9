"""The peer protocol: frames, messages, and the machine that follows and serves the chain, without sockets."""
